#!/usr/bin/env python3
"""Writes how PyTorch prints tensors: tests/fixtures/print.txt, read by tests/test_print.c.

    tools/fixtures_print.py > tests/fixtures/print.txt

A case is a few lines; `values` are the elements in row-major order, or `formula MULTIPLY ADD MODULO SUBTRACT SCALE`:
element i is ((i*MULTIPLY + ADD) % MODULO - SUBTRACT) * SCALE in float64, then cast.

    case NUMBER
    dtype float32
    shape 2 3
    values 1 2 3 4 5 6
    then transpose          what is done to the tensor, in this order: grad, neg, transpose, step, select, expand
    text LINES
    tensor([[...

Needs PyTorch from PyPI (2.15 made what is committed).
"""
import random

import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64, "bfloat16": torch.bfloat16, "int64": torch.int64,
          "int32": torch.int32, "uint8": torch.uint8, "bool": torch.bool}
FLOATS = ["float32", "float64", "bfloat16"]
INTEGERS = ["int64", "int32", "uint8"]
STEPS = {"grad": lambda x: x.requires_grad_(), "neg": lambda x: -x, "transpose": lambda x: x.transpose(0, 1),
         "step": lambda x: x[::2], "select": lambda x: x[1], "expand": lambda x: x.expand(3, *x.shape)}
inf, nan = float("inf"), float("nan")
cases = 0


def show(value, name):
    if name in FLOATS:
        return repr(value) if name == "float64" else f"{value:.9g}"
    return str(int(value))


def write(name, shape, values, data, steps):
    global cases
    cases += 1
    x = torch.tensor(data, dtype=DTYPES[name]).reshape(shape)
    if values is None:
        values = "values " + " ".join(show(v, name) for v in x.reshape(-1).tolist())
    for step in steps:
        x = STEPS[step](x)
    text = str(x)
    print(f"case {cases}\ndtype {name}\nshape {' '.join(map(str, shape))}\n{values}".rstrip().replace(" \n", "\n"))
    for step in steps:
        print("then", step)
    print(f"text {text.count(chr(10)) + 1}\n{text}")


def case(name, shape, data, *steps):
    write(name, shape, None, data, steps)


def formula(name, shape, multiply, add, modulo, subtract, scale, *steps):
    n = 1
    for size in shape:
        n *= size
    data = [((i * multiply + add) % modulo - subtract) * scale for i in range(n)]
    write(name, shape, f"formula {multiply} {add} {modulo} {subtract} {scale!r}", data, steps)


def fixed():
    for name in DTYPES:
        case(name, [], [1])
        case(name, [1], [0])
        case(name, [3], [0, 1, 1])
        case(name, [2, 2], [1, 0, 0, 1], "transpose")
        for shape in [[0], [0, 3], [2, 0], [1, 0, 4], [0, 0]]:
            case(name, shape, [])
        case(name, [1] * 8, [1])
        case(name, [2, 1, 2], [1, 1, 0, 0])
    for name in FLOATS:
        for value in [0.0, -0.0, 0.5, -1.25, 1e-4, 9.9e-5, 1e8, 1.0001e8, 1e-30, 1e30, inf, -inf, nan, 3.0, 1e5]:
            case(name, [], [value])
            case(name, [2], [value, 1])
        for data in [[nan, 1], [inf, -inf, 0], [nan, 0.5], [inf, 1e-5], [nan, nan], [-inf, 2, 3.5], [0, 0, 0, 0],
                     [-0.0, 0.0], [1, 1000], [1, 1001], [1, 1001.5], [0.001, 1], [0.00099, 1], [1e8, 1], [-1, 1e9],
                     [100, -1], [0.99995, 0.99994], [9.99995, 1], [99999.5, 999], [1e-4, 0], [123456.789], [2.5, -inf]]:
            case(name, [len(data)], data)
        case(name, [2], [1.5, 2], "grad")
        case(name, [2], [1.5, 2], "grad", "neg")
        case(name, [], [1.5], "grad", "neg")
        case(name, [0, 2], [], "grad")
        case(name, [0, 2], [], "grad", "neg")
    case("float64", [3], [1e300, -1e-300, 5e-324])
    case("float64", [2], [1.7976931348623157e308, 1])
    case("float64", [2], [123456789.5, 2])
    case("int64", [3], [2**63 - 1, -2**63, 2**53 + 1])
    case("int32", [2], [2**31 - 1, -2**31])
    case("uint8", [2], [255, 0])
    for steps in [["transpose"], ["step"], ["select"], ["expand"], ["grad", "transpose"], ["grad", "step"],
                  ["grad", "select"], ["grad", "expand"], ["step", "transpose", "select"]]:
        case("float32", [3, 4], [i / 4 for i in range(12)], *steps)
    case("int64", [4, 3], range(12), "step", "transpose")
    case("bool", [3, 2], [1, 0, 0, 0, 1, 1], "transpose")
    # Where the suffix still fits on the line, and where it no longer does.
    for n in range(5, 13):
        case("float32", [n], [1.5] * n, "grad")
        case("float32", [n], [1.5] * n, "grad", "neg")
        case("float64", [n], [1.5] * n, "grad", "neg")
        case("float64", [n, 1], [1.5] * n, "grad", "neg")
        case("int32", [2 * n], [12] * 2 * n)
        case("int64", [2 * n], [12] * 2 * n)
    for n in range(14, 30, 3):
        case("bool", [n], [i % 2 for i in range(n)])
        case("uint8", [2, n], range(2 * n))


def summarised():
    for shape in [[1001], [1000], [5000], [40, 30], [1100, 1], [1, 1100], [7, 143], [6, 200], [7, 7, 30], [2, 7, 101],
                  [1200, 2, 2], [3, 3, 4, 40]]:
        formula("float32", shape, 7, 3, 1009, 500, 0.03125)
        formula("int64", shape, 1, 0, 100000, 0, 1)
    for name in DTYPES:
        formula(name, [2000], 5, 1, 7, 0, 1)
        formula(name, [60, 60], 5, 1, 2, 0, 1, "transpose")
    formula("float32", [2000], 1, 0, 2000, 0, 1.0)
    formula("float32", [60, 50], 1, 0, 3000, 0, 1.0, "transpose")
    formula("float32", [60, 50], 1, 0, 3000, 1500, 0.001, "step")
    formula("float64", [1500], 1, 0, 1500, 0, 1e-6)
    formula("float64", [40, 40], 3, 0, 1601, 800, 0.37, "grad", "neg")
    formula("float32", [1001], 1, 0, 1001, 0, 0.5, "grad")
    formula("float32", [2, 2, 2, 2, 2, 2, 2, 9], 3, 0, 11, 5, 0.25)


def values_of(kind, name, n, rng):
    if name == "bool":
        return [rng.randrange(2) for _ in range(n)]
    if name in INTEGERS:
        top = {"int64": 10 ** rng.randrange(1, 18), "int32": 10 ** rng.randrange(1, 9), "uint8": 256}[name]
        return [rng.randrange(0 if name == "uint8" else -top, top) for _ in range(n)]
    data = {"normal": lambda: rng.gauss(0, 1), "unit": lambda: rng.random(), "whole": lambda: rng.randrange(-50, 50),
            "wide": lambda: rng.gauss(0, 1) * 10 ** rng.uniform(-6, 6), "hundreds": lambda: rng.uniform(-300, 300),
            "big": lambda: rng.randrange(10**10), "tiny": lambda: rng.gauss(0, 1e-5)}[kind]
    special = rng.random() < 0.3
    return [rng.choice([0.0, -0.0, inf, -inf, nan]) if special and rng.random() < 0.2 else data() for _ in range(n)]


def randomly(count):
    rng = random.Random(1)
    for _ in range(count):
        name = rng.choice(list(DTYPES) + ["float32", "float32", "float64"])
        shape = [rng.randrange(1, 6) for _ in range(rng.randrange(0, 5))]
        if rng.random() < 0.3:
            shape = [rng.randrange(1, 30)]
        n = 1
        for size in shape:
            n *= size
        if n > 60:
            continue
        kind = rng.choice(["normal", "unit", "whole", "wide", "hundreds", "big", "tiny"])
        steps = []
        if name in FLOATS and rng.random() < 0.3:
            steps.append("grad")
            if rng.random() < 0.6:
                steps.append("neg")
        if len(shape) > 1 and rng.random() < 0.3:
            steps.append(rng.choice(["transpose", "step"]))
        case(name, shape, values_of(kind, name, n, rng), *steps)


fixed()
summarised()
randomly(260)
