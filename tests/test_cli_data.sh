# What the commands take for MNIST: only what is absent is absent, and figures say what they are of.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"
unset SPUSK_DATA
HOME=$PWD/home XDG_CACHE_HOME=$PWD/cache SPUSK_MIRRORS=http://127.0.0.1:9/
export HOME XDG_CACHE_HOME SPUSK_MIRRORS

# set FOLDER: a little MNIST of 60 digits a half, all alike.
set_of_digits()
{
    mkdir -p "$1"
    python3 - "$1" <<'END'
import struct, sys
for name in "train", "t10k":
    with open(f"{sys.argv[1]}/{name}-images-idx3-ubyte", "wb") as file:
        file.write(struct.pack(">4I", 0x803, 60, 28, 28) + bytes(i % 256 for i in range(60 * 784)))
    with open(f"{sys.argv[1]}/{name}-labels-idx1-ubyte", "wb") as file:
        file.write(struct.pack(">2I", 0x801, 60) + bytes(i % 10 for i in range(60)))
END
}
small='--limit 60 --epochs 1 --batch-size 30 --json'
weights=run/classifier.safetensors

"$spusk" train $small --out run >run.txt 2>run.err && grep -q '"data":"synthetic digits, 60 images, seed 0"}$' run.txt &&
    grep -q 'no MNIST (.*); drawing synthetic digits instead' run.err
result $? 'nothing named and nothing found: drawn digits, and the figures say so'
"$spusk" eval $weights --limit 60 --json 2>/dev/null | grep -q '"data":"synthetic digits, 10 images, seed 0, test"}$'
result $? 'those of eval'
"$spusk" predict $weights 3 --json 2>/dev/null | grep -q '"data":"synthetic digits, 10000 images, seed 0, test"}$'
result $? 'of predict'
"$spusk" autoencode $small --pca --out ae 2>/dev/null >ae.txt && [ "$(grep -c '"data":"synthetic digits, 60 images, seed 0"}$' ae.txt)" = 2 ]
result $? 'of autoencode, and of its comparison'
"$spusk" bench step --batch 16 --seconds 0.01 --json 2>/dev/null | grep -q '"data":"synthetic digits, 8192 images, seed 0"'
result $? 'of bench'

set_of_digits good
"$spusk" eval $weights --data good --json >eval.txt 2>eval.err && [ ! -s eval.err ] &&
    grep -q '"data":"\(unrecognised data under the names of \)\?MNIST, 60 images, good' eval.txt
result $? '--data'
SPUSK_DATA=good "$spusk" eval $weights --json | grep -q 'MNIST, 60 images, good'
result $? 'SPUSK_DATA'
if "$spusk" info | grep -q libcrypto; then
    grep -q "unrecognised data under the names of MNIST, 60 images, good (the checksums of its images and labels are others)" eval.txt
    result $? 'other data under the names of MNIST are not called MNIST'
else
    skip 'other data under the names of MNIST are not called MNIST' 'this build has no libcrypto'
fi

# --- a folder that was named serves, or it is an error ---

mkdir empty
refuses '--data without a data set' 1 'MNIST is not in empty/mnist, empty/MNIST/raw, empty; that folder was named' eval $weights --data empty
SPUSK_DATA=$PWD/good refuses 'which SPUSK_DATA does not make good' 1 'that folder was named' eval $weights --data empty
SPUSK_DATA=$PWD/nowhere refuses 'SPUSK_DATA that is not there' 1 'SPUSK_DATA names that folder' train $small --out never
[ ! -e never/classifier.safetensors ]
result $? 'and nothing is trained on something else'
for half in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    rm -rf part
    cp -r good part
    rm "part/$half-ubyte"
    refuses "a data set without its $half" 1 "has no $half-ubyte.gz beside it" train $small --data part --out never
done
cp -r good part
rm part/t10k*
refuses 'a data set without its test half' 1 'has no t10k-images-idx3-ubyte.gz beside it' eval $weights --data part

# --- what cannot be read, in the cache too ---

images=cache/spusk/mnist/t10k-images-idx3-ubyte
spoilt()
{
    rm -rf cache
    set_of_digits cache/spusk/mnist
    rm "$images"
}
spoilt
mkfifo "$images"
refuses 'a pipe in the place of the images' 1 "$images: is not a regular file" eval $weights --json
spoilt
mkdir "$images"
refuses 'a folder there' 1 "$images: is not a regular file" eval $weights
spoilt
ln -s nowhere "$images"
refuses 'a broken link' 1 "$images: is a broken link" train $small --out never
spoilt
if [ -r /proc/self/mem ]; then
    ln -s /proc/self/mem "$images"
    refuses 'a file whose reading fails' 1 "$images: cannot be read: Input/output error" eval $weights
else
    skip 'a file whose reading fails' 'there is no /proc/self/mem'
fi
spoilt
refuses 'half a data set in the cache' 1 'MNIST is not whole in' eval $weights
spoilt
rm -r cache/spusk/mnist
ln -s /not/there cache/spusk/mnist
refuses 'a cache on a disk that is not there' 1 'cache/spusk/mnist: is a broken link' scatter ae/autoencoder.safetensors
echo "1..$number"
