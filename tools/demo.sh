#!/bin/sh
# The main job from end to end: tools/demo.sh BUILD_FOLDER OUTPUT_FOLDER [OPTIONS of spusk train]
# Trains the classifier on MNIST where it is to be had, else on synthetic digits, then evaluates the weights from
# their file, predicts one digit, and names the files it wrote.
set -eu
spusk=$1/spusk
out=$2
shift 2

# train takes more options than the others, which must read the same data.
data='' anew=--overwrite
for word in "$@"; do
    case $word in
    --data=* | --dataset=*) data="$data $word" ;;
    --resume) anew='' ;;
    --data | --dataset) echo "demo: write $word=..., in one word" >&2 && exit 2 ;;
    esac
done

step()
{
    printf '\n$ %s\n' "$*"
    "$@"
}

# shellcheck disable=SC2086  # a list of options
{
    # A demonstration that was broken off is begun anew.
    step "$spusk" train --out "$out" $anew "$@"
    step "$spusk" eval "$out/classifier.safetensors" $data
    step "$spusk" predict "$out/classifier.safetensors" 0 $data
}
printf '\nwritten into %s:\n' "$out"
printf '    %s\n' 'classifier.safetensors   the weights, which PyTorch reads too' \
    'losses.png               the losses over the epochs' \
    'predictions.png          digits and what the network takes them for'
for file in classifier.safetensors losses.png predictions.png; do
    [ -s "$out/$file" ] || {
        echo "demo: $out/$file was not written" >&2
        exit 1
    }
done
