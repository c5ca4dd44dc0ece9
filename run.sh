#!/usr/bin/env bash
# Builds Digit, serves the bundle that ships, and asks it which digit a PNG shows.
#   ./run.sh [FILE.png...]      default: samples/4.png
set -euo pipefail
images=()
for image in "$@"; do images+=("$(realpath -- "$image")"); done
cd "$(dirname "$0")"
[ ${#images[@]} -gt 0 ] || images=(samples/4.png)

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

scripts/install.sh build || fail "cannot install what the build needs"

log=build/run.log
mkdir -p build
quietly() {
    "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; fail "failed: $*"; }
}
[ -f build/build.ninja ] || { echo "configuring..."; quietly meson setup build --buildtype=release; }
echo "building..."
quietly ninja -C build

# The first port from 8500 on that nobody listens on.
port=8500
while (: </dev/tcp/127.0.0.1/$port) 2>/dev/null; do
    port=$((port + 1))
    [ $port -lt 8600 ] || fail "ports 8500 to 8599 are all taken"
done

serve=(build/server/digit-server "--port=$port" --model_name=digits --model_base_path=models/digits)
ask=(build/client/digit-client)
[ $port -eq 8500 ] || ask+=("--port=$port")
echo "starting: ${serve[*]}"
"${serve[@]}" >build/server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    (: </dev/tcp/127.0.0.1/$port) 2>/dev/null && break
    kill -0 $server 2>/dev/null || { cat build/server.log >&2; fail "the server ended"; }
    sleep 0.1
done

echo "asking:   ${ask[*]} --verbose --image ${images[*]}"
"${ask[@]}" --verbose --image "${images[@]}" || { cat build/server.log >&2; fail "no answer"; }

cat <<TEXT

Next:
  ${serve[*]} &
  ${ask[*]} --image samples/*.png
  build/train/digit-train --help      # train a new version; a running server takes it up
TEXT
