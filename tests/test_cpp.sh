# The calls of C in C++, and spusk.hpp, with g++ and clang++: they compile without a warning and run; the option structs
# have the size that they have in C.
warnings='-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror'
. "$SPUSK_SOURCE/tests/support/tap.sh"
. "$SPUSK_SOURCE/tests/support/compilers.sh"

sanitize=$(sed -n 's/^SPUSK_SANITIZE:[A-Z]*=//p' "$SPUSK_BUILD/CMakeCache.txt")
{
    echo '#include <spusk/spusk.h>'
    echo '#include <stdio.h>'
    echo 'int main(void) {'
    sed -n 's/^} \(sp_[a-z0-9_]*_options\);$/printf("\1 %d\\n", (int)sizeof(\1));/p' \
        "$SPUSK_SOURCE"/include/spusk/*.h "$SPUSK_SOURCE"/include/spusk/extend/*.h
    echo 'return 0; }'
} >sizes.c

# build LANGUAGE FILE PROGRAM: by the compiler, in the dialect and with the warnings of the loop.
build()
{
    # shellcheck disable=SC2086  # a list of options
    $compiler -x "$1" -std="$standard" $warnings ${sanitize:+-fsanitize=$sanitize} -I "$SPUSK_SOURCE/include" "$2" -o "$3" \
        -L "$SPUSK_BUILD" -lspusk
}

compiler=${CC:-cc} standard=c17
build c sizes.c sizes && LD_LIBRARY_PATH=$SPUSK_BUILD ./sizes >in_c.txt && [ "$(wc -l <in_c.txt)" -gt 40 ]
result $? 'the sizes of options in C'
for compiler in g++ clang++; do
    if ! command -v $compiler >/dev/null 2>&1; then
        skip "$compiler" "$compiler is not installed"
        continue
    fi
    if [ -n "$sanitize" ] && [ $compiler = clang++ ]; then
        skip "$compiler" 'the sanitizer is that of gcc'
        continue
    fi
    for dialect in c++11 c++17 c++20,c++2a; do
        # shellcheck disable=SC2046  # a list of names
        standard=$(known $compiler c++ $(echo "$dialect" | tr ',' ' '))
        build c++ "$SPUSK_SOURCE/tests/cpp/calls.cc" calls && LD_LIBRARY_PATH=$SPUSK_BUILD ./calls
        result $? "$compiler, $standard: the calls of C"
        [ "$dialect" = c++11 ] && continue
        build c++ "$SPUSK_SOURCE/tests/cpp/values.cc" values && LD_LIBRARY_PATH=$SPUSK_BUILD ./values
        result $? "$compiler, $standard: values, operators, exceptions"
        build c++ "$SPUSK_SOURCE/examples/classifier.cpp" classifier &&
            LD_LIBRARY_PATH=$SPUSK_BUILD ./classifier synthetic 2 1200 >classifier.txt
        result $? "$compiler, $standard: the example"
    done
    build c++ sizes.c sizes_cpp && LD_LIBRARY_PATH=$SPUSK_BUILD ./sizes_cpp | cmp - in_c.txt
    result $? "$compiler: options have the sizes that they have in C"
done
# The same seed, network and batches: what the two examples print is the same, but for how they write a number.
"$SPUSK_BUILD/examples/classifier" synthetic 2 1200 >c.txt 2>c.err
awk '{ printf "%s %.4f %.4f\n", $1, $2, $3 }' classifier.txt >cpp.txt
grep -E '^[0-9]+ 0\.' c.txt | cmp - cpp.txt && [ -s cpp.txt ]
result $? 'the example prints what its brother in C prints'
! LD_LIBRARY_PATH=$SPUSK_BUILD ./classifier /nowhere 1 100 2>failed.txt && grep -q '^classifier: .*nowhere' failed.txt
result $? 'and tells what went wrong'
echo "1..$number"
