#!/bin/sh
# Builds the library for 64-bit ARM and runs the kernels' tests, the operators' loop and ten training steps under
# qemu, or the tests that it is given, in build-aarch64: tools/aarch64.sh [TEST...]
#
# Needs aarch64-linux-gnu-gcc and qemu-aarch64; cmocka for that machine is fetched by apt into the build folder, with
# lists and a status of its own, so that this machine's packages stay as they are. The last line counts single tests;
# without a tool the script says which, and ends with status 77.
set -eu
cd "$(dirname "$0")/.."
build=build-aarch64

for tool in aarch64-linux-gnu-gcc qemu-aarch64 cmake dpkg-deb pkg-config; do
    command -v "$tool" >/dev/null || { echo "tools/aarch64.sh: there is no $tool" >&2; exit 77; }
done
mkdir -p "$build"
root=$(cd "$build" && pwd)/sysroot

# cmocka's two packages, unpacked into $root.
fetch_cmocka()
{
    apt=$build/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root"
    apt=$(cd "$apt" && pwd)
    printf 'APT::Architecture "arm64";\nAPT::Architectures "arm64";\nAPT::Sandbox::User "root";\n' >"$apt/apt.conf"
    printf 'Dir::State::lists "%s/lists";\nDir::State::status "%s/status";\nDir::Cache "%s/cache";\n' \
        "$apt" "$apt" "$apt" >>"$apt/apt.conf"
    : >"$apt/status"
    (
        cd "$apt"
        APT_CONFIG=$apt/apt.conf
        export APT_CONFIG
        apt-get -q update && apt-get -q download libcmocka-dev libcmocka0
        for package in *.deb; do dpkg-deb -x "$package" "$root"; done
    ) >"$apt/log" 2>&1
}

if [ ! -f "$root/usr/include/cmocka.h" ] && ! fetch_cmocka; then
    echo 'tools/aarch64.sh: cmocka for arm64 could not be fetched' >&2
    exit 77
fi

PKG_CONFIG_LIBDIR=$root/usr/lib/aarch64-linux-gnu/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/aarch64-linux-gnu.cmake" \
    -DCMAKE_EXE_LINKER_FLAGS="-L$root/usr/lib/aarch64-linux-gnu" -DSPUSK_BLAS=OFF -DSPUSK_PROGRAM=OFF \
    -DSPUSK_EXAMPLES=OFF -DSPUSK_BENCH=OFF >"$build/configure.log"

if [ $# = 0 ]; then
    set -- test_operators test_training
    for test in tests/test_kernels_*.c; do set -- "$@" "$(basename "$test" .c)"; done
fi
cmake --build "$build" --parallel "$(getconf _NPROCESSORS_ONLN)" --target "$@"

SPUSK_TEST_PREFIX="qemu-aarch64 -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=$root/usr/lib/aarch64-linux-gnu"
SPUSK_TEST_TIMEOUT=${SPUSK_TEST_TIMEOUT:-3600}
export SPUSK_TEST_PREFIX SPUSK_TEST_TIMEOUT
exec sh tools/run_tests.sh "$build" "$@"
