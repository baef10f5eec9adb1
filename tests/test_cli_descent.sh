# spusk descent: its figures, its files, its mistakes, and what it does without gnuplot or ffmpeg.
spusk=$SPUSK_BUILD/spusk
. "$SPUSK_SOURCE/tests/support/tap.sh"
LC_ALL=C
export LC_ALL

echo 1..28
refuses 'a surface that there is not' 2 "--surface is 'alps'; there are: beale, rosenbrock" descent --surface alps
refuses 'an optimizer that there is not' 2 "--optimizer has 'adm'; there are: sgd, momentum" descent --optimizer sgd,adm
refuses 'an empty optimizer' 2 "--optimizer has ''" descent --optimizer sgd,
refuses '--lr that is no number' 2 "--lr has 'fast'" descent --lr fast
refuses '--lr with a comma too much' 2 "--lr has '2,'" descent --lr 1,2,
refuses '--lr 0' 2 '--lr is 0' descent --lr 0
refuses '--lr nan' 2 "--lr has 'nan'" descent --lr nan
refuses '--steps 0' 2 '--steps is 0; it can be 1 to' descent --steps 0
refuses '--clip -1' 2 '--clip is -1' descent --clip=-1
refuses '--both without --clip' 2 'it needs --clip' descent --both
refuses '--start with one number' 2 '--start takes two numbers' descent --start 1
refuses '--start with three numbers' 2 '--start takes two numbers' descent --start 1,2,3
refuses '--movie that there is not' 2 "--movie is 'avi'" descent --movie avi
refuses '--fps 0' 2 '--fps is 0' descent --fps 0
refuses 'too many paths' 2 'more than 10 paths' descent --lr 0.1,0.2
: >file
refuses '--out that is a file' 2 '--out' descent --out file
[ ! -s out.txt ]
result $? 'nothing was computed for it'

# Figures do not need gnuplot; script and data are written for it.
PATH=/nonexistent "$spusk" descent --surface ravine --optimizer sgd,adam --lr 0.03 --json --out plain >out.txt 2>err.txt
[ $? = 1 ] && [ "$(wc -l <out.txt)" -eq 2 ] && [ "$(grep -c 'gnuplot is not installed' err.txt)" = 2 ] &&
    [ -s plain/ravine.gp ] && [ -s plain/ravine.dat ] && [ ! -e plain/ravine.png ] && [ ! -e plain/ravine.gif ]
result $? 'without gnuplot'
grep -q '^{"surface":"ravine","optimizer":"sgd","lr":0.03,"clip":null,"steps":200,"start":\[-4.2,-1.3\],"end":\[.*"distance":0.0' out.txt
result $? 'figures as JSON'
PATH=/nonexistent "$spusk" descent --surface ravine --optimizer sgd --lr 0.06 --steps 500 --json >out.txt 2>err.txt
grep -q '"lr":0.06,.*"distance":[0-9]\{4,\}' out.txt
result $? 'too large a rate leaves for good'
PATH=/nonexistent "$spusk" descent --surface cliff --optimizer momentum --clip 1 --both --json >out.txt 2>err.txt
[ "$(grep -c '"clip":null' out.txt)" = 1 ] && [ "$(grep -c '"clip":1,' out.txt)" = 1 ] &&
    sed 's/.*"distance"://; s/}//' out.txt | paste -s -d ' ' - | { read -r a b && awk "BEGIN { exit !($a > 1 && $b < 0.2) }"; }
result $? 'with and without clipping'

if command -v gnuplot >/dev/null; then
    "$spusk" descent --optimizer sgd,adam --steps 30 --movie none --out drawn >out.txt 2>err.txt
    [ $? = 0 ] && [ -s drawn/beale.png ] && [ -s drawn/beale-values.png ] && [ ! -e drawn/beale.gif ] &&
        grep -q '^wrote drawn/beale.png$' out.txt && [ ! -s err.txt ]
    result $? 'its pictures'
    "$spusk" descent --optimizer sgd --steps 5 --name walk --out drawn >out.txt 2>err.txt
    status=$?
    if "$spusk" info | grep -q cgif; then
        [ $status = 0 ] && head -c 6 drawn/walk.gif | grep -q GIF89a
        result $? 'its movie'
    else
        skip 'its movie' 'this build has no cgif'
    fi
    mkdir programs
    ln -s "$(command -v gnuplot)" programs/gnuplot
    PATH=$PWD/programs "$spusk" descent --optimizer sgd --steps 5 --movie mp4 --out plain >out.txt 2>err.txt
    [ $? = 1 ] && grep -q 'plain/beale.mp4 was not written: ffmpeg is not installed' err.txt && [ -s plain/beale.png ] &&
        [ ! -e plain/beale.mp4 ]
    result $? 'without ffmpeg'
else
    for name in 'its pictures' 'its movie' 'without ffmpeg'; do skip "$name" 'there is no gnuplot'; done
fi
if command -v gnuplot >/dev/null; then
    "$spusk" descent --optimizer sgd --steps 3 --movie none --name '|touch PWNED;#' --out drawn >out.txt 2>err.txt &&
        "$spusk" descent --optimizer sgd --steps 3 --movie none --name '<touch PWNED;#' --out drawn >out.txt 2>err.txt &&
        [ -s 'drawn/|touch PWNED;#.png' ] && [ -s 'drawn/<touch PWNED;#.png' ] && [ -z "$(find . -name PWNED)" ]
    result $? 'a name that is no command'
else
    skip 'a name that is no command' 'there is no gnuplot'
fi
long=$(printf '%04100d' 0)
refuses 'a name that is too long' 2 '--name is too long' descent --steps 3 --optimizer sgd --name "$long"
"$spusk" descent --surface net --optimizer sgd --movie none --seed 1 --threads 1 --json --out a >a.txt 2>/dev/null
"$spusk" descent --surface net --optimizer sgd --movie none --seed 7 --threads 2 --json --out b >b.txt 2>/dev/null
[ -s a.txt ] && cmp -s a.txt b.txt
result $? 'the net is the same with any seed and any threads'
[ -z "$(find . -name '.spusk*')" ]
result $? 'no other file is left'
