# The table of docs/guide/reproducibility.md: each of its commands must write the file whose SHA-256 stands beside it, at
# every level with a fused multiply-add that this machine has, with one thread and with two.
# test_same_bits.sh --write puts the hashes of what this build writes into the table.
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"
guide=$SPUSK_SOURCE/docs/guide/reproducibility.md

# Rows: a network, its command, a hash, between bars and back quotes.
sed -n 's/^| \([a-z]*\) | `spusk \([^`]*\)` | `\([0-9a-f]*\)` |$/\1 \3 \2/p' "$guide" >rows.txt

# hash_of LEVEL THREADS COMMAND...: of the weights that the command writes.
hash_of()
{
    level=$1 threads=$2
    shift 2
    SPUSK_ISA=$level "$SPUSK_BUILD/spusk" "$@" --threads "$threads" --out run -o weights.safetensors >run.txt 2>&1 || cat run.txt >&2
    sha256sum run/weights.safetensors | cut -d ' ' -f 1
    rm -rf run
}

levels=''
for level in avx2 avx512 neon; do
    SPUSK_ISA=$level "$SPUSK_BUILD/spusk" info 2>/dev/null | grep -q "$level" && levels="$levels $level"
done

if [ "${1:-}" = --write ]; then
    while read -r network old command; do
        # shellcheck disable=SC2086 # the command is words
        new=$(hash_of ${levels##* } 2 $command)
        sed "s/^\(| $network | .*\)$old/\1$new/" "$guide" >guide.new && cat guide.new >"$guide"
    done <rows.txt
    exit
fi

echo "1..$((1 + $(wc -l <rows.txt) * $(echo "$levels" | wc -w) * 2))"
[ "$(wc -l <rows.txt)" -ge 6 ]
result $? 'the guide has its table'
while read -r network hash command; do
    for level in $levels; do
        for threads in 1 2; do
            # shellcheck disable=SC2086
            [ "$(hash_of "$level" "$threads" $command)" = "$hash" ]
            result $? "$network at level $level, threads: $threads"
        done
    done
done <rows.txt
