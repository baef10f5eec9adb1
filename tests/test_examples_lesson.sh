# The lesson's second half on a few drawn digits: each program says what it found and leaves its picture.
examples=$SPUSK_BUILD/examples
LC_ALL=C
export LC_ALL
number=0

result()
{
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

# has FILE...: whether the files are there and not empty; a picture by gnuplot may be missing where it is.
has()
{
    for file; do
        case $file in
        *.png) [ -s "$file" ] || { [ -s "${file%.png}.gp" ] && ! command -v gnuplot >/dev/null 2>&1; } || return 1 ;;
        *) [ -s "$file" ] || return 1 ;;
        esac
    done
}

"$examples/folded" >folded.txt && grep -qE 'differ by at most [0-9.]+e-0[67]$' folded.txt
result $? 'folded: two Linears are one'
"$examples/autoencoder" synthetic 1 600 >autoencoder.txt && "$examples/morph" autoencoder.safetensors synthetic 3 4 >morph.txt &&
    grep -qx 'walk.gif: 12 frames' morph.txt && has walk.gif
result $? 'morph: a closed walk through what autoencoder saved'
"$examples/pca" synthetic 40 1500 >pca.txt
angle=$(sed -n 's/^the planes are \([0-9.]*\) degrees apart$/\1/p' pca.txt)
[ -n "$angle" ] && awk "BEGIN { exit !($angle < 30) }"
result $? "pca: two ways to one plane, $angle degrees apart"
"$examples/memory" synthetic 6000 >memory.txt 2>memory.err
grown=$(sed -n 's/^the loss itself .* \([0-9]*\) KiB more after 93 steps$/\1/p' memory.txt)
numbers=$(sed -n 's/^sp_item(loss) .* \(-*[0-9]*\) KiB more after 93 steps$/\1/p' memory.txt)
[ "$grown" -gt $((10 * (numbers + 1))) ] && has memory.png
result $? "memory: losses that are kept grow it by $grown KiB, their numbers by $numbers"
"$examples/losses" synthetic 2 1200 >losses.txt 2>losses.err
[ "$(grep -cE ' train [01]\.[0-9]{4}  validation [01]\.[0-9]{4}$' losses.txt)" = 4 ] && has losses-compared.png accuracies-compared.png
result $? 'losses: four ways to train a classifier'
"$examples/reconstruction" synthetic 1 600 >reconstruction.txt &&
    [ "$(grep -cE '^trained by .* squared error 0\.[0-9]+, absolute 0\.[0-9]+, cross-entropy 0\.[0-9]+$' reconstruction.txt)" = 3 ] &&
    has three-losses.png
result $? 'reconstruction: three ways to train an autoencoder'
"$examples/overfitting" synthetic 12 60 >overfitting.txt 2>overfitting.err
[ "$(grep -cE 'validation loss [0-9.]+ at epoch [0-9]+ \(accuracy [01]\.[0-9]+\), [0-9.]+ in the end' overfitting.txt)" = 4 ] &&
    has overfitting.png
result $? 'overfitting: four runs'
# What was stopped in time ends with the loss that was its best.
sed -n 's/^stopped.*loss \([0-9.]*\) at.*, \([0-9.]*\) in the end.*/\1 \2/p' overfitting.txt | awk '{ exit !($1 == $2) }'
result $? 'what was stopped in time keeps its best weights'
echo "1..$number"
