# Who includes whom, and whether the script that checks it finds what it must find. Trees are made up here.
check=$SPUSK_SOURCE/tools/check_includes.sh
. "$SPUSK_SOURCE/tests/support/tap.sh"

# plant FILE LINES…: a tree of these files, each with its lines.
plant()
{
    rm -rf tree
    while [ $# -gt 0 ]; do
        mkdir -p "tree/$(dirname "$1")"
        printf '%s\n' "$2" >"tree/$1"
        shift 2
    done
}

# refuses NAME WORDS FILE LINES…: the script refuses the tree and prints a line with these words.
refuses()
{
    name=$1 words=$2
    shift 2
    plant "$@"
    if said=$(sh "$check" tree); then
        result 1 "$name: nothing was refused"
    else
        printf '%s\n' "$said" | grep -qF -e "$words"
        result $? "$name"
    fi
}

# allows NAME FILE LINES…
allows()
{
    name=$1
    shift
    plant "$@"
    sh "$check" tree
    result $? "$name"
}

tensor='#include <spusk/tensor.h>'

echo 1..36
sh "$check" "$SPUSK_SOURCE"
result $? 'the project keeps to its layers'

# ---- in one step ----
refuses 'base includes tensor' 'src/base/a.c:1 -> src/tensor/tensor.h: src/base may not include tensor/' \
    src/base/a.c '#include "tensor/tensor.h"'
refuses 'base includes tensor in angle brackets' 'private headers are included as' \
    src/base/a.c '#include <tensor/tensor.h>'
refuses 'a name that a macro makes' 'cannot be followed' src/base/a.c '#include HEADER'
refuses 'a tree without sources' 'there are no sources' other/a.c ''
refuses 'a kernel includes a tensor' 'src/backends/cpu/a.c:1 -> include/spusk/tensor.h: src/backends knows no tensors' \
    src/backends/cpu/a.c "$tensor"
refuses 'tensor includes ops' 'src/tensor may not include ops/' src/tensor/a.c '#include "ops/ops.h"'
refuses 'ops includes fusion' 'src/ops may not include fusion/' src/ops/a.c '#include "fusion/fusion.h"'
refuses 'nn includes a private header' 'src/nn may not include tensor/' src/nn/a.c '#include "tensor/tensor.h"'
refuses 'optim includes a private header of nn' 'src/optim may not include nn/' src/optim/a.c '#include "nn/layer.h"'
refuses 'an operator includes modules' 'src/ops knows no modules' src/ops/a.c '#include <spusk/nn.h>'
refuses 'the program includes a private header' 'cli may not include tensor/' cli/a.c '#include "tensor/tensor.h"'
refuses 'a public header includes a private one' 'a public header includes public headers only' \
    include/spusk/a.h '#include "base/base.h"'
refuses 'an operator includes a header of the CPU' 'headers of src/backends/cpu/ are for that folder alone' \
    src/ops/a.c '#include "backends/cpu/cpu.h"'
refuses 'an example includes more than spusk.h' 'an example includes <spusk/spusk.h> only' examples/a.c "$tensor"
refuses 'a path that does not start at src/' 'paths start at src/' src/ops/a.c '#include "../tensor/tensor.h"'
refuses 'a public header in quotes' 'public headers are included as <spusk/...>' \
    src/nn/a.c '#include "spusk/nn.h"'
refuses 'an instruction set outside the kernels' 'src/ops/a.c:2: #ifdef __AVX2__: an instruction set' \
    src/ops/a.c '
#ifdef __AVX2__'

# ---- by way of other headers ----
refuses 'private by way of private' 'src/tensor/a.h:1 -> src/ops/ops.h: src/tensor may not include ops/' \
    src/tensor/a.c '#include "tensor/a.h"' src/tensor/a.h '#include "ops/ops.h"'
refuses 'private by way of another folder' \
    'src/tensor/a.c:1 -> src/backends/a.h:1 -> src/ops/ops.h: src/tensor may not include ops/' \
    src/tensor/a.c '#include "backends/a.h"' src/backends/a.h '#include "ops/ops.h"'
refuses 'public by way of public' 'src/base/a.c:2 -> include/spusk/threads.h:1 -> include/spusk/tensor.h: src/base knows' \
    src/base/a.c '
#include <spusk/threads.h>' include/spusk/threads.h "$tensor"
refuses 'public by way of private' 'src/backends/a.c:1 -> src/base/base.h:1 -> include/spusk/threads.h:1 -> include/' \
    src/backends/a.c '#include "base/base.h"' src/base/base.h '#include <spusk/threads.h>' \
    include/spusk/threads.h "$tensor"
refuses 'private by way of public' 'src/nn/a.c:1 -> include/spusk/a.h:1 -> src/base/base.h: src/nn may not include base/' \
    src/nn/a.c '#include <spusk/a.h>' include/spusk/a.h '#include "base/base.h"'
refuses 'four steps away' \
    'src/base/a.c:1 -> include/spusk/b.h:2 -> include/spusk/c.h:1 -> include/spusk/d.h:1 -> include/spusk/tensor.h: src/' \
    src/base/a.c '#include <spusk/b.h>' include/spusk/b.h '/* why */
#include <spusk/c.h>' include/spusk/c.h '#include <spusk/d.h>' include/spusk/d.h "$tensor"
refuses 'a tensor includes graphs' 'src/tensor/a.c:1 -> include/spusk/autograd.h: src/tensor knows no graph' \
    src/tensor/a.c '#include <spusk/autograd.h>'
refuses 'modules behind the headers for writers of operators' 'src/ops knows no modules' \
    src/ops/ops.h '#include <spusk/extend.h>' include/spusk/extend.h '#include <spusk/module.h>'
refuses 'spusk.h by way of a header to what only writers of operators need' \
    'include/spusk/nn.h:1 -> include/spusk/extend/object.h: a header for every program' \
    include/spusk/spusk.h '#include <spusk/nn.h>' include/spusk/nn.h '#include <spusk/extend/object.h>'
refuses 'headers that include each other' 'include/spusk/b.h:2 -> include/spusk/tensor.h' \
    src/base/a.c '#include <spusk/a.h>' include/spusk/a.h '#include <spusk/b.h>' include/spusk/b.h "#include <spusk/a.h>
$tensor"

plant src/base/a.c '#include "b.h"' src/base/b.h "$tensor" src/base/c.c '#include "b.h"'
[ "$(sh "$check" tree)" = 'src/base/b.h:1 -> include/spusk/tensor.h: src/base knows no tensors' ]
result $? 'one include that breaks a rule is told of once, from the file nearest to it'

# ---- allowed ----
allows 'ops includes tensor, which includes base' src/ops/a.c '#include "tensor/tensor.h"' \
    src/tensor/tensor.h '#include "base/base.h"
#include <spusk/tensor.h>' src/base/base.h '#include <spusk/status.h>'
allows 'fusion includes operators, and they the public headers of theirs' src/fusion/a.c '#include "ops/ops.h"' \
    src/ops/ops.h '#include "autograd/autograd.h"
#include <spusk/functional.h>'
allows 'nn includes its own header and public ones' src/nn/a.c '#include "own.h"
#include <spusk/nn.h>' src/nn/own.h '#include <spusk/extend/object.h>' include/spusk/nn.h "$tensor"
allows 'a backend includes its own headers and the table of kernels' src/backends/cpu/conv/a.c \
    '#include "backends/cpu/cpu.h"
#include "axes.h"' src/backends/cpu/cpu.h '#include "backends/backend.h"' src/backends/backend.h '#include "base/base.h"'
allows 'an instruction set in the kernels' src/backends/cpu/a.c '#ifdef __AVX2__'
allows 'a folder of examples includes public headers' examples/lion/a.c '#include <spusk/extend.h>'
allows 'headers for writers of operators include each other' include/spusk/extend/a.h '#include <spusk/extend/b.h>' \
    include/spusk/extend.h '#include <spusk/extend/a.h>'
