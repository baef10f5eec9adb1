# What the shell tests share, read by `. "$SPUSK_SOURCE/tests/support/tap.sh"`: results as TAP, numbered from 1.
number=0

# result STATUS NAME: NAME has passed if STATUS is 0.
result()
{
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

# skip NAME REASON: NAME was not tested.
skip()
{
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# refuses NAME STATUS WORDS OPTION...: the program spusk must say WORDS, in one line, and end with STATUS.
refuses()
{
    name=$1 wanted=$2 words=$3
    shift 3
    "$SPUSK_BUILD/spusk" "$@" >out.txt 2>err.txt
    status=$?
    if [ $status = "$wanted" ] && [ "$(wc -l <err.txt)" -eq 1 ] && grep -qF -e "$words" err.txt; then
        result 0 "$name"
    else
        result 1 "$name: status $status, $(cat err.txt)"
    fi
}
