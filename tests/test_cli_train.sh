# The program from end to end on drawn digits: train, eval, predict, info, bench; JSON; Ctrl-C; equal runs.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

small='--dataset synthetic --limit 1200 --batch-size 32'

echo 1..43
"$spusk" train $small --epochs 3 --out run >run.txt 2>run.err
result $? 'train'
[ ! -s run.err ]
result $? 'without a terminal there is no bar'
grep -q '^epoch  3/3  loss [0-9.]*  train accuracy [0-9.]*  val accuracy [0-9.]*  [0-9.]* s$' run.txt
result $? 'each epoch has a line'
grep -q '^final: train accuracy 0\.[0-9]*, validation accuracy 0\.[0-9]*$' run.txt
result $? 'the final accuracies'
missing=''
for file in classifier.safetensors losses.gp losses.dat predictions.png; do
    [ -s "run/$file" ] || missing="$missing $file"
done
[ -z "$missing" ]
result $? "the files are there${missing:+, but not$missing}"
grep -q 'wrote run/classifier.safetensors' run.txt && grep -q 'wrote run/predictions.png' run.txt
result $? 'and are named'
if command -v gnuplot >/dev/null 2>&1; then
    [ -s run/losses.png ] && grep -q 'wrote run/losses.png' run.txt
    result $? 'the loss curve'
else
    skip 'the loss curve' 'there is no gnuplot'
fi

"$spusk" train $small --epochs 1 --loss mse --out mse >mse.txt 2>&1 && "$spusk" train $small --epochs 1 --loss l1 --out l1 >l1.txt 2>&1 &&
    ! cmp -s mse/classifier.safetensors l1/classifier.safetensors && grep -q '^final:' mse.txt
result $? '--loss mse, --loss l1'
"$spusk" train $small --epochs 1 --model logistic --out logistic >logistic.txt 2>&1 && grep -q ' 7850 parameters' logistic.txt &&
    "$spusk" eval logistic/logistic.safetensors --dataset synthetic --limit 1200 | grep -q 'of 200 right'
result $? 'logistic regression'

# --- the same again ---

"$spusk" train $small --epochs 3 --out again --threads 3 --workers 2 --json >again.txt 2>again.err
result $? 'train --json'
pattern='^\{"epoch":[123],"train_loss":[0-9.e-]+,"train_accuracy":[0-9.]+,"val_accuracy":[0-9.]+,"seconds":[0-9.]+,"data":"synthetic digits, 1200 images, seed 0"\}$'
[ "$(grep -cE "$pattern" again.txt)" = 3 ] && [ "$(wc -l <again.txt)" -eq 3 ]
result $? 'its output is one object a line for each epoch, and nothing else'
cmp run/classifier.safetensors again/classifier.safetensors
result $? 'other numbers of threads and workers give the same bytes'
"$spusk" train $small --epochs 3 --out other --seed 1 >/dev/null 2>&1
! cmp -s run/classifier.safetensors other/classifier.safetensors
result $? 'another seed gives other weights'

# --- recipes, and going on after a break ---

recipe='--model cnn --dataset synthetic --limit 192 --batch-size 32'
"$spusk" train $recipe --epochs 2 --out whole >whole.txt 2>&1 && grep -q '^schedule: one-cycle$' whole.txt &&
    grep -q '^distortions: shift,rotate$' whole.txt && [ -s whole/cnn.safetensors ]
result $? 'train --model cnn'
rm -rf broken
cp -r whole broken
"$spusk" train $recipe --epochs 2 --out broken --resume --no-train-accuracy >again.txt 2>&1 &&
    cmp whole/cnn.safetensors broken/cnn.safetensors && ! grep -q '^epoch' again.txt &&
    grep -q "^final: validation accuracy $(sed -n 's/^final:.*validation accuracy //p' whole.txt)\$" again.txt
result $? 'a run that is done is not run again'
constant="$recipe --schedule constant --optimizer sgd --lr 0.01 --augment elastic"
"$spusk" train $constant --epochs 2 --out steady >/dev/null 2>&1
"$spusk" train $constant --epochs 1 --out paused >/dev/null 2>&1
"$spusk" train $constant --epochs 2 --out paused --resume --threads 3 >again.txt 2>&1 &&
    grep -q '^going on after epoch 1 of paused/cnn.safetensors.checkpoint$' again.txt &&
    cmp steady/cnn.safetensors paused/cnn.safetensors
result $? '--resume gives the bits of a run without a break'
"$spusk" train --recipe example --dataset synthetic --limit 64 --epochs 1 --no-train-accuracy --out example >example.txt 2>&1 &&
    grep -q 'Adadelta, lr 1, batches of 64' example.txt && grep -qE '^epoch  1/1  loss [0-9.]*  val accuracy [0-9.]*  ' example.txt
result $? 'train --recipe example --no-train-accuracy'
"$spusk" train --recipe blitz --dataset synthetic --limit 3000 --out blitz >blitz.txt 2>&1 &&
    grep -q '^final: validation accuracy 0\.[6-9]' blitz.txt && ! grep -q 'train accuracy' blitz.txt
result $? 'train --recipe blitz learns'
accuracy=$(sed -n 's/^final: validation accuracy //p' example.txt)
"$spusk" eval example/example.safetensors --dataset synthetic --limit 64 | grep -q "accuracy $accuracy  "
result $? 'eval normalises images as training did'
"$spusk" predict example/example.safetensors 1 --dataset synthetic >/dev/null
result $? 'predict with a convolutional network'

# --- what the file is good for ---

accuracy=$(sed -n 's/^final:.*validation accuracy //p' run.txt)
"$spusk" eval run/classifier.safetensors --dataset synthetic --limit 1200 >eval.txt
result $? 'eval'
grep -q "accuracy $accuracy  ([0-9]* of 200 right)" eval.txt
result $? 'eval finds the accuracy that train printed'
"$spusk" eval run/classifier.safetensors --model mlp --dataset synthetic --limit 1200 --json |
    grep -qE '^\{"loss":[0-9.e-]+,"accuracy":[0-9.]+,"correct":[0-9]+,"total":200,"data":"synthetic digits, [^"]*"\}$'
result $? 'eval --model --json'
"$spusk" predict run/classifier.safetensors 5 --dataset synthetic >predict.txt
result $? 'predict INDEX'
grep -qE '^class [0-9], probability [01]\.[0-9]{4} \(it is (indeed|in fact) [0-9]\)$' predict.txt &&
    [ "$(grep -cE '^  [0-9]  [01]\.[0-9]{4}  #*$' predict.txt)" = 10 ]
result $? 'predict tells the class and ten probabilities'
[ "$(grep -c '^  .\{56\}$' predict.txt)" -ge 28 ] && grep -q '@@' predict.txt
result $? 'predict draws the digit'
"$spusk" predict run/classifier.safetensors --dataset synthetic --json |
    grep -qE '^\{"class":[0-9],"label":[0-9],"probabilities":\[([0-9.e-]+,){9}[0-9.e-]+\],"data":"synthetic digits, [^"]*"\}$'
result $? 'predict --json'
"$spusk" predict run/classifier.safetensors run/predictions.png >picture.txt && grep -q '^class [0-9], probability' picture.txt
result $? 'predict takes a picture of any size'
"$spusk" info run/classifier.safetensors >info.txt && grep -q '(0): Linear(in_features=784, out_features=256, bias=True)' info.txt &&
    grep -q '6 tensors, 235146 parameters' info.txt && grep -q '  format: pt' info.txt
result $? 'info'
"$spusk" info run/classifier.safetensors --json |
    grep -qF '{"name":"0.weight","dtype":"float32","shape":[256, 784],"elements":200704}'
result $? 'info --json'
"$spusk" info | grep -q '^instruction set: '
result $? 'info without a file'
"$spusk" bench matmul --m 100 --k 120 --n 90 --repeat 1 --json >bench.txt
grep -E '"dtype":"float64","by":"spusk"' bench.txt | grep -qE '"gflops":[0-9.e+]+,"peak_gflops":[0-9.e+]+\}$' &&
    grep -qE '"dtype":"float32","by":"spusk"' bench.txt
result $? 'bench matmul --json'
for model in mlp ae cnn convae example; do
    "$spusk" bench step --model $model --batch 16 --threads 2 --seconds 0.01 --json >bench.txt 2>/dev/null
    grep -q "\"model\":\"$model\",\"batch\":16,\"threads\":2,\"precision\":\"f32\",\"median_us\":[0-9]" bench.txt
    result $? "bench step --model $model --json"
done
"$spusk" bench step --batch 16 --precision bf16 --seconds 0.01 --json 2>/dev/null | grep -q '"precision":"bf16","median_us":[0-9]'
result $? 'bench step --precision bf16'
"$spusk" bench ops --seconds 0.01 --json >bench.txt
[ "$(grep -c '"median_us":[0-9.]*,"speed":[0-9.]*,"unit":"G' bench.txt)" -gt 20 ]
result $? 'bench ops --json'

# --- Ctrl-C ---

: >stopped.txt
"$spusk" train $small --epochs 100000 --out stopped >stopped.txt 2>stopped.err &
child=$!
tries=0
while [ $tries -lt 300 ] && ! grep -q '^epoch' stopped.txt; do
    sleep 0.1
    tries=$((tries + 1))
done
# A shell without job control starts what is in the background deaf to SIGINT; the program listens all the same.
kill -INT $child
wait $child
[ $? = 130 ] && grep -q 'stopped; saving the weights' stopped.err
result $? 'Ctrl-C stops training'
"$spusk" info stopped/classifier.safetensors | grep -q '235146 parameters'
result $? 'and the weights are saved'

# --- MNIST, or not ---

mkdir cache
env -u SPUSK_DATA HOME="$PWD/cache" XDG_CACHE_HOME="$PWD/cache" SPUSK_MIRRORS=http://127.0.0.1:9/ \
    "$spusk" train --limit 300 --epochs 1 --out fallback >fallback.txt 2>fallback.err &&
    grep -q 'no MNIST (.*); drawing synthetic digits instead' fallback.err && grep -q '^data: synthetic digits' fallback.txt
result $? 'without MNIST the digits are drawn, and it says so'
data=${SPUSK_DATA:-$SPUSK_SOURCE/../shared/data}
if [ -f "$data/mnist/train-images-idx3-ubyte.gz" ]; then
    "$spusk" train --data "$data" --limit 6000 --epochs 1 --out mnist >mnist.txt 2>mnist.err &&
        grep -q '^data: 6000 examples of MNIST' mnist.txt && grep -qE 'validation accuracy 0\.[89]' mnist.txt && [ ! -s mnist.err ]
    result $? 'an epoch of 6000 digits of MNIST'
else
    skip 'an epoch of 6000 digits of MNIST' 'there is no MNIST'
fi
