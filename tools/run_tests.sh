#!/bin/sh
# Runs tests and counts them one by one: tools/run_tests.sh BUILD_FOLDER [NAME...]
#
# A test is tests/test_NAME.c, built as a cmocka program, or tests/test_NAME.sh; both print TAP on standard output:
#     1..3
#     ok 1 - what was tested
#     not ok 2 - what was tested
#     ok 3 - what was not tested # SKIP why not
# cmocka writes a skip as `not ok 3 # SKIP name` and knows no reason: skip_because() of tests/support/skip.h prints
# one before it. A test that ends early, with a status other than 0 or without a result counts as failed.
# Tests run side by side, each in a folder of its own; those whose names end in _alone, which measure time, run
# after the others, one at a time.
#
#     SPUSK_TEST_JOBS      how many at a time (default: the number of processors)
#     SPUSK_TEST_TIMEOUT   seconds for one test program (default: 600, with a sanitizer 1800)
#     SPUSK_TEST_PREFIX    words before the program of a test in C: an emulator, say
#     SPUSK_ALLOWED_SKIPS  a file of lines `test_name: name of the single test` that may be skipped; others then fail
set -eu

# Everything there is to say about one test goes to BUILD/tests/results: NAME.log is what it printed, NAME.count holds
# its passed, failed and skipped, NAME.bad what failed and NAME.skip what was skipped.
run_one()
{
    name=$1
    result=$results/$name
    rm -f "$result".*
    scratch=$BUILD/tests/scratch/$name
    rm -rf "$scratch"
    mkdir -p "$scratch"
    if [ -f "$SOURCE/tests/$name.c" ]; then
        set -- "$BUILD/tests/$name"
    else
        set -- sh "$SOURCE/tests/$name.sh"
    fi
    began=$(date +%s)
    status=0
    (
        cd "$scratch"
        # shellcheck disable=SC2086  # prefixes are words
        exec timeout -k 10 "$SPUSK_TEST_TIMEOUT" $prefix "$@"
    ) </dev/null >"$result.log" 2>&1 || status=$?
    seconds=$(($(date +%s) - began))
    # A result may follow, on one line, what the test itself printed without an end of line.
    awk -v status="$status" -v name="$name" -v bad="$result.bad" -v skips="$result.skip" -v count="$result.count" \
        -v allowed="${SPUSK_ALLOWED_SKIPS:-}" '
        function fail(text) { failed++; print "    " text > bad }
        function skip(text, why)
        {
            key = name ": " text
            if (allowed != "" && !(key in may_skip)) fail(text ": skipped" (why == "" ? "" : " (" why ")") ", which is not allowed here")
            else { skipped++; print key (why == "" ? "" : ": " why) > skips }
        }
        BEGIN {
            passed = failed = skipped = planned = plans = 0
            while (allowed != "" && (getline line < allowed) > 0) {
                sub(/[ \t]*(#.*)?$/, "", line)
                may_skip[line] = 1
            }
        }
        { sub(/\r$/, "") }
        /^1\.\.[0-9]+/ {
            plans++
            planned += substr($1, 4)
            if ($1 == "1..0" && /# *[Ss][Kk][Ii][Pp]/) {
                why = $0
                sub(/^.*# *[Ss][Kk][Ii][Pp] */, "", why)
                skip("all", why)
                empty = 1
            }
            next
        }
        /^# skip: / { reason = substr($0, 9); next }
        match($0, /(^|[^#] ?)(not )?ok [0-9]+ (- |# SKIP )/) {
            text = substr($0, RSTART + RLENGTH)
            token = substr($0, RSTART, RLENGTH)
            if (token ~ /# SKIP $/) skip(text, reason)
            else if (token ~ /not ok/) fail(text)
            else if (split(text, parts, / # SKIP ?/) > 1) skip(parts[1], parts[2])
            else passed++
            reason = ""
        }
        END {
            seen = passed + failed + skipped
            lost = planned - seen + (empty ? 1 : 0)
            if (status == 124 || status == 137) fail("took too long and was stopped")
            else if (plans == 0 || seen == 0) fail("ran no tests (exit status " status ")")
            else if (lost > 0) { fail("ended after " seen " of " planned " tests (exit status " status ")"); failed += lost - 1 }
            else if (lost < 0) fail("printed more results than its plan says")
            else if (status != 0 && failed == 0) fail("ended with exit status " status)
            print passed, failed, skipped > count
        }' "$result.log"
    read -r passed failed skipped <"$result.count"
    line="$passed passed"
    [ "$skipped" = 0 ] || line="$line, $skipped skipped"
    [ "$failed" = 0 ] || line="$line, $failed FAILED"
    line=$(printf '%-32s %s (%s s)' "$name" "$line" "$seconds")
    # Printed at once, so that tests that end at the same time do not mix their lines.
    if [ "$failed" = 0 ]; then
        rm -rf "$scratch"
        printf '%s\n' "$line"
    else
        printf '%s\n%s\n' "$line" "$(cat "$result.bad")"
    fi
}

usage='usage: tools/run_tests.sh BUILD_FOLDER [NAME...]'
if [ "${1:-}" = --one ]; then
    shift
    results=$BUILD/tests/results
    run_one "$1"
    exit 0
fi

BUILD=$(cd "${1:?$usage}" && pwd)
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
SPUSK_BUILD=$BUILD
SPUSK_SOURCE=$SOURCE
shift
results=$BUILD/tests/results
rm -rf "$results" "$BUILD/tests/scratch"
mkdir -p "$results"

# What a sanitizer finds must end the test with a status other than 0, and cmocka's handler must not hide a bad access.
# gcc's frames for stack use after return are not aligned enough for 64-byte vectors, which then crash; so that check is
# off, as it is by gcc's default. What the caller sets comes last and wins.
ASAN_OPTIONS=detect_leaks=1:handle_segv=2:detect_stack_use_after_return=0:${ASAN_OPTIONS:-}
UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
TSAN_OPTIONS=second_deadlock_stack=1:${TSAN_OPTIONS:-}
CMOCKA_MESSAGE_OUTPUT=TAP
prefix=${SPUSK_TEST_PREFIX:-}
if grep -q '^SPUSK_SANITIZE:[A-Z]*=thread' "$BUILD/CMakeCache.txt" && setarch "$(uname -m)" -R true 2>/dev/null; then
    # The thread sanitizer of older compilers cannot map its shadow where the kernel randomises many address bits.
    prefix="setarch $(uname -m) -R"
fi
: "${SPUSK_TEST_TIMEOUT:=$(grep -q '^SPUSK_SANITIZE:[A-Z]*=.' "$BUILD/CMakeCache.txt" && echo 1800 || echo 600)}"
export SPUSK_TEST_TIMEOUT
export BUILD SOURCE SPUSK_BUILD SPUSK_SOURCE ASAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS CMOCKA_MESSAGE_OUTPUT prefix

if [ $# -eq 0 ]; then
    for file in "$SOURCE"/tests/test_*.c "$SOURCE"/tests/test_*.sh; do
        [ -f "$file" ] || continue
        name=${file##*/}
        set -- "$@" "${name%.*}"
    done
else
    for name in "$@"; do
        if [ ! -f "$SOURCE/tests/$name.c" ] && [ ! -f "$SOURCE/tests/$name.sh" ]; then
            echo "no test named $name" >&2
            exit 2
        fi
    done
fi

together='' alone=''
for name in "$@"; do
    case $name in
    *_alone) alone="$alone $name" ;;
    *) together="$together $name" ;;
    esac
done
# shellcheck disable=SC2086  # lists of names without spaces
{
    jobs=${SPUSK_TEST_JOBS:-$(getconf _NPROCESSORS_ONLN)}
    [ -z "$together" ] || printf '%s\n' $together | xargs -n 1 -P "$jobs" sh "$0" --one
    [ -z "$alone" ] || printf '%s\n' $alone | xargs -n 1 sh "$0" --one
}

for name in "$@"; do
    [ ! -s "$results/$name.bad" ] || {
        printf '\n--- %s: the end of what it printed, without what passed (all of it: %s)\n' "$name" "$results/$name.log"
        grep -v '^ok ' "$results/$name.log" | tail -n 60
    }
done
if cat "$results"/*.skip >/dev/null 2>&1; then
    printf '\nskipped:\n'
    sed 's/^/    /' "$results"/*.skip
fi
cat "$results"/*.count 2>/dev/null | awk -v names=$# '
    { passed += $1; failed += $2; skipped += $3 }
    END {
        # A test that left no count, or no test at all, is a failure too.
        failed += names - NR + (names == 0)
        printf "%d passed, %d failed%s\n", passed, failed, (skipped > 0 ? ", " skipped " skipped" : "")
        exit failed > 0
    }'
