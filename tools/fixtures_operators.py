#!/usr/bin/env python3
"""Writes PyTorch's answers to every operator's test cases: tests/fixtures/operators/NAME.bin.

    tools/fixtures_operators.py BUILD/tests/test_operators [NAME...]

The test program prints the cases (--dump): operator, kind, PyTorch expression of a, b, c …, and for each input its
dtype, shape, range, seed, kind of values and whether it is differentiated. Inputs are generated here and there by the
same generator, so only results are stored. The format is in tests/support/fixture.h. Needs PyTorch (2.15 made what is
committed) and NumPy from PyPI, on a little-endian machine.
"""
import math
import os
import struct
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

DTYPES = {
    "float32": (1, torch.float32), "float64": (2, torch.float64), "bfloat16": (3, torch.bfloat16),
    "int64": (4, torch.int64), "int32": (5, torch.int32), "uint8": (6, torch.uint8), "bool": (7, torch.bool),
}
CODES = {dtype: code for code, dtype in DTYPES.values()}
SPECIAL = np.array([0, -0.0, 1, -1, 0.5, -0.5, math.inf, -math.inf, math.nan, 2, 3, -100, 100])
BIG = 2**53 + 1


def draws(seed, n):
    """n words of the generator in tests/support/cases.c."""
    x = (np.uint64(seed) + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint64(shift)
        x = (x * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(16))


def floating_values(low, high, words):
    twice = 2 * (low + (words >> np.uint64(8)).astype(np.float64) * 2.0**-24 * (high - low))
    whole = np.floor(twice)
    return np.rint((whole + 0.1 + 0.8 * (twice - whole)) / 2 * 2.0**20) * 2.0**-20


def whole_values(dtype, low, high, kind, words):
    if dtype == "bool":
        return (words >> np.uint64(7) & np.uint64(1)).astype(np.int64)
    first = max(math.ceil(low), 0) if dtype == "uint8" else math.ceil(low)
    values = first + (words % np.uint64(max(math.ceil(high) - first, 1))).astype(np.int64)
    if kind == "b":
        values[0::3] = BIG
        values[1::3] = -BIG
    return values


class Input:
    def __init__(self, text):
        dtype, shape, low, high, seed, kind, grad = text.split()
        self.sizes = [] if shape == "-" else [int(size) for size in shape.split("x")]
        self.grad = grad == "1"
        self.dtype = DTYPES[dtype][1]
        words = draws(int(seed), math.prod(self.sizes))
        if not self.dtype.is_floating_point:
            values = whole_values(dtype, float(low), float(high), kind, words)
        elif kind == "s":
            values = SPECIAL[words % np.uint64(len(SPECIAL))]
        else:
            values = floating_values(float(low), float(high), words)
        self.values = torch.from_numpy(np.array(values)).reshape(self.sizes)

    def tensor(self):
        return self.values.to(self.dtype).clone()


def packed(tensor):
    if tensor is None:
        return struct.pack("<BB", 0, 0)
    tensor = tensor.detach().contiguous()
    head = struct.pack(f"<BB{tensor.dim()}I", CODES[tensor.dtype], tensor.dim(), *tensor.shape)
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return head + tensor.numpy().tobytes()


def rounded_once(value, expression, names, tensors):
    """A bf16 result as the rounding of f64's: PyTorch's own rounds several times on the way in some operators."""
    if value.dtype != torch.bfloat16:
        return value
    exact = [tensor.detach().double() if tensor.is_floating_point() else tensor for tensor in tensors]
    wide = eval(expression, {**names, **dict(zip("abcde", exact))})
    return wide.to(torch.bfloat16) if wide.dtype == torch.float64 else value


def answer(kind, expression, texts):
    """The record of one case."""
    inputs = [Input(text) for text in texts]
    tensors = [each.tensor() for each in inputs]
    if kind == "special":
        for each, tensor in zip(inputs, tensors):
            tensor.requires_grad_(each.grad)
    names = {"torch": torch, "F": F, "math": math}
    names.update(zip("abcde", tensors))
    try:
        value = eval(expression, names)
    except (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError):
        return struct.pack("<B", 0)
    results = [rounded_once(value, expression, names, tensors)]
    if kind == "special" and value.requires_grad:
        value.backward(torch.ones_like(value))
        results += [tensor.grad if each.grad else None for each, tensor in zip(inputs, tensors)]
    return struct.pack("<B", len(results)) + b"".join(packed(result) for result in results)


def fingerprint(lines):
    value = 2166136261
    for byte in "".join(line + "\n" for line in lines).encode():
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    dump = subprocess.run([sys.argv[1], "--dump"], check=True, capture_output=True, text=True).stdout
    groups = {}
    for line in dump.splitlines():
        groups.setdefault(line.split("\t")[0], []).append(line)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folder = os.path.join(root, "tests", "fixtures", "operators")
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    total = 0
    for name, lines in groups.items():
        if sys.argv[2:] and name not in sys.argv[2:]:
            continue
        body = b"SPFX" + struct.pack("<II", fingerprint(lines), len(lines))
        for line in lines:
            _, kind, expression, *texts = line.split("\t")
            body += answer(kind, expression, texts)
        with open(os.path.join(folder, name + ".bin"), "wb") as file:
            file.write(body)
        total += len(body)
    print(f"{len(groups)} operators, {total} bytes, PyTorch {torch.__version__}")
    if not sys.argv[2:]:
        for stale in set(os.listdir(folder)) - {name + ".bin" for name in groups}:
            os.remove(os.path.join(folder, stale))


if __name__ == "__main__":
    main()
