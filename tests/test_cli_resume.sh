# Checkpoints of spusk train: going on, what contradicts them, what they survive; signals.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

small='train --dataset synthetic --limit 600 --batch-size 32'

# await FILE WORDS: until the program has printed them.
await()
{
    tries=0
    while [ $tries -lt 300 ] && ! grep -q "$2" "$1"; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# stop NAME SIGNAL WORDS OPTION...: trains until it prints WORDS, then sends the signal; leaves the status in `status`.
stop()
{
    name=$1 signal=$2 words=$3
    shift 3
    : >"$name.txt"
    "$spusk" "$@" --out "$name" >"$name.txt" 2>"$name.err" &
    child=$!
    await "$name.txt" "$words"
    kill "-$signal" $child
    wait $child
    status=$?
}

# --- twice in one folder ---

"$spusk" $small --epochs 1 --out twice >/dev/null 2>twice.err && [ ! -s twice.err ] &&
    "$spusk" $small --epochs 1 --out twice >/dev/null 2>twice.err &&
    grep -q 'writing over twice/classifier.safetensors and its checkpoint, of a run that was done' twice.err
result $? 'a run that is done may be written over, which is said'
stop halted INT '^epoch' $small --epochs 100000
[ $status = 130 ] && grep -q '^wrote halted/classifier.safetensors.checkpoint (to go on with, by --resume)$' halted.txt
result $? 'Ctrl-C leaves a checkpoint'
cp halted/classifier.safetensors.checkpoint kept
refuses 'one that stopped may not' 2 'is of a run that stopped after epoch' $small --epochs 1 --out halted
cmp -s kept halted/classifier.safetensors.checkpoint
result $? 'and its checkpoint is as it was'
refuses '--resume with --overwrite' 2 'give one of them' $small --resume --overwrite --out halted
"$spusk" $small --epochs 1 --overwrite --out halted >/dev/null 2>&1 && ! cmp -s kept halted/classifier.safetensors.checkpoint
result $? '--overwrite gives it up'
mkdir strange
echo something >strange/classifier.safetensors.checkpoint
refuses 'what is no checkpoint is not written over either' 2 'does not say which run it is of' $small --epochs 1 --out strange

# --- what contradicts the checkpoint ---

"$spusk" $small --epochs 1 --out run >/dev/null 2>&1
for wrong in '--lr 0.1' '--seed 3' '--optimizer sgd' '--batch-size 16' '--limit 300' '--loss mse' '--augment shift' \
    '--precision bf16' '--schedule one-cycle' '--recipe logistic --output run/classifier.safetensors'; do
    option=${wrong%% *}
    refuses "--resume $wrong" 2 "$option is '" $small --epochs 3 --out run --resume $wrong
done
# popt drops the value of an option that is given twice, which the leak sanitizer sees.
refuses '--resume --dataset fashion' 2 "--dataset is '" $(echo "$small" | sed 's/--dataset synthetic/--dataset fashion/') --epochs 3 \
    --out run --resume
"$spusk" $small --epochs 2 --resume --out run >run.txt 2>&1 && grep -q '^epoch  2/2' run.txt && ! grep -q '^epoch  1/2' run.txt
result $? 'more epochs do not, at a constant rate'
"$spusk" $small --epochs 1 --schedule one-cycle --out cycle >/dev/null 2>&1
refuses 'but they do in one cycle, from the start' 2 '--epochs is 2, but the run of cycle/classifier.safetensors.checkpoint is one cycle of 1' \
    $small --epochs 2 --schedule one-cycle --resume --out cycle
refuses 'a checkpoint is no weights file' 1 'is a checkpoint, to go on with by spusk train --resume' eval run/classifier.safetensors.checkpoint

# --- numbers that lie ---

for epoch in -1 5 2147483647 4294967296 9223372036854775807; do
    python3 - run/classifier.safetensors.checkpoint $epoch <<'END'
import json, struct, sys
with open(sys.argv[1], "rb") as file:
    data = bytearray(file.read())
size = struct.unpack("<Q", data[:8])[0]
start = 8 + size + json.loads(data[8 : 8 + size])["training"]["data_offsets"][0]
data[start : start + 8] = struct.pack("<q", int(sys.argv[2]))
with open("lying.checkpoint", "wb") as file:
    file.write(data)
END
    refuses "a checkpoint of epoch $epoch" 1 "epoch $epoch" $small --epochs 3 --resume -o lying
done
[ ! -e lying ]
result $? 'and no weights are written for it'

# --- a disk that is full for the checkpoint, but not for the weights (0.9 and 2.8 MB; a block has 512 or 1024 bytes) ---

(
    ulimit -f 2000
    exec "$spusk" $small --epochs 2 --out full >full.txt 2>full.err
)
[ $? = 0 ] && [ "$(grep -c '^epoch' full.txt)" = 2 ] && [ "$(wc -l <full.err)" -eq 1 ] &&
    grep -q 'no checkpoint after epoch 1 (.*File too large.*); the training goes on' full.err && ! grep -q 'wrote.*checkpoint' full.txt
result $? 'training goes on without a checkpoint'
"$spusk" eval full/classifier.safetensors --dataset synthetic --limit 600 >/dev/null
result $? 'and its weights are there'

# --- signals ---

stop early INT '^network' train --dataset synthetic --epochs 2
[ $status = 130 ] && grep -q 'no epoch was finished, so there is no checkpoint' early.err && ! grep -q 'wrote.*checkpoint' early.txt &&
    [ ! -e early/classifier.safetensors.checkpoint ] && [ -s early/classifier.safetensors ]
result $? 'a checkpoint that there is not is not named'
stop hangup HUP '^epoch' $small --epochs 100000
[ $status = 130 ] && grep -q 'saving the weights' hangup.err && [ -s hangup/classifier.safetensors ]
result $? 'a terminal that closes ends training as Ctrl-C does'
(
    trap '' HUP
    stop nohup HUP '^epoch' $small --epochs 20
    [ $status = 0 ] && grep -q '^epoch 20/20' nohup.txt
)
result $? 'unless the program was told not to care'
stop ae HUP '^epoch' autoencode --dataset synthetic --limit 600 --epochs 100000
[ $status = 130 ] && [ -s ae/autoencoder.safetensors ]
result $? 'and autoencode'
"$spusk" $small --epochs 3 --out pipe 2>pipe.err | head -n 1 >/dev/null
"$spusk" eval pipe/classifier.safetensors --dataset synthetic --limit 600 >/dev/null
result $? 'a reader that ends does not end training'
echo "1..$number"
