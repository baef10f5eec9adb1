# Autoencoders on drawn digits: train, pictures, principal components, mistakes.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

small='--dataset synthetic --limit 1200'

"$spusk" autoencode $small --epochs 2 --out run >run.txt 2>run.err
result $? 'autoencode'
[ ! -s run.err ]
result $? 'it says nothing on standard error'
grep -q '^epoch  2/2  loss 0\.[0-9]*  validation error 0\.[0-9]*  [0-9.]* s$' run.txt
result $? 'each epoch has a line'
grep -q '^final: reconstruction error 0\.[0-9]* ' run.txt
result $? 'the final error'
[ -s run/autoencoder.safetensors ] && [ -s run/losses.gp ] && [ -s run/reconstructions.png ]
result $? 'the files are there'
"$spusk" info run/autoencoder.safetensors | grep -q '(encode): Sequential'
result $? 'the file describes the network'
"$spusk" autoencode $small --epochs 2 --out again --threads 3 --workers 2 --json >again.txt 2>again.err
[ "$(grep -cE '^\{"epoch":[12],"train_loss":0\.[0-9]+,"val_error":0\.[0-9]+,"seconds":[0-9.]+,"data":"synthetic digits, [^"]*"\}$' again.txt)" = 2 ] && [ "$(wc -l <again.txt)" -eq 2 ]
result $? '--json prints one object an epoch'
cmp run/autoencoder.safetensors again/autoencoder.safetensors
result $? 'other numbers of threads and workers give the same bytes'
"$spusk" autoencode $small --epochs 1 --model conv --code 4 --out conv >conv.txt 2>&1 &&
    "$spusk" info conv/autoencoder.safetensors | grep -q 'ConvTranspose2d(32, 1, kernel_size=(4, 4)' &&
    "$spusk" morph conv/autoencoder.safetensors $small --digits 3 --steps 2 --out conv -o conv.gif | grep -q '(6 frames'
result $? 'the convolutional one, and a walk through its codes'
"$spusk" autoencode $small --epochs 1 --model conv --code 4 --threads 3 --out conv3 >conv3.txt 2>&1 &&
    cmp conv/autoencoder.safetensors conv3/autoencoder.safetensors
result $? 'other numbers of threads give the same bytes of it'
for loss in l1 bce; do
    "$spusk" autoencode $small --epochs 1 --loss $loss --code 5 --out $loss >$loss.txt 2>&1
    result $? "--loss $loss"
done
"$spusk" autoencode --dataset synthetic --limit 3000 --epochs 30 --batch-size 500 --model linear --pca --out pca >pca.txt 2>pca.err
result $? '--pca'
angle=$(sed -n 's/^angle between the two planes: \([0-9.]*\) degrees$/\1/p' pca.txt)
[ -n "$angle" ] && awk "BEGIN { exit !($angle < 30) }"
result $? "the two planes are near each other: $angle degrees"
[ -s pca/pca.safetensors ] && [ -s pca/pca-descent.safetensors ] &&
    "$spusk" info pca/pca.safetensors | grep -q 'Linear(in_features=784, out_features=2, bias=True)'
result $? 'principal components are files like others'

refuses '--code 0' 2 '--code is 0; it can be 1 to 784' autoencode --code 0
refuses '--code -1' 2 '--code is -1' autoencode --code -1
refuses '--code 785' 2 '--code is 785' autoencode --code 785
refuses '--model no' 2 "--model is 'no'; there are: ae" autoencode --model no
refuses '--loss no' 2 "--loss is 'no'; there are: mse, l1, bce" autoencode --loss no
refuses 'a loss that does not fit' 2 '--loss bce needs a network that ends in a sigmoid' autoencode --model linear --loss bce
refuses '--epochs 0' 2 '--epochs is 0' autoencode --epochs 0
refuses 'an output that cannot be written' 2 'cannot write nowhere/w.safetensors' autoencode $small -o nowhere/w.safetensors

: >stopped.txt
"$spusk" autoencode $small --epochs 100000 --out stopped >stopped.txt 2>stopped.err &
child=$!
tries=0
while [ $tries -lt 300 ] && ! grep -q '^epoch' stopped.txt; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT $child
wait $child
[ $? = 130 ] && grep -q 'stopped; saving the weights' stopped.err && [ -s stopped/autoencoder.safetensors ]
result $? 'Ctrl-C stops training and saves the weights'
echo "1..$number"
