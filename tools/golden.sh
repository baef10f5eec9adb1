#!/bin/sh
# Makes tests/golden/hashes.txt anew: what tests/test_golden.c computes on this machine, which must have every ISA
# level that the file has; and the table of hashes in docs/guide/reproducibility.md. A commit that changes hashes says
# which and why; a move or a rename changes none.
set -eu
cd "$(dirname "$0")/.."
./dev test test_golden || true # builds it; here hashes may differ
for level in $(sed -n 's/^\([a-z0-9]*\) network .*-bf16:.*/\1/p' tests/golden/hashes.txt 2>/dev/null | sort -u); do
    SPUSK_ISA=$level build/spusk info | grep -q "$level" || {
        echo "golden.sh: this machine lacks $level" >&2
        exit 1
    }
done
build/tests/test_golden --write tests/golden/hashes.txt
folder=$(mktemp -d)
(cd "$folder" && SPUSK_BUILD=$OLDPWD/build SPUSK_SOURCE=$OLDPWD sh "$OLDPWD/tests/test_same_bits.sh" --write)
rm -r "$folder"
git --no-pager diff --stat -- tests/golden docs/guide/reproducibility.md
