# 256 KB of stack are enough: for a training, for every operator with its gradient, for a morph.
program=$SPUSK_BUILD/spusk
why=
case $SPUSK_BUILD in
*asan* | *tsan*) why='sanitizers need more' ;;
*) [ -x "$program" ] || why='the program is not built' ;;
esac
echo 1..3

# with_little N WORDS COMMAND...
with_little()
{
    number=$1 words=$2
    shift 2
    if [ -n "$why" ]; then
        echo "ok $number - $words # SKIP $why"
    elif (ulimit -s 256 && exec timeout 300 "$@") >out 2>&1; then
        echo "ok $number - $words"
    else
        tail -n 3 out | sed 's/^/# /'
        echo "not ok $number - $words"
    fi
}

with_little 1 'a training of convolutions' "$SPUSK_BUILD/tests/test_training"
with_little 2 'every operator and its gradient' "$SPUSK_BUILD/tests/test_operator_hooks"
SPUSK_DATA=$PWD/none
export SPUSK_DATA
with_little 3 'an autoencoder and a morph' sh -c "$program autoencode --dataset synthetic --limit 200 --epochs 1 &&
    $program morph autoencoder.safetensors --dataset synthetic --limit 200 --digits 3 --steps 3 -o morph.gif"
