#!/bin/sh
# Checks everything that a tool can check without running the code: tools/lint.sh BUILD_FOLDER
# The build folder must be configured and built: clang-tidy and cppcheck read its compile_commands.json.
set -u
build=${1:?usage: tools/lint.sh BUILD_FOLDER}
cd "$(dirname "$0")/.." || exit 2
jobs=$(getconf _NPROCESSORS_ONLN)
failed=''

# files PATTERN...: the project's own files whose path fits one of the patterns, in which * stands for folders too.
files()
{
    for pattern in "$@"; do
        find include src cli examples tests bench tools -path "$pattern"
    done
}

# check NAME COMMAND...: runs one check and says how it went.
check()
{
    name=$1
    shift
    began=$(date +%s)
    if "$@"; then
        printf 'lint: %s: clean (%s s)\n' "$name" $(($(date +%s) - began))
    else
        printf 'lint: %s: NOT clean\n' "$name"
        failed="$failed, $name"
    fi
}

formatting()
{
    files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror
}

# Warnings belong to the compiler's own run, with its own flags; those flags of gcc that clang does not know would only
# add noise, and clang takes some of them for errors. What it says on standard error is how many warnings it did not
# show, and, should it crash, why.
tidy()
{
    files 'src/*.c' 'cli/*.c' 'examples/*.c' 'tests/*.c' | compiled |
        xargs -r -n 1 -P "$jobs" clang-tidy -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option \
            --extra-arg=-Wno-ignored-optimization-argument --extra-arg=-include \
            --extra-arg="$PWD/tools/analyzer.h" 2>"$build/clang-tidy.log" && return
    grep -v 'warnings\{0,1\} generated' "$build/clang-tidy.log" >&2
    return 1
}

# Of the files on standard input those that this build compiles, so that their flags are known.
compiled()
{
    while IFS= read -r file; do
        ! grep -qF "/$file\"" "$build/compile_commands.json" || printf '%s\n' "$file"
    done
}

cppcheck_all()
{
    mkdir -p "$build/cppcheck"
    cppcheck --project="$build/compile_commands.json" --cppcheck-build-dir="$build/cppcheck" -j "$jobs" --quiet \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --template='{file}:{line}: {severity}: {message} [{id}]' \
        --suppressions-list=tools/cppcheck.txt
}

exports()
{
    sh tools/check_exports.sh "$build/libspusk.so"
}

check clang-format formatting
check 'who includes whom' sh tools/check_includes.sh
check 'exported names' exports
check 'comments of public functions' python3 tools/check_headers.py
check counts python3 tools/counts.py
check cppcheck cppcheck_all
check clang-tidy tidy
if [ -n "$failed" ]; then
    printf 'lint: not clean: %s\n' "${failed#, }"
    exit 1
fi
