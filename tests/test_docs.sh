# The pages about the code against the project, and the API reference: built, whole, without dead links.
check=$SPUSK_SOURCE/tools/check_docs.py
. "$SPUSK_SOURCE/tests/support/tap.sh"

# A small project with a page, whose text is $1.
project()
{
    rm -rf tree
    mkdir -p tree/src/ops tree/tests tree/docs
    printf 'int sp_there(int x)\n{\n    return x;\n}\n' >tree/src/ops/there.c
    : >tree/tests/test_there.c
    printf '  build    builds\n' >tree/dev
    printf '# One\n\n`src/ops/there.c`, `there.c`, `src/ops/*.c`, `test_there`: `sp_there`, [here](#one), `./dev build`.\n' >tree/README.md
    printf '<!-- src/ops/there.c -->\n```c\nint sp_there(int x)\n```\n\n%s\n' "$1" >tree/docs/page.md
}

# refuses NAME TEXT WORDS: a page with this text fails, and the check says WORDS.
refuses()
{
    project "$2"
    ! python3 "$check" tree >out.txt 2>&1 && grep -qF -e "$3" out.txt
    result $? "$1"
}

python3 "$SPUSK_SOURCE/tools/api_reference.py" reference "$SPUSK_SOURCE" >reference.txt
result $? 'the reference is built'
python3 "$check" "$SPUSK_SOURCE" reference >docs.txt 2>&1
status=$?
grep -v -e '^ok' -e '^1\.\.' docs.txt
result $status 'the pages and the reference'
project 'Nothing else.'
python3 "$check" tree >out.txt 2>&1
result $? 'a page that is right'
refuses 'a path that is not there' '`src/ops/gone.c`' 'no such path: src/ops/gone.c'
refuses 'a file that is nowhere' '`gone.h`' 'no such path: gone.h'
refuses 'a test that is not there' '`test_gone`' 'no such path: test_gone'
refuses 'a function that is not there' '`sp_gone`' 'no header and no source has sp_gone'
refuses 'a command that is not there' '`./dev fly`' './dev has no command fly'
refuses 'a link that leads nowhere' '[gone](gone.md)' 'a link that leads nowhere: gone.md'
refuses 'a heading that is not there' '[gone](../README.md#gone)' 'has no heading gone'
refuses 'code that is not compiled' '```c
int nobody;
```' 'a block of C without a file'
refuses 'code that is not in its file' '<!-- src/ops/there.c -->
```c
int sp_there(void)
```' 'not in src/ops/there.c'
project '| good | not |
| --- | --- |
| `sp_there` | `sp_gone` |'
python3 "$check" tree >out.txt 2>&1
result $? 'what a page says not to write is free'
rm reference/tensor.html
! python3 "$check" "$SPUSK_SOURCE" reference >docs.txt 2>&1 && grep -q 'a dead link: tensor.html' docs.txt &&
    grep -q 'not in the reference: sp_zeros$' docs.txt
result $? 'a page that the reference lacks is noticed'
echo "1..$number"
