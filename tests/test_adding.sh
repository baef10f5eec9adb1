# What docs/adding_an_operator.md says of adding one, tried on copies of the project: the edits are as many as the page
# says, what they touch compiles without a warning, and the new operators run with their gradients.
. "$SPUSK_SOURCE/tests/support/tap.sh"
page=$SPUSK_SOURCE/docs/adding_an_operator.md
sanitize=$(sed -n 's/^SPUSK_SANITIZE:[A-Z]*=//p' "$SPUSK_BUILD/CMakeCache.txt")
flags="-std=c17 -D_GNU_SOURCE -O1 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-missing-field-initializers -Wno-psabi
    ${sanitize:+-fsanitize=$sanitize}"

# compiles TREE: the files that its edits touch; FILE:f32 for an element type.
compiles()
{
    while IFS=: read -r file element; do
        type=''
        [ -z "$element" ] || type="-DSP_ELEMENT=$element -DSP_ELEMENT_$(echo "$element" | tr a-z A-Z)=1"
        # shellcheck disable=SC2086  # flags are words
        "${CC:-cc}" $flags $type -Werror -I "$1/include" -I "$1/src" -c "$1/$file" -o "$1/$(echo "$file$element" | tr / _).o" ||
            return 1
    done <"$1/compile"
}

# runs TREE NAME: the new objects stand before the library's, which then leaves its own out.
runs()
{
    # shellcheck disable=SC2086
    "${CC:-cc}" $flags -I "$1/include" -I "$1/src" "$SPUSK_SOURCE/tests/adding/run.c" "$1"/*.o "$SPUSK_BUILD/libspusk.a" \
        -lm -lpthread -o "$1/run" && "$1/run" "$2"
}

python3 "$SPUSK_SOURCE/tools/adding.py" trees "$SPUSK_SOURCE" >counts.txt
result $? 'the edits fit the files that they change'
while IFS=: read -r name count; do
    # shellcheck disable=SC2086  # " 3 edits in 3 files, …"
    set -- $count
    grep -qF "\`tests/adding/$name.txt\` | $1 | $4 |" "$page"
    result $? "the page says what $name costs:$count"
    compiles "trees/$name"
    result $? "what $name touches compiles"
done <counts.txt
runs trees/unary positive
result $? 'the unary operator runs with its gradient'
runs trees/gradient outer
result $? 'the operator with its own gradient runs'
SPUSK_ISA=reference
export SPUSK_ISA
runs trees/kernel tan
result $? 'the operator with a new scalar kernel runs, by the reference'
unset SPUSK_ISA
runs trees/operation flip
result $? 'the operator with a new kind of kernel runs'
! runs trees/gradient positive
result $? 'an operator that was not added does not run'
echo "1..$number"
