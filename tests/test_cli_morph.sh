# The plane of codes and walks through it, of autoencoders trained on drawn digits.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

small='--dataset synthetic --limit 600'
"$spusk" autoencode $small --epochs 1 --out two >two.txt 2>&1 &&
    "$spusk" autoencode $small --epochs 1 --code 3 --out three >three.txt 2>&1
result $? 'two autoencoders'
"$spusk" train $small --epochs 1 --out classifier >classifier.txt 2>&1
file=two/autoencoder.safetensors

# --- scatter ---

if command -v gnuplot >/dev/null 2>&1; then
    "$spusk" scatter $file $small --grid 7 --out plane >scatter.txt 2>scatter.err && [ ! -s scatter.err ] &&
        grep -q 'wrote plane/scatter.png (100 digits)' scatter.txt && [ -s plane/scatter.png ] && [ -s plane/code-grid.png ]
    result $? 'scatter'
    "$spusk" autoencode $small --epochs 1 --pca --model linear --out pca >pca.txt 2>&1 && [ -s pca/pca.png ] &&
        "$spusk" scatter pca/pca.safetensors $small --out pca >pca.txt 2>&1
    result $? 'principal components lie in a plane, too'
else
    skip 'scatter' 'there is no gnuplot'
    skip 'principal components lie in a plane, too' 'there is no gnuplot'
fi
PATH=/nowhere "$spusk" scatter $file $small --out poor >poor.txt 2>poor.err
[ $? = 1 ] && grep -q gnuplot poor.err && [ -s poor/code-grid.png ] && [ -s poor/scatter.gp ]
result $? 'without gnuplot it says so, and the rest is there'
refuses 'codes of three numbers' 1 'have 3 numbers; only codes of 2 lie in a plane' scatter three/autoencoder.safetensors $small
refuses 'a classifier' 1 'is no autoencoder, as spusk autoencode makes them' scatter classifier/classifier.safetensors $small
"$SPUSK_BUILD/spusk" train $small --model logistic --epochs 1 --out classifier >/dev/null 2>&1
refuses 'logistic regression' 1 'is no autoencoder' scatter classifier/logistic.safetensors $small
refuses '--grid 1' 2 '--grid is 1' scatter $file --grid 1
refuses 'no file' 2 'it needs FILE' scatter
refuses 'a file that is not there' 1 'No such file' scatter absent.safetensors

refuses 'eval of an autoencoder' 1 'is an autoencoder, which tells no classes' eval $file --dataset synthetic --limit 60
refuses 'predict with an autoencoder' 1 'is an autoencoder, which tells no classes' predict $file 3 --dataset synthetic

# --- morph ---

"$spusk" morph $file $small --digits 3 --steps 4 -o loop.gif >morph.txt 2>morph.err && [ ! -s morph.err ] &&
    grep -q '^wrote loop.gif (12 frames, 0.6 s)$' morph.txt
result $? 'a morph through three digits has their steps, and none twice'
"$spusk" morph three/autoencoder.safetensors $small --classes 1,7,1 --steps 2 --spherical --fps 10 --scale 1 -o classes.gif |
    grep -q '(6 frames, 0.6 s)'
result $? 'digits of chosen classes'
"$spusk" morph $file $small --indices 5,6 --steps 3 -o a.gif >/dev/null && "$spusk" morph $file $small --indices 5,6 --steps 3 -o b.gif --threads 2 >/dev/null &&
    cmp a.gif b.gif
result $? 'the same digits give the same bytes'
"$spusk" morph $file $small --digits 4 --seed 1 -o a.gif >/dev/null && "$spusk" morph $file $small --digits 4 --seed 2 -o b.gif >/dev/null && ! cmp -s a.gif b.gif
result $? 'another seed chooses other digits'
if command -v ffmpeg >/dev/null 2>&1; then
    "$spusk" morph $file $small --digits 3 --steps 4 --out all >all.txt 2>all.err && [ ! -s all.err ] &&
        [ -s all/morph.gif ] && [ -s all/morph.mp4 ] && grep -q '<video' all/morph.html
    result $? 'GIF, MP4 and a page'
else
    skip 'GIF, MP4 and a page' 'there is no ffmpeg'
fi
PATH=/nowhere "$spusk" morph $file $small --digits 3 --steps 4 --out poor >poor.txt 2>poor.err
[ $? = 0 ] && grep -q ffmpeg poor.err && [ -s poor/morph.gif ] && [ ! -e poor/morph.mp4 ]
result $? 'without ffmpeg it says so, and the GIF is there'
PATH=/nowhere "$spusk" morph $file $small --digits 3 -o poor.mp4 >poor.txt 2>poor.err
[ $? = 1 ] && grep -q ffmpeg poor.err && [ ! -e poor.mp4 ]
result $? 'a movie that was asked for and cannot be made is a failure'
refuses 'a morph of one digit' 2 'a morph of one digit stands still' morph $file --digits 1
refuses 'of one index' 2 'a morph of one digit stands still' morph $file $small --indices 5
refuses '--digits 0' 2 '--digits is 0' morph $file --digits 0
refuses 'more digits than there are' 2 '--digits is 101; it can be 2 to 100' morph $file $small --digits 101
refuses '--steps 0' 2 '--steps is 0' morph $file --steps 0
refuses '--fps 0' 2 '--fps is 0' morph $file --fps 0
refuses 'both ways to choose' 2 'give one of them' morph $file --indices 1,2 --classes 3,4
refuses 'a list that is none' 2 "it is numbers with commas between" morph $file $small --indices 1,two
refuses 'a list that ends early' 2 "it is numbers with commas between" morph $file $small --indices 1,
refuses 'an index beyond the data' 2 '--indices is 100; it can be 0 to 99' morph $file $small --indices 1,100
refuses 'a class that there is not' 2 'there is no 12 among the digits' morph $file $small --classes 1,12
refuses 'a movie of no known kind' 1 '.gif' morph $file $small -o loop.avi
refuses 'a classifier' 1 'is no autoencoder, as spusk autoencode makes them' morph classifier/classifier.safetensors $small
echo "1..$number"
