# Who includes whom, and whether the script that checks it notices anything.
check=$SPUSK_SOURCE/tools/check_includes.sh
. "$SPUSK_SOURCE/tests/support/tap.sh"

# refuses NAME FILE LINE: a tree with this line in this file is refused.
refuses()
{
    rm -rf tree
    mkdir -p "tree/$(dirname "$2")"
    printf '%s\n' "$3" >"tree/$2"
    ! sh "$check" tree >/dev/null
    result $? "$1"
}

allows()
{
    rm -rf tree
    mkdir -p "tree/$(dirname "$2")"
    printf '%s\n' "$3" >"tree/$2"
    sh "$check" tree
    result $? "$1"
}

echo 1..11
sh "$check" "$SPUSK_SOURCE"
result $? 'the project keeps to its layers'
refuses 'base including tensor' src/base/a.c '#include "tensor/tensor.h"'
refuses 'a kernel including a tensor' src/backends/cpu/a.c '#include <spusk/tensor.h>'
refuses 'tensor including ops' src/tensor/a.c '#include "ops/ops.h"'
refuses 'nn including a private header' src/nn/a.c '#include "tensor/tensor.h"'
refuses 'an example including more than spusk.h' examples/a.c '#include <spusk/tensor.h>'
refuses 'a public header including a private one' include/spusk/a.h '#include "base/base.h"'
refuses 'an instruction set outside the kernels' src/ops/a.c '#ifdef __AVX2__'
allows 'ops including tensor' src/ops/a.c '#include "tensor/tensor.h"'
allows 'nn including its own header and a public one' src/nn/a.c '#include "own.h"
#include <spusk/nn.h>'
allows 'an instruction set in the kernels' src/backends/cpu/a.c '#ifdef __AVX2__'
