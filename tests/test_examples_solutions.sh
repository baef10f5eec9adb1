# Solutions to the guide's exercises, on a few drawn digits: each prints what its exercise asks for, and leaves its picture.
examples=$SPUSK_BUILD/examples
. "$SPUSK_SOURCE/tests/support/tap.sh"
unset SPUSK_DATA
LC_ALL=C
export LC_ALL

# solves CHAPTER: runs the solutions; what they print lies in CHAPTER.txt.
solves()
{
    "$examples/solutions_$1" >"$1.txt" 2>"$1.err"
}

# has FILE...: whether the pictures are there; one by gnuplot may be missing where gnuplot is.
has()
{
    for file; do
        [ -s "$file" ] || { [ -s "${file%.png}.gp" ] && ! command -v gnuplot >/dev/null 2>&1; } || return 1
    done
}

# lines CHAPTER EXERCISE COUNT PATTERN: whether so many lines of the exercise's answer are as they should be.
lines()
{
    [ "$(grep -cE "^$1 $2: $4" "$1.txt")" = "$3" ]
}

solves tensors && grep -qx 'products 2: 5×2×3 by 3×2 is 5×2×2' tensors.txt &&
    grep -qxF 'tensors 1: after two passes tensor([ 8., 10., 12.])' tensors.txt
result $? 'tensors, products'
solves descent && grep -q '; 0.048 is the fastest, ' descent.txt && grep -q '(0, 0): tensor(\[3.0000, 2.0000\]' descent.txt
result $? 'descent'
solves heuristics && lines heuristics 3 3 '.* ends at \(-1.000, 0\)$'
result $? 'heuristics'

# Dividing by the root of the squares makes slopes of a hundredth as good as whole ones.
[ "$(sed -nE 's/^heuristics 1: (rmsprop|adam|adamax|nadam|adagrad) .* out after +([0-9]+); .*, ([0-9]+)$/\2 \3/p' heuristics.txt |
    awk '$1 == $2' | wc -l)" -eq 5 ]
result $? 'out of a plateau that is flatter, in as many steps'

solves classifier && lines classifier 1 3 '.* [0-9]+ parameters, accuracy 0\.[0-9]{4}$' &&
    lines classifier 2 3 'lr .* accuracy 0\.[0-9]{4}$' && lines classifier 3 2 '.*: best 0\.[0-9]{4};' && has rates.png
result $? 'classifier'
# The three networks are each smaller than the one before.
sed -n 's/^classifier 1: .* \([0-9]*\) parameters.*/\1/p' classifier.txt | sort -nrc
result $? 'fewer and fewer parameters'

solves batches && lines batches 1 4 '.*0\.[0-9]{5}$' && lines batches 2 3 '.*with a rate of 0\.3' &&
    lines batches 3 3 '.*on validation [0-9.]+$' && has falling.png
result $? 'batches'
# A rate that falls ends nearer to the lowest loss than a steady one.
sed -n 's/^batches 1: .* \(0\.[0-9]*\)$/\1/p' batches.txt |
    { read -r least && read -r steady && read -r falls && awk "BEGIN { exit !($falls - $least < ($steady - $least)/100) }"; }
result $? 'one example a step, with a rate that falls, arrives'

solves losses && lines losses 1 6 '.* 0\.[0-9]{4} 0\.[0-9]{4}$' && lines losses 2 2 '.* 0\.[0-9]{4} 0\.[0-9]{4}$' &&
    lines losses 3 2 '.* folded .*0\.[0-9]{4}$' && has more-losses.png
result $? 'losses'
# What has no ReLU can be folded: nothing changes.
sed -n 's/^losses 3: trained without ReLUs \(.*\), folded \(.*\)$/\1 \2/p' losses.txt | awk '{ exit !($1 == $2) }'
result $? 'three Linears are one'

solves regularisation && lines regularisation 1 3 '.*lowest loss [0-9.]+ at epoch' && lines regularisation 2 4 '.*lowest loss' &&
    lines regularisation 3 5 '.*lowest loss' && has turning.png both.png
result $? 'regularisation'

solves convolutions && lines convolutions 1 2 '.* pixels shuffled 0' && lines convolutions 2 2 '.* 105866 parameters' &&
    lines convolutions 3 2 '.* validation 0' && lines convolutions 4 5 '.* behind all 0'
result $? 'convolutions'
# For the mlp the order of the pixels is nothing: both learn.
sed -n 's/^convolutions 1: mlp \(.*\), pixels shuffled \(.*\)$/\1 \2/p' convolutions.txt | awk '{ exit !($1 > 0.2 && $2 > 0.2) }'
result $? 'an mlp does not mind shuffled pixels'

solves autoencoder && lines autoencoder 1 6 '.*principal components 0\.[0-9]{4}$' && lines autoencoder 2 1 '.*' &&
    lines autoencoder 3 1 '.*' && has code-sizes.png random-codes.png denoising.png
result $? 'autoencoder'
# With more components the error only falls.
sed -n 's/^autoencoder 1: .* components //p' autoencoder.txt | sort -nrc
result $? 'more components, smaller errors'

solves pca && grep -q "^pca 1: the network's error" pca.txt && grep -q '^pca 1: 1 components' pca.txt &&
    lines pca 3 3 '.* degrees from the plane$' && has directions.png
result $? 'pca'
# Small weights come nearer to the plane than PyTorch's.
sed -n 's/^pca 3: .* long, \([0-9.]*\) degrees.*/\1/p' pca.txt |
    { read -r small && read -r large && awk "BEGIN { exit !($small < $large) }"; }
result $? 'descent from small weights'

solves morph && lines morph 1 1 '.*' && lines morph 2 1 '.*' && lines morph 3 1 '.*' &&
    has sevens.png sevens.gif half-way.png as-drawn.gif shortest.gif
result $? 'morph'
sed -n 's/^morph 3: \([0-9]*\) long as the digits come, \([0-9]*\) .*/\1 \2/p' morph.txt | awk '{ exit !($2 < $1) }'
result $? 'a shorter walk'
mv seven-1.png mine.png && mv seven-2.png yours.png && "$examples/solutions_morph" 1 mine.png yours.png >sevens.txt &&
    grep '^morph 1:' morph.txt | cmp -s - sevens.txt
result $? "a morph between two pictures of one's own"

"$examples/solutions_classifier" 3 >third.txt && ! grep -qv '^classifier 3:' third.txt && [ -s third.txt ]
result $? 'one exercise alone'
"$examples/solutions_classifier" 9 >none.txt 2>none.err
[ $? = 2 ] && [ ! -s none.txt ] && grep -q 'exercises 1 to 3' none.err
result $? 'one that there is not'
echo "1..$number"
