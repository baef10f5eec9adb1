# What the tests of several compilers share, read by `. "$SPUSK_SOURCE/tests/support/compilers.sh"`.

# The first of the names that the compiler knows: gcc 12 says c2x for C23.
known()
{
    compiler=$1 language=$2
    shift 2
    for standard in "$@"; do
        if echo 'int x;' | $compiler -x "$language" -std="$standard" -fsyntax-only - 2>/dev/null; then
            echo "$standard"
            return
        fi
    done
}
