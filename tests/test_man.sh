# The man page names every command and every option of the program, and none that it does not have.
page=$SPUSK_SOURCE/docs/spusk.1
spusk=$SPUSK_BUILD/spusk
commands=$("$spusk" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')

echo 1..4
man=$(sed 's/\\-/-/g; s/\\f.//g; s/"//g' "$page")
if [ -n "$commands" ]; then echo 'ok 1 - the program names its commands'; else echo 'not ok 1 - the program names its commands'; fi

wrong=''
for command in $commands; do
    printf '%s\n' "$man" | grep -q "^\.B $command" || wrong="$wrong $command"
done
echo "# not in the page:$wrong"
if [ -z "$wrong" ]; then echo 'ok 2 - every command is in the page'; else echo 'not ok 2 - every command is in the page'; fi

options_in()
{
    grep -o -e '--[a-z][a-z-]*' | sort -u
}
for command in $commands; do "$spusk" "$command" --help; done | options_in >program
printf '%s\n' "$man" | options_in >page
wrong=$(comm -23 program page)
echo "# not in the page: $(echo "$wrong" | tr "\n" " ")"
if [ -s program ] && [ -z "$wrong" ]; then echo 'ok 3 - every option is in the page'; else echo 'not ok 3 - every option is in the page'; fi
wrong=$(comm -13 program page)
echo "# in the page only: $(echo "$wrong" | tr "\n" " ")"
if [ -s page ] && [ -z "$wrong" ]; then echo 'ok 4 - every option of the page exists'; else echo 'not ok 4 - every option of the page exists'; fi
