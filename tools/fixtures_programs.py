#!/usr/bin/env python3
"""Writes random programs, and what PyTorch computes by them: tests/fixtures/programs.txt.

    python3 tools/fixtures_programs.py

A program has leaves, calls operators, makes views, changes what it has in place, and adds up the sines of all that
needs a gradient. PyTorch's loss, gradients and gradients of |gradients|² follow; or `refused` where PyTorch will not
differentiate what was changed. tests/test_programs.c reads it:

    program 0
    leaf 2 3                        elements (1, 2, …)/7 + 0.3·(number of leaves before)
    transpose 0 : 0 -1              tensor 1, of tensor 0 with these integers
    mul_ 1 0 :                      in place: no new tensor
    loss 1.25                       then a line `grad` and a line `second` for each leaf, `none` where there is none

Needs PyTorch (2.15 made what is committed).
"""
import math
import os
import random
import warnings

import torch
import torch.nn.functional as F

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures", "programs.txt")
PROGRAMS, MOST = 320, 200
SHAPES = [(2, 3), (3,), (2, 1, 3), (1, 3), (4, 3), (3, 3), (0, 3), (2, 0), ()]
IMAGES = [(2, 2, 4, 4), (3, 2, 3, 3), (2, 4)]
UNARY = ["sin", "exp", "tanh", "sigmoid", "square", "neg", "cos", "relu", "silu", "softplus", "abs", "clone", "gelu"]
BINARY = ["add", "sub", "mul", "maximum", "minimum"]
REDUCTIONS = ["sum", "mean", "amax", "logsumexp", "prod", "var", "norm"]
INPLACE = ["exp_", "neg_", "zero_", "tanh_", "sigmoid_", "relu_", "mul_scalar_"]
FUNCTIONS = {"silu": F.silu, "softplus": F.softplus, "gelu": F.gelu,
             "norm": lambda x, d, keepdim: torch.linalg.vector_norm(x, dim=d, keepdim=keepdim)}


def unary(x):
    name = random.choice(UNARY)
    return name, [], FUNCTIONS.get(name, getattr(torch, name, None))(x[0])


def binary(x):
    name = random.choice(BINARY)
    return name, [], getattr(torch, name)(*x)


def view(x):
    x, d = x[0], x[0].dim()
    name = random.choice(["permute", "select", "slice", "unsqueeze", "squeeze", "reshape", "expand", "transpose",
                          "narrow", "flatten"])
    dim = random.randrange(-d, d) if d else 0
    if name == "permute":
        order = random.sample(range(d), d)
        return (name, order, x.permute(order)) if d else None
    if name == "select":
        i = random.randrange(x.shape[dim])
        return name, [dim, i], x.select(dim, i)
    if name == "slice":
        start, end, step = random.randrange(-3, 4), random.randrange(-3, 5), random.choice([1, 2])
        index = [slice(None)] * d
        index[dim] = slice(start, end, step)
        return name, [dim, start, end, step], x[tuple(index)]
    if name == "unsqueeze":
        return name, [dim], x.unsqueeze(dim)
    if name == "squeeze":
        return name, [], x.squeeze()
    if name == "reshape":
        return (name, [-1], x.reshape(-1)) if x.numel() else None
    if name == "expand":
        sizes = [random.choice([1, 2])] + [random.choice([2, 3]) if n == 1 else n for n in x.shape]
        return name, sizes, x.expand(sizes)
    if name == "transpose":
        return name, [0, -1], x.transpose(0, -1)
    if name == "narrow":
        n = random.randrange(x.shape[dim] + 1)
        return name, [dim, 0, n], x.narrow(dim, 0, n)
    return name, [], x.flatten()


def reduction(x):
    x = x[0]
    dim, keepdim = random.randrange(-x.dim(), x.dim()), random.random() < 0.3
    name = random.choice(REDUCTIONS + ["cumsum", "softmax", "log_softmax"])
    if x.numel() == 0 or (name == "var" and x.shape[dim] < 2):
        return None
    if name in ("cumsum", "softmax", "log_softmax"):
        return name, [dim], getattr(torch, name)(x, dim)
    return name, [dim, int(keepdim)], FUNCTIONS.get(name, getattr(torch, name, None))(x, dim, keepdim=keepdim)


def product(x):
    name = random.choice(["matmul", "linear"]) if x[1].dim() == 2 else "matmul"
    return name, [], torch.matmul(*x) if name == "matmul" else F.linear(*x)


def joined(x):
    dim = random.randrange(max(1, x[0].dim()))
    name = random.choice(["cat", "stack"])
    return name, [dim], getattr(torch, name)(x, dim)


def image(x):
    name = random.choice(["conv2d", "conv2d", "max_pool2d", "avg_pool2d"])
    if name == "conv2d":
        return name, [], F.conv2d(x[0], x[1], padding=1)
    return name, [2], getattr(F, name)(x[0], 2)


def in_place(x):
    name = random.choice(INPLACE + ["mul_", "add_", "copy_"])
    if name in ("mul_", "add_", "copy_"):
        # We copy an operand that shares memory with what changes; PyTorch refuses some, and misreads others.
        if x[0].untyped_storage().data_ptr() == x[1].untyped_storage().data_ptr():
            return None
        getattr(x[0], name)(x[1])
    elif name == "mul_scalar_":
        x[0].mul_(1.25)
    else:
        getattr(x[0], name)()
    return name, [], None


BINARIES = (binary, product, joined)
KINDS = [unary, unary, binary, binary, view, view, view, reduction, product, joined, in_place, in_place, unary]


def leaf(shape, k):
    n = math.prod(shape)
    return (torch.arange(1, 1 + n, dtype=torch.float64).reshape(shape) / 7 + 0.3 * k).requires_grad_()


def text(x):
    return "none" if x is None else " ".join("%.13g" % v for v in x.detach().reshape(-1).tolist())


def results(tensors, leaves):
    """What PyTorch computes, as lines; ["refused"] where it will not."""
    loss = sum(t.sin().sum() for t in tensors if t.requires_grad)
    try:
        grads = torch.autograd.grad(loss, leaves, allow_unused=True, create_graph=True)
    except RuntimeError:
        return ["refused"]
    again = [g.square().sum() for g in grads if g is not None and g.requires_grad]
    second = torch.autograd.grad(sum(again), leaves, allow_unused=True) if again else [None] * len(leaves)
    return ["loss " + text(loss)] + ["grad " + text(g) for g in grads] + ["second " + text(g) for g in second]


def program(number):
    random.seed(number)
    images = number % 5 == 0
    shapes = IMAGES if images else random.choices(SHAPES, k=2)
    tensors = [leaf(shape, k) for k, shape in enumerate(shapes)]
    leaves = list(tensors)
    lines = ["program %d" % number] + ["leaf " + " ".join(map(str, s)) for s in shapes]
    for _ in range(random.randrange(6, 16)):
        kind = random.choice(KINDS + ([image] * 6 if images else []))
        near = tensors[-6:] if random.random() < 0.8 else tensors
        x = [random.choice(near) for _ in range(2)]
        if kind is image and random.random() < 0.8:
            x[1] = leaves[1]
        try:
            made = kind(x)
        except (RuntimeError, IndexError, ValueError):
            continue
        if not made or (made[2] is not None and made[2].numel() > MOST):
            continue
        name, integers, y = made
        two = kind in BINARIES or name in ("mul_", "add_", "copy_", "conv2d")
        operands = [next(i for i, t in enumerate(tensors) if t is o) for o in x[:2 if two else 1]]
        lines.append("%s %s :%s" % (name, " ".join(map(str, operands)), "".join(" %d" % i for i in integers)))
        if y is not None:
            tensors.append(y)
    # Where something of no element was changed, PyTorch refuses what can have no effect, and we do not.
    made = results(tensors, leaves)
    if made == ["refused"] and any(t.numel() == 0 for t in tensors):
        return []
    # Beyond this the sines tell of rounding alone.
    if any(not abs(float(v)) < 1e6 for line in made for v in line.split()[1:] if v != "none"):
        return []
    return lines + made


warnings.simplefilter("ignore")
with open(PATH, "w") as f:
    for number in range(PROGRAMS):
        for line in program(number):
            print(line, file=f)
