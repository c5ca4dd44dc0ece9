#!/usr/bin/env bash
# Installs what the tests need and runs them all:
#   lint       include arrows, forbidden functions, layout, shell
#   sanitized  units and fuzz corpora, gcc, AddressSanitizer + UndefinedBehaviorSanitizer
#   threads    what has threads, clang, ThreadSanitizer
#   fuzz       every parser for a few seconds, clang, libFuzzer
#   release    units again, as users build it; then interop: real TensorFlow and its clients
# ./test.sh STAGE... runs only those. Build folders: build-asan, build-tsan, build-fuzz, build.
set -euo pipefail
cd "$(dirname "$0")"
stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=(lint sanitized threads fuzz release)
passed=0

fail() {
    echo "test.sh: $*" >&2
    exit 1
}

# Configures (once) and builds: build_in DIR [meson option...]; CC is the caller's.
build_in() {
    local dir=$1
    shift
    # A folder that ./run.sh made, before cmocka was there, has no unit tests yet.
    if [ -f "$dir/build.ninja" ]; then
        meson setup --reconfigure "$dir" -Dunit_tests=enabled >"$dir.log" 2>&1
    else
        meson setup "$dir" -Dunit_tests=enabled "$@" >"$dir.log" 2>&1
    fi || { tail -n 40 "$dir.log" >&2; fail "meson setup $dir failed"; }
    ninja -C "$dir" >"$dir.log" 2>&1 || { tail -n 60 "$dir.log" >&2; fail "building $dir failed"; }
    rm -f "$dir.log"
}

# meson_tests DIR [meson test option...]: runs them and counts those that passed.
meson_tests() {
    local dir=$1 log
    log=$(mktemp)
    shift
    meson test -C "$dir" --no-rebuild --print-errorlogs "$@" 2>&1 | tee "$log" \
        || { rm -f "$log"; fail "tests failed in $dir"; }
    local ok
    ok=$(sed -n 's/^Ok: *\([0-9]*\).*/\1/p' "$log")
    rm -f "$log"
    [ "${ok:-0}" -gt 0 ] || fail "no test ran in $dir"
    passed=$((passed + ok))
}

lint() {
    tests/lint/layers.sh || fail "include arrows"
    tests/lint/banned.sh || fail "forbidden things"
    git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror || fail "clang-format -i FILE mends it"
    git ls-files '*.sh' .ci/run | xargs shellcheck || fail "shellcheck"
    passed=$((passed + 4))
}

sanitized() {
    build_in build-asan -Db_sanitize=address,undefined -Db_lundef=false
    meson_tests build-asan
}

threads() {
    CC=clang build_in build-tsan -Db_sanitize=thread -Db_lundef=false
    meson_tests build-tsan --suite threads
}

fuzz() {
    CC=clang build_in build-fuzz -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true
    tests/fuzz/run.sh build-fuzz "${FUZZ_SECONDS:-5}" || fail "a fuzz target found something"
    passed=$((passed + 1))
}

# A virtual environment with the peers: TensorFlow, TensorFlow Serving's client, pytest.
python_environment() {
    local want
    want=$(sha256sum tests/interop/requirements*.txt | sha256sum | cut -c1-16)
    [ -f ".venv/$want" ] && return
    rm -rf .venv
    python3 -m venv .venv
    .venv/bin/pip install --quiet --disable-pip-version-check -r tests/interop/requirements.txt \
        || fail "pip could not install tests/interop/requirements.txt"
    # Without its dependency on the full tensorflow wheel: tensorflow-cpu stands for it.
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps \
        -r tests/interop/requirements-no-deps.txt || fail "pip could not install the client"
    touch ".venv/$want"
}

release() {
    build_in build --buildtype=release
    meson_tests build
    python_environment
    local log
    log=$(mktemp)
    DIGIT_BUILD=$PWD/build .venv/bin/python -m pytest -q -p no:cacheprovider tests/interop 2>&1 \
        | tee "$log" || { rm -f "$log"; fail "interop tests failed"; }
    passed=$((passed + $(sed -n 's/^\([0-9]*\) passed.*/\1/p' "$log" | tail -n 1)))
    rm -f "$log"
}

scripts/install.sh test || fail "cannot install what the tests need"
for stage in "${stages[@]}"; do
    case $stage in
    lint | sanitized | threads | fuzz | release) ;;
    *) fail "no stage '$stage'; there are lint, sanitized, threads, fuzz, release" ;;
    esac
    echo "== $stage"
    "$stage"
done
echo "$passed passed, 0 failed"
