# Each public header compiles alone, and each example with them, without a warning, in every dialect that a user may
# have, with gcc and with clang.
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only'
. "$SPUSK_SOURCE/tests/support/tap.sh"
. "$SPUSK_SOURCE/tests/support/compilers.sh"

# compile FILE: by the compiler and in the dialect of the loop below.
compile()
{
    # shellcheck disable=SC2086  # a list of options
    $compiler -x "$language" -std="$standard" $warnings -I "$SPUSK_SOURCE/include" "$1"
}

headers_compile()
{
    ok=0
    for header in "$SPUSK_SOURCE"/include/spusk/*.h "$SPUSK_SOURCE"/include/spusk/extend/*.h; do
        # Twice: a header also has to bear being included again.
        name=${header#"$SPUSK_SOURCE"/include/}
        printf '#include <%s>\n#include <%s>\nint header_test_is_not_empty;\n' "$name" "$name" >header.c
        compile header.c || ok=1
    done
    return $ok
}

examples_compile()
{
    ok=0
    for example in "$SPUSK_SOURCE"/examples/*.c; do
        compile "$example" || ok=1
    done
    return $ok
}

for compiler in gcc clang g++ clang++; do
    case $compiler in
    *++) language=c++ dialects='c++11 c++17 c++20,c++2a' ;;
    *) language=c dialects='c11 c17 gnu17 c23,c2x' ;;
    esac
    if ! command -v $compiler >/dev/null 2>&1; then
        skip "$compiler" "$compiler is not installed"
        continue
    fi
    for dialect in $dialects; do
        # shellcheck disable=SC2046  # a list of names
        standard=$(known $compiler $language $(echo "$dialect" | tr ',' ' '))
        if [ -z "$standard" ]; then
            skip "$compiler, $dialect" "$compiler does not know it"
            continue
        fi
        headers_compile
        result $? "headers: $compiler, $standard"
        # Options by name in a call are C only: C++ has no compound literals.
        if [ $language = c ]; then
            examples_compile
            result $? "examples: $compiler, $standard"
        fi
    done
done

python3 "$SPUSK_SOURCE/tools/check_headers.py" "$SPUSK_SOURCE" | sed 's/^/# /' >comments.txt
grep -q '^# documented functions: .*, 100.0 %$' comments.txt
result $? 'every public function has a comment of its own'
cat comments.txt

# The script that looks for comments finds each function without one of its own, and no other.
mkdir -p tree/include/spusk/extend
cat >tree/include/spusk/a.h <<'END'
/* Above the guard. */
/* ---- a heading ---- */
SP_API int sp_below_a_heading(void);
/* Of a group. */
SP_API int sp_first(void);
SP_API int sp_second(void);
SP_API int sp_behind(void); /* behind */
SP_API int sp_after_behind(void);

/* Of what stands a line higher. */

SP_API int sp_apart(int a,
                    int b);
SP_API int sp_two_lines(int a,
                        int b); /* behind */
/* Of two
 * lines. */
static inline int sp_inline(void)
{
    return 0;
}
#ifdef __cplusplus
inline int sp_first(int a);
#endif
END
echo 'SP_API void sp_extended(void);' >tree/include/spusk/extend/b.h
python3 "$SPUSK_SOURCE/tools/check_headers.py" tree >said.txt
[ $? = 1 ] && [ "$(sed -n 's/.*: sp_//p' said.txt | tr '\n' ' ')" = 'below_a_heading second after_behind apart extended ' ] &&
    grep -q '^documented functions: 4 of 9, 44.4 %$' said.txt
result $? 'a function without a comment of its own is found'
echo "1..$number"
