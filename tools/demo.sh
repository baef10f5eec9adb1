#!/bin/sh
# Trains the classifier and shows what it learned: tools/demo.sh BUILD_FOLDER OUTPUT_FOLDER [OPTIONS of spusk train]
set -eu

spusk=$1/spusk out=$2
shift 2
mkdir -p "$out"

echo "== spusk train"
"$spusk" train --out "$out" "$@"

# What train fell back to is what eval and predict are shown: without MNIST, drawn digits.
dataset=mnist
"$spusk" eval "$out/classifier.safetensors" >"$out/eval.txt" 2>/dev/null || dataset=synthetic

echo "== spusk eval $out/classifier.safetensors"
"$spusk" eval "$out/classifier.safetensors" --dataset "$dataset"

echo "== spusk predict $out/classifier.safetensors 0"
"$spusk" predict "$out/classifier.safetensors" 0 --dataset "$dataset"
rm -f "$out/eval.txt"

echo "== files"
for file in classifier.safetensors losses.png predictions.png; do
    [ -f "$out/$file" ] && echo "$out/$file"
done
