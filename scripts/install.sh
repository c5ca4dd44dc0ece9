#!/usr/bin/env bash
# Installs what is missing from Debian's packages.
#   scripts/install.sh build    to build Digit
#   scripts/install.sh test     to run its tests too
# Says what it installs; asks for nothing; fails with the reason.
set -euo pipefail

build=(gcc libc6-dev meson ninja-build pkg-config protobuf-c-compiler libprotobuf-dev
    libprotobuf-c-dev libgrpc-dev libmicrohttpd-dev libuv1-dev libopenblas-dev libpcre2-dev
    libpng-dev libsnappy-dev zlib1g-dev)
tests=(ca-certificates curl libcmocka-dev clang libclang-rt-14-dev llvm clang-format git python3 python3-venv
    shellcheck)
# kubectl is there under other names than Debian's on many machines: asked for by command.
command -v kubectl >/dev/null 2>&1 || tests+=(kubernetes-client)

case ${1:-} in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${tests[@]}") ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "install: this is no Debian; install by hand what these packages hold: ${wanted[*]}" >&2
    exit 1
fi

missing=()
for package in "${wanted[@]}"; do
    status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "install: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    root=(sudo)
fi
echo "install: ${root[*]:+with sudo, }from Debian's packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${root[@]}" apt-get update && DEBIAN_FRONTEND=noninteractive "${root[@]}" env \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    echo "install: apt-get failed; its last lines are above" >&2
    exit 1
fi
