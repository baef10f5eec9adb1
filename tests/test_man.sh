# The man page names every command and every option of the program, and none that it does not have.
page=$SPUSK_SOURCE/docs/spusk.1
spusk=$SPUSK_BUILD/spusk
commands=$("$spusk" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p')

echo 1..5
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

# Which command has which option: the sections of one command name it in their title, the one of several before the text.
printf '%s\n' "$man" | awk '
    /^\.SH/ { section = tolower($4 == "SEVERAL" ? "several" : $4); options = ""; if ($2 != "OPTIONS") section = ""; next }
    /^\.TP/ { tag = 1; next }
    tag { tag = 0; options = $0; text = 1; next }
    text {
        text = 0
        users = section
        if (section == "several") { users = $0; sub(/:.*/, "", users); gsub(/,/, "", users) }
        n = split(users, user, " ")
        while (match(options, /--[a-z][a-z-]*/)) {
            for (i = 1; i <= n; i++) print user[i], substr(options, RSTART, RLENGTH)
            options = substr(options, RSTART + RLENGTH)
        }
    }' | sed -n '/^every /d; / --/p' | sort -u >page
for command in $commands; do
    "$spusk" "$command" --help | sed '/^Options of every command/,$d' | options_in | sed "s/^/$command /"
done | sort -u >program
wrong=$(comm -3 program page)
echo "# of the program only, and of the page only: $(echo "$wrong" | tr "\n" ";")"
if [ "$(wc -l <page)" -gt 40 ] && [ -z "$wrong" ]; then echo 'ok 5 - each command has its own options'; else echo 'not ok 5 - each command has its own options'; fi
