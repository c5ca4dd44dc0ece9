#!/usr/bin/env bash
# Fuzzes every target for some seconds, starting from its corpus; new inputs go to a scratch folder.
#   tests/fuzz/run.sh BUILD_DIR [SECONDS [TARGET...]]
# BUILD_DIR was set up with CC=clang and -Dfuzz=true. What is found is left in BUILD_DIR/findings.
set -euo pipefail
build=$(cd "$1" && pwd)
seconds=${2:-60}
here=$(cd "$(dirname "$0")" && pwd)
shift $(($# < 2 ? $# : 2))
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for source in "$here"/fuzz_*.c; do targets+=("$(basename "$source" .c)"); done
fi
mkdir -p "$build/findings"
status=0
for target in "${targets[@]}"; do
    scratch=$(mktemp -d)
    if "$build/tests/fuzz/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$build/findings/$target-" "$scratch" "$here/corpus/${target#fuzz_}" \
        >"$build/findings/$target.log" 2>&1; then
        echo "$target: $(grep -c . <(find "$scratch" -type f)) new inputs, nothing found"
    else
        tail -n 60 "$build/findings/$target.log"
        echo "$target: found something: $build/findings/$target-*"
        status=1
    fi
    rm -rf "$scratch"
done
exit $status
