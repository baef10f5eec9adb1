#!/bin/sh
# The guide made anew: tools/lesson.sh BUILD_FOLDER OUTPUT_FOLDER [CHAPTER...]
# Runs the commands of each chapter's blocks of `sh`, in the order of the contents, in the output folder, with the
# program and the examples in PATH, and writes the chapters as HTML beside the pictures that the commands made;
# index.html is the contents. What a command printed stands under it, and the figures in the text are checked against it
# (check_figures.py); a line `<!-- also: COMMAND -->` runs one more command for them. A command that fails and a figure
# that is not right are named, the rest goes on, and the exit status says so.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:?usage: tools/lesson.sh BUILD_FOLDER OUTPUT_FOLDER [CHAPTER...]}" && pwd)
out=${2:?usage: tools/lesson.sh BUILD_FOLDER OUTPUT_FOLDER [CHAPTER...]}
shift 2
guide=$source/docs/guide
mkdir -p "$out"
out=$(cd "$out" && pwd)
# A lesson that was broken off is begun anew.
find "$out" -name '*.checkpoint' -exec rm -f {} +
PATH=$build:$build/examples:$PATH
export PATH
contents=$(sed -n 's/^| .*](\([a-z0-9_]*\)\.md).*/\1/p' "$guide/README.md")
chapters=${*:-$contents}
failures=0
began=$(date +%s)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# run COMMAND_LINE: in the output folder; what it prints goes to the log and, shortened, into the page.
run()
{
    printf '$ %s\n' "$1" >&2
    start=$(date +%s)
    status=0
    (cd "$out" && exec sh -c "$1") </dev/null >"$work/printed" 2>"$work/complaints" || status=$?
    cat "$work/complaints" >&2
    if [ $status != 0 ]; then
        failures=$((failures + 1))
        printf 'lesson: exit status %s of: %s\n' "$status" "$1" >&2
    fi
    printf '%s s\t%s\n' $(($(date +%s) - start)) "$1" >>"$out/times.txt"
    { printf "$ %s\n" "$1" && cat "$work/printed" "$work/complaints"; } >>"$out/$chapter.txt"
    printf '```text\n$ %s\n' "$1"
    awk 'NR <= 14 { print } NR > 14 { last[NR % 6] = $0; n = NR }
         END { if (n > 20) print "…"; for (i = (n > 20 ? n - 5 : 15); i <= n; i++) print last[i % 6] }' "$work/printed"
    printf '```\n'
}

# A page with each block of commands replaced by the commands and what they printed.
perform()
{
    in_commands=no line_so_far=''
    while IFS= read -r line || [ -n "$line" ]; do
        case $in_commands,$line in
        'no,```sh') in_commands=yes ;;
        'yes,```') in_commands=no ;;
        'no,<!-- also: '*' -->')
            # For figures only; what it prints is not shown.
            line=${line#'<!-- also: '}
            run "${line%' -->'}" >/dev/null
            ;;
        yes,*\\) line_so_far=$line_so_far${line%\\} ;;
        yes,*)
            line=$line_so_far$line line_so_far=''
            [ -z "$line" ] || run "${line%%  #*}"
            ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

# page NAME: the chapter on standard input as HTML.
page()
{
    # shellcheck disable=SC2086  # chapters are words
    python3 "$source/tools/lesson_page.py" "$guide" "$1" $contents
}

: >"$out/times.txt"
for chapter in $chapters; do
    [ -f "$guide/$chapter.md" ] || {
        printf 'lesson: no chapter named %s in %s\n' "$chapter" "$guide" >&2
        exit 2
    }
    printf '== %s\n' "$chapter" >&2
    : >"$out/$chapter.txt"
    perform <"$guide/$chapter.md" >"$work/$chapter.md"
    python3 "$source/tools/check_figures.py" "$guide/$chapter.md" "$out/$chapter.txt" || failures=$((failures + 1))
    page "$chapter" <"$work/$chapter.md" >"$out/$chapter.html"
done
page pytorch <"$guide/pytorch.md" >"$out/pytorch.html"
page index <"$guide/README.md" >"$out/index.html"

seconds=$(($(date +%s) - began))
printf 'lesson: %s chapters in %s s, in %s/index.html\n' "$(printf '%s\n' "$chapters" | wc -w)" "$seconds" "$out"
[ $failures = 0 ] || {
    printf 'lesson: %s commands failed or pages have wrong figures\n' "$failures" >&2
    exit 1
}
