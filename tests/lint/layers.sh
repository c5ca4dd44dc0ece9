#!/usr/bin/env bash
# Checks the arrows of docs/architecture.md: which folder may include which. Includes are written
# from the root, so a quoted include names its folder; system headers with one door are rows too.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0

# folder            may include (extended regex over the included path)
rules='
model/base          model/base/
model/tensor        model/(base|tensor)/|tensorflow/
model/bundle        model/(base|tensor|bundle)/|tensorflow/|google/
model/op            model/(base|tensor|op)/|tensorflow/
model/graph         model/(base|tensor|bundle|op|graph)/|tensorflow/
model/plan          model/(base|tensor|bundle|op|graph|plan)/|tensorflow/
server/grpc         model/base/|server/grpc/
server/batch        model/model\.h|model/(base|tensor)/|server/(batch|metrics)/|tensorflow_serving/servables/
server/metrics      model/base/|server/metrics/|tensorflow
server/manager      model/(model|heads)\.h|model/(base|tensor)/|server/(manager/|metrics/|[a-z]+\.h)|tensorflow
server/config       model/base/|server/(config|manager)/|server/[a-z]+\.h|tensorflow
server/service      model/(model|heads)\.h|model/(base|tensor)/|server/(batch|config|grpc|manager|metrics|service)/|server/[a-z]+\.h|tensorflow|grpc/(health|reflection)/|inference/|google/|proto/descriptors\.h
server/rest         model/(model|heads)\.h|model/(base|tensor)/|server/(metrics|rest|service)/|server/[a-z]+\.h|tensorflow
client              model/(base|tensor)/|client/|tensorflow
inspect             model/(model|signature)\.h|model/(base|tensor|bundle|graph|plan)/|inspect/|tensorflow
train               model/(base|tensor|bundle)/|model/op/gemm\.h|train/|tensorflow
'
while read -r folder allowed; do
    [ -n "$folder" ] || continue
    while IFS=: read -r file line include; do
        path=${include#*\"} path=${path%%\"*}
        # What the rule does not say: op/save_restore.c reads checkpoints.
        [[ $file == model/op/save_restore.c && $path == model/bundle/* ]] && continue
        if ! grep -qE "^($allowed)" <<<"$path"; then
            echo "$file:$line: $folder may not include \"$path\""
            status=1
        fi
    done < <(grep -rnE '^ *# *include +"' "$folder" --include='*.[ch]' --include='*.def' || true)
done <<<"$rules"

# library           its one door (extended regex over the file)
doors='
grpc/grpc           ^(server/grpc/|client/channel\.|tests/|bench/)
png\.h               ^(client/(image|picture)|model/op/png_decode\.|tests/|bench/)
uv\.h               ^(server/loop\.|server/manager/|tests/)
pcre2\.h            ^(model/op/regex\.|tests/)
snappy-c\.h         ^(model/bundle/block\.|tests/)
cblas\.h            ^(model/op/gemm\.|tests/|bench/)
zlib\.h             ^(train/idx\.|server/rest/gzip\.|tests/)
microhttpd\.h       ^(server/rest/http\.|tests/)
'
while read -r header door; do
    [ -n "$header" ] || continue
    while IFS=: read -r file line _; do
        if ! grep -qE "$door" <<<"$file"; then
            echo "$file:$line: <$header> enters by another door ($door)"
            status=1
        fi
    done < <(grep -rnE "^ *# *include +<$header" model server client train inspect tests bench --include='*.[ch]' || true)
done <<<"$doors"

# Every include of ours is written from the root.
while IFS=: read -r file line include; do
    path=${include#*\"} path=${path%%\"*}
    if [[ $path != */* ]]; then
        echo "$file:$line: write \"$path\" from the root"
        status=1
    fi
done < <(grep -rnE '^ *# *include +"' model server client train inspect bench --include='*.[ch]' || true)
exit $status
