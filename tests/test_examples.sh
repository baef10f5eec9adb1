# The examples run as they stand; what the lesson's first page prints is what its comments say.
examples=$SPUSK_BUILD/examples
. "$SPUSK_SOURCE/tests/support/tap.sh"

echo 1..22
cat >expected <<'END'
tensor([5., 7., 9.])
tensor(32., grad_fn=<DotBackward0>)
DotBackward0
tensor([4., 5., 6.])
tensor([1., 2., 3.])
END
"$examples/tensors" >tensors.txt
result $? 'tensors'
cmp expected tensors.txt
result $? 'tensors prints what the lesson says'
grep -o '// [tD].*' "$SPUSK_SOURCE/examples/tensors.c" | sed 's,^// ,,' | cmp - tensors.txt
result $? 'and what its comments say'
"$examples/ownership" >ownership.txt
result $? 'ownership'
sed -n 's,^.*; *// \(tensor(.*\|[0-9].*\)$,\1,p' "$SPUSK_SOURCE/examples/ownership.c" | cmp - ownership.txt && [ -s ownership.txt ]
result $? 'ownership prints what its comments say'
"$examples/matmul" 40 50 60 >matmul.txt
result $? 'matmul'
grep -q 'agrees with the definition' matmul.txt && grep -q '^float32: .* GFLOP/s$' matmul.txt
result $? 'matmul is right'
"$examples/descent" >descent.txt
result $? 'descent'
grep -q 'at (3.000000, -1.000000) after' descent.txt &&
    [ "$(grep -c "$(sed -n 's/^formula: \(.*\)$/\1/p' descent.txt)" descent.txt)" = 2 ]
result $? 'descent arrives where the formulas are'
"$examples/optimizers" ravine 60 >optimizers.txt 2>optimizers.err
[ "$(grep -cE '^[A-Za-z]+ +ends at \(-?[0-9.]+, -?[0-9.]+\)$' optimizers.txt)" = 10 ] &&
    if command -v gnuplot >/dev/null; then [ -s optimizers.png ]; else grep -q 'gnuplot is not installed' optimizers.err; fi
result $? 'optimizers'
"$examples/batches" >batches.txt 2>batches.err
[ "$(grep -cE 'loss 0\.2[0-9]{3} after 12 epochs$' batches.txt)" = 3 ] && [ -s batches.gp ]
result $? 'batches'
"$examples/schedules" synthetic 6 2000 >schedules.txt 2>schedules.err
grep -q '^steps: 192 where the rate falls, 104 where the batch grows$' schedules.txt && [ -s schedules.gp ]
result $? 'schedules'
awk '/^ *6 / { print $NF }' schedules.txt | { read -r falls && read -r grows && awk "BEGIN { exit !($grows < 1.3 * $falls + 0.02) }"; }
result $? 'and their losses meet'
"$examples/classifier" synthetic 2 1200 >classifier.txt 2>classifier.err
grep -qE '^1 0\.[0-9]{4} 0\.[0-9]{4}$' classifier.txt
result $? 'classifier'
[ -s classifier.safetensors ] && [ -s losses.gp ] && [ -s losses.dat ]
result $? 'classifier writes its files'
[ "$(grep -c . "$SPUSK_SOURCE/examples/classifier.c")" -lt 100 ]
result $? 'classifier is one page'
"$examples/cnn" synthetic 1 300 >cnn.txt && grep -qE '^0 0\.[0-9]{4}$' cnn.txt && [ -s cnn.safetensors ]
result $? 'cnn'
"$examples/autoencoder" synthetic 1 600 >autoencoder.txt && grep -q '^Autoencoder($' autoencoder.txt &&
    grep -qE '^0 0\.[0-9]{4}$' autoencoder.txt && [ -s reconstructions.png ] && [ -s autoencoder.safetensors ]
result $? 'autoencoder'
long=$(wc -l "$SPUSK_SOURCE"/examples/*.c | awk '$2 != "total" && $1 > ($2 ~ /solutions/ ? 200 : 150) { print $2 }')
[ -z "$long" ]
result $? "no example is longer than 150 lines, no solutions than 200${long:+, but $long}"
! grep -h '^#include' "$SPUSK_SOURCE"/examples/*.c | grep -vE '<spusk/spusk.h>|<(stdio|stdlib|string|math|time)\.h>'
result $? 'examples need one header'

# README's program, too: it compiles without a warning and prints what its comments say.
sed -n '/^```c$/,/^```$/p' "$SPUSK_SOURCE/README.md" | sed '/^```/d' >readme.c
sanitize=$(sed -n 's/^SPUSK_SANITIZE:[A-Z]*=//p' "$SPUSK_BUILD/CMakeCache.txt")
"${CC:-cc}" -Wall -Wextra -Wpedantic -Werror ${sanitize:+-fsanitize=$sanitize} -I "$SPUSK_SOURCE/include" readme.c -o readme \
    -L "$SPUSK_BUILD" -lspusk
result $? "README's program compiles"
LD_LIBRARY_PATH=$SPUSK_BUILD ./readme >readme.txt &&
    sed -n 's,^.*; *// \(tensor(.*\)$,\1,p' readme.c | cmp - readme.txt && [ -s readme.txt ]
result $? 'and prints what its comments say'
