#!/usr/bin/env python3
"""Writes what PyTorch makes of images of shapes drawn at random: tests/fixtures/images.safetensors.

    tools/fixtures_images.py

Row i of `cases` says what was done (see the functions below); x.i is the input, y.i the result, w.i what its gradient
was, g.i the gradient of x.i, and for maxima k.i their indices. Read by tests/test_images.c. Needs PyTorch (2.15 made
what is committed), NumPy and safetensors from PyPI.
"""
import os
import random

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

MAX, AVG, ADAPTIVE, PAD, RESIZE = range(5)
CASES_OF_A_KIND = 16


def pair(draw):
    return draw(), draw()


def windows(r):
    """kernel, stride, padding: two numbers each."""
    kernel = pair(lambda: r.choice([1, 2, 2, 3, 3, 4, 5]))
    return kernel, pair(lambda: r.randint(1, 3)), tuple(r.randint(0, k // 2) for k in kernel)


def max_pool(r, x):
    kernel, stride, padding = windows(r)
    dilation, ceil = pair(lambda: r.choice([1, 1, 2])), r.randint(0, 1)
    y, k = F.max_pool2d(x, kernel, stride, padding, dilation, bool(ceil), return_indices=True)
    return y, [*kernel, *stride, *padding, *dilation, ceil], k


def avg_pool(r, x):
    kernel, stride, padding = windows(r)
    ceil, exclude, divisor = r.randint(0, 1), r.randint(0, 1), r.choice([0, 0, 3])
    y = F.avg_pool2d(x, kernel, stride, padding, bool(ceil), not exclude, divisor or None)
    return y, [*kernel, *stride, *padding, ceil, exclude, divisor], None


def adaptive(r, x):
    size = pair(lambda: r.choice([-1, 1, 2, 3, 5, 7]))
    return F.adaptive_avg_pool2d(x, [None if n < 0 else n for n in size]), [*size], None


def pad(r, x):
    mode, sides = r.randint(0, 2), [r.randint(0, 3) for _ in range(4)]
    value = r.randint(-2, 2) if mode == 0 else 0
    return F.pad(x, sides, ["constant", "reflect", "replicate"][mode], value or None), [mode, *sides, value], None


def resize(r, x):
    mode, align, tenths = r.randint(0, 1), r.randint(0, 1), r.choice([0, 0, 4, 15, 20, 27])
    align = align if mode and not tenths else 0
    size = pair(lambda: r.randint(1, 9))
    how = {"scale_factor": tenths / 10} if tenths else {"size": size}
    more = {"align_corners": bool(align)} if mode else {}
    y = F.interpolate(x, mode=["nearest", "bilinear"][mode], **how, **more)
    return y, [mode, align, tenths, *size], None


def one_case(r, kind):
    shape = [r.randint(1, 2), r.choice([1, 2, 3, 5]), r.randint(1, 9), r.randint(1, 9)]
    x = torch.randn(shape).requires_grad_()
    y, numbers, k = [max_pool, avg_pool, adaptive, pad, resize][kind](r, x)
    w = torch.randn(y.shape)
    y.backward(w)
    return [kind, *numbers], {"x": x.detach(), "y": y.detach(), "w": w, "g": x.grad, **({} if k is None else {"k": k})}


def main():
    r = random.Random(7)
    torch.manual_seed(7)
    cases, tensors = [], {}
    for kind in range(5):
        made = 0
        while made < CASES_OF_A_KIND:
            try:
                numbers, parts = one_case(r, kind)
            except (RuntimeError, ValueError):
                continue  # a window that does not fit: those have tests of their own
            tensors.update({f"{name}.{len(cases)}": part.contiguous() for name, part in parts.items()})
            cases.append(numbers + [0] * (12 - len(numbers)))
            made += 1
    tensors["cases"] = torch.tensor(cases)
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures")
    save_file(tensors, os.path.join(root, "images.safetensors"))


if __name__ == "__main__":
    main()
