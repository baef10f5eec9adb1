# Calls that can be misread: what must not compile does not, and says why; what must compile does, without a warning and
# soon. With gcc and with clang, in every dialect of C.
misuse=$SPUSK_SOURCE/tests/misuse
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
. "$SPUSK_SOURCE/tests/support/tap.sh"
. "$SPUSK_SOURCE/tests/support/compilers.sh"

if ! command -v python3 >/dev/null 2>&1; then
    echo '1..0 # SKIP python3 is not installed, which writes the wrong calls'
    exit
fi
cat "$SPUSK_SOURCE"/include/spusk/*.h "$SPUSK_SOURCE"/include/spusk/extend/*.h >headers.h
python3 "$SPUSK_SOURCE/tools/misuse.py" write "$misuse/refused.txt" <headers.h >refused.c
result $? 'every option struct has its size first and its guard last'

# check WORDS: compiles without making anything, with the options in WORDS and those of the loop.
check()
{
    # shellcheck disable=SC2086  # a list of options
    timeout 20 $compiler -std="$standard" -fsyntax-only $1 -I "$SPUSK_SOURCE/include" "$2"
}

for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null 2>&1; then
        skip "$compiler" "$compiler is not installed"
        continue
    fi
    all=-fmax-errors=0
    [ $compiler != clang ] || all=-ferror-limit=0
    for dialect in c11 c17 gnu17 c23,c2x; do
        # shellcheck disable=SC2046  # a list of names
        standard=$(known $compiler c $(echo "$dialect" | tr ',' ' '))
        if [ -z "$standard" ]; then
            skip "$compiler, $dialect" "$compiler does not know it"
            continue
        fi
        LC_ALL=C check "$all" refused.c 2>said.txt
        python3 "$SPUSK_SOURCE/tools/misuse.py" judge refused.c <said.txt >wrong.txt
        [ ! -s wrong.txt ]
        result $? "$compiler, $standard: wrong calls are refused, each for its reason"
        sed 's/^/# /' wrong.txt
        check "$warnings" "$misuse/accepted.c"
        result $? "$compiler, $standard: right ones are not, nor sixteen in one another"
    done
    echo '#include <spusk/spusk.h>
void f(void);
void f(void) { sp_relu(3); }' >number.c
    standard=c17
    ! check '' number.c 2>number.txt && check '-DSPUSK_KEEP_DIAGNOSTICS' number.c
    result $? "$compiler: a program may keep its compiler's diagnostics"
done
echo "1..$number"
