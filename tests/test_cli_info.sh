# spusk info on files that others made: heads alone are read, however large the file; many tensors, keys and options
# take time in proportion; nothing in a file moves the terminal's cursor. Memory and time are bounded from outside.
spusk=$SPUSK_BUILD/spusk
. "$SPUSK_SOURCE/tests/support/tap.sh"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# head FILE: the head that stands on standard input, with its length before it.
head_of()
{
    cat >head.json
    n=$(wc -c <head.json)
    for i in 1 2 3 4 5 6 7 8; do
        printf "\\$(printf %03o $((n % 256)))"
        n=$((n / 256))
    done >"$1"
    cat head.json >>"$1"
}

# bounded COMMAND…: in 2 GB of memory and a minute. The sanitizers take more addresses than that.
bounded()
{
    case $SPUSK_BUILD in
    *asan | *tsan) timeout 300 "$@" ;;
    *) (ulimit -v 2000000 && timeout 60 "$@") ;;
    esac
}

if "$spusk" info | grep -q jansson; then
    echo 1..8
else
    echo '1..0 # SKIP this build has no jansson'
    exit 0
fi

echo '{"x":{"dtype":"F32","shape":[2684354560],"data_offsets":[0,10737418240]}}' | head_of large.safetensors
if truncate -s $((10737418240 + $(wc -c <large.safetensors))) large.safetensors 2>err.txt; then
    bounded "$spusk" info large.safetensors >out.txt && grep -q '1 tensors, 2684354560 parameters' out.txt
    result $? 'a file of 10 GB'
    bounded "$spusk" info --json large.safetensors >out.txt && grep -q '"bytes":10737418240' out.txt
    result $? 'a file of 10 GB, as JSON'
    rm large.safetensors
else
    skip 'a file of 10 GB' 'no sparse file of 10 GB can be made'
    skip 'a file of 10 GB, as JSON' 'no sparse file of 10 GB can be made'
fi

awk 'BEGIN {
    printf "{"
    for (i = 0; i < 300000; i++) printf "%s\"t%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i ? "," : "", i
    printf "}" }' | head_of many.safetensors
bounded "$spusk" info many.safetensors >out.txt && grep -q '^300000 tensors' out.txt
result $? 'three hundred thousand tensors'

awk 'BEGIN {
    printf "{\"__metadata__\":{"
    for (i = 0; i < 300000; i++) printf "%s\"k%d\":\"v\"", i ? "," : "", i
    printf "}}" }' | head_of keys.safetensors
bounded "$spusk" info keys.safetensors >out.txt && [ "$(grep -c '^  k[0-9]*: v$' out.txt)" = 300000 ]
result $? 'three hundred thousand keys'

awk 'BEGIN {
    printf "{\"__metadata__\":{\"spusk.model\":\"{\\\"type\\\":\\\"Sequential\\\",\\\"children\\\":["
    for (i = 0; i < 200000; i++) printf "%s{\\\"name\\\":\\\"%d\\\",\\\"type\\\":\\\"ReLU\\\"}", i ? "," : "", i
    printf "]}\"}}" }' | head_of children.safetensors
bounded "$spusk" info children.safetensors >out.txt && [ "$(grep -c ': ReLU()$' out.txt)" = 200000 ]
result $? 'a Sequential of two hundred thousand'

awk 'BEGIN {
    printf "{\"__metadata__\":{\"spusk.model\":\"{\\\"type\\\":\\\"Mine\\\",\\\"options\\\":{"
    for (i = 0; i < 200000; i++) printf "%s\\\"o%d\\\":1", i ? "," : "", i
    printf "},\\\"children\\\":[{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"ReLU\\\"}]}\"}}" }' | head_of options.safetensors
bounded "$spusk" info options.safetensors >out.txt && grep -q 'o199999=1' out.txt
result $? 'two hundred thousand options'

# ESC as JSON writes it, and as UTF-8's C1.
printf '%s' '{"__metadata__":{"key\u001b[2J":"value\u009b31m\u202e\r","spusk.model":"{\"type\":\"Net\\u001b[31m\",\"children\":[{\"name\":\"a\",\"type\":\"ReLU\"}]}"},' \
    '"t\u001b]0;x\u0007":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' | head_of escapes.safetensors
"$spusk" info escapes.safetensors >out.txt && grep -qF 'Net\x1b[31m(' out.txt && grep -qF 't\x1b]0;x\x07' out.txt &&
    grep -qF 'key\x1b[2J: value\u009b31m\u202e\x0d' out.txt && ! LC_ALL=C grep -q "$(printf '[\033\007\015\302]')" out.txt
result $? 'escape sequences'
"$spusk" info --json escapes.safetensors >out.txt && grep -qF '"name":"t\u001b]0;x\u0007"' out.txt &&
    grep -qF '"key\u001b[2J":"value\u009b31m\u202e\u000d"' out.txt
result $? 'escape sequences, as JSON'
