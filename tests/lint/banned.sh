#!/usr/bin/env bash
# Refuses functions that style forbids, files that grew too long, and marks of unfinished work.
set -euo pipefail
cd "$(dirname "$0")/../.."
status=0
sources=(model server client train inspect bench)

banned='strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|strncpy|alloca|mktemp|tmpnam|system|popen'
if grep -rnE "(^|[^_[:alnum:]])($banned) *\(" "${sources[@]}" --include='*.[ch]'; then
    echo "banned: the functions above are forbidden: use buf_printf, snprintf, strtoll, arena_*"
    status=1
fi
if grep -rnE 'TODO|FIXME|\bXXX\b' "${sources[@]}" tests k8s Dockerfile -- '*.sh' 2>/dev/null \
    | grep -v '^tests/lint/banned.sh'; then
    echo "banned: finish it or take it out; unfinished work belongs into an issue"
    status=1
fi
while read -r lines file; do
    if [ "$lines" -gt 450 ] && [ "$file" != total ]; then
        echo "$file: $lines lines; split it by what it is about (at most 400 is the aim)"
        status=1
    fi
done < <(find "${sources[@]}" tests -name '*.[ch]' -print0 | xargs -0 wc -l)
exit $status
