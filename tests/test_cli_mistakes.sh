# Mistakes: each is one line on standard error, an exit status that is not 0, and no work done before.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

train='train --dataset synthetic --limit 60 --epochs 1'

refuses 'a command that there is not' 2 "no command 'trian'" trian
refuses 'an option that there is not' 2 'unknown option' train --epoch 3
refuses 'an option without its value' 2 'missing argument' train --epochs
refuses 'a number that is none' 2 'invalid numeric value' train --epochs many
for option in '--lr abc' '--lr=abc' '--epochs 1.5' '--limit 1e3' '--seed x' '--threads two' '--workers 1,5'; do
    refuses "$option" 2 "$option: invalid numeric value" train $option
done
refuses '--epochs 99999999999' 2 '--epochs 99999999999: number too large' train --epochs 99999999999
refuses '--fps abc' 2 '--fps abc: invalid numeric value' morph file --fps abc
refuses '--clip abc' 2 '--clip abc: invalid numeric value' descent --clip abc
refuses '--seed without a digit' 2 '--seed: invalid numeric value: it is empty' train --seed ''
refuses '--lr= without a digit' 2 '--lr: invalid numeric value: it is empty' train --lr=
refuses 'a word too much' 2 "what should 'now' be" train now
refuses 'a word too few' 2 'it needs FILE' eval
refuses '--epochs 0' 2 '--epochs is 0; it can be 1 to' train --epochs 0
refuses '--epochs -3' 2 '--epochs is -3' train --epochs -3
refuses '--lr 0' 2 '--lr is 0' train --lr 0
refuses '--lr nan' 2 '--lr is nan' train --lr nan
refuses '--lr -1' 2 '--lr is -1' train --lr -1
refuses '--batch-size 0' 2 '--batch-size is 0' train --batch-size 0
refuses '--workers -1' 2 '--workers is -1' train --workers -1
refuses '--limit -1' 2 '--limit is -1' train --limit -1
refuses '--threads 0' 2 '--threads is 0; it can be 1 to 1024' train --threads 0
refuses '--threads 5000' 2 '--threads is 5000' train --threads 5000
refuses '--seed -1' 2 '--seed is -1' train --seed -1
refuses '--device gpu' 2 "--device is 'gpu'" train --device gpu
refuses '--model no' 2 "--model is 'no'; there are: mlp, cnn, example, logistic" train --model no
! grep -q 'ae' err.txt
result $? 'and no network is offered that is then refused'
refuses 'eval --model ae' 2 "--model is 'ae'; there are: mlp" eval file --model ae
refuses 'a name with an escape sequence' 2 "--model is '\\x1b[2J'" train --model "$(printf '\033[2J')"
refuses '--loss no' 2 "--loss is 'no'; there are: nll, mse, l1" train --loss no
refuses '--recipe no' 2 'there is no recipe "no"; there are: mlp, cnn' train --recipe no
refuses 'a recipe for another network' 2 'the recipe fast is for the network cnn, not mlp' train --recipe fast --model mlp
refuses '--optimizer no' 2 'there is no optimiser "no"' train --optimizer no
refuses '--schedule no' 2 'there is no schedule "no"' train --schedule no
refuses '--augment no' 2 'there is no distortion "no"' train --augment no
refuses 'an autoencoder is not a classifier' 2 'spusk autoencode trains it' train --model ae
refuses '--resume without a checkpoint' 1 'classifier.safetensors.checkpoint' $train --resume
refuses '--dataset no' 2 "--dataset is 'no'; there are: mnist" train --dataset no
refuses '--data that is not there' 2 'which is not a folder' train --data nowhere
refuses 'a bench that there is not' 2 "the bench is 'speed'; there are: matmul, step" bench speed
refuses 'a network that bench does not have' 2 "--model is 'no'; there are: mlp" bench step --model no
refuses 'bench --batch 0' 2 '--batch is 0' bench step --batch 0
refuses 'bench --epochs 0' 2 '--epochs is 0' bench lesson --epochs 0
refuses 'train --precision f8' 2 "--precision is 'f8'; there are: f32, bf16" train --precision f8
refuses 'bench --precision f8' 2 "--precision is 'f8'" bench step --precision f8
refuses 'bench --m 0' 2 '--m is 0' bench matmul --m 0

# Unwritable outputs, found before any training: standard output stays empty.
: >file
refuses '--out that is a file' 2 '--out' $train --out file
refuses '--out below a file' 2 '--out' $train --out file/below
[ ! -s out.txt ]
result $? 'nothing was trained for it'
refuses '-o in no folder' 2 'cannot write nowhere/w.safetensors: No such file or directory' $train -o nowhere/w.safetensors
mkdir folder
refuses '-o that is a folder' 2 'cannot write ./folder: Is a directory' $train -o ./folder
if [ "$(id -u)" = 0 ]; then
    skip '--out that may not be written' 'root may write everywhere'
else
    mkdir -m 500 locked
    refuses '--out that may not be written' 2 'Permission denied' $train --out locked
fi

# A full disk, found only when the weights are written.
if [ -w /dev/full ]; then
    refuses 'a full disk' 1 'cannot write /dev/full: No space left on device' $train -o /dev/full
    [ -c /dev/full ]
    result $? 'the device is still one'
    [ ! -e /dev/full.checkpoint ]
    result $? 'and has no checkpoint beside it'
    "$spusk" train --dataset synthetic --limit 60 --epochs 1 --json --out full >/dev/full 2>err.txt
    [ $? = 1 ] && grep -q 'cannot write to standard output' err.txt
    result $? 'standard output on a full disk'
else
    for name in 'a full disk' 'the device is still one' 'and has no checkpoint beside it' 'standard output on a full disk'; do
        skip "$name" 'there is no /dev/full'
    done
fi
# The weights of a former run survive one that cannot write its own: no file may have more than 100 blocks.
mkdir kept
"$spusk" $train --out kept >/dev/null 2>&1
cp kept/classifier.safetensors before
(
    ulimit -f 100
    exec "$spusk" $train --out kept --seed 5 >/dev/null 2>err.txt
)
[ $? = 1 ] && cmp -s kept/classifier.safetensors before && grep -q 'File too large' err.txt && [ -z "$(find kept -name '.spusk*')" ]
result $? 'a failed run leaves the old weights and no other file'

# Files that are not what they should be.
head -c 1000 kept/classifier.safetensors >cut.safetensors
printf 'no weights' >text
refuses 'a weights file cut short' 1 'is not a right safetensors file' eval cut.safetensors --dataset synthetic
refuses 'a weights file that is none' 1 'is not a right safetensors file' info text
refuses 'a weights file that is not there' 1 'No such file' predict absent.safetensors
refuses 'weights without a description' 1 'name it with --model' eval \
    "$SPUSK_SOURCE/tests/fixtures/safetensors/reference.safetensors"
refuses 'weights of another network' 1 'weight' eval --model mlp \
    "$SPUSK_SOURCE/tests/fixtures/safetensors/reference.safetensors"
refuses 'a picture that is none' 1 'text is not a right PNG file' predict kept/classifier.safetensors text
refuses 'an index beyond the data' 2 'INDEX is 10000; it can be 0 to 9999' predict kept/classifier.safetensors 10000 \
    --dataset synthetic
"$spusk" --help | grep -q '^usage: spusk COMMAND' && "$spusk" eval --help | grep -q -- '--dataset=NAME' &&
    "$spusk" --version | grep -qE '^spusk [0-9]+\.[0-9]+\.[0-9]+$'
result $? 'help and version'
echo "1..$number"
