#!/usr/bin/env python3
"""Writes what PyTorch's convolutions give for shapes drawn at random: tests/fixtures/conv.safetensors.

    tools/fixtures_conv.py

Row i of `cases` is: whether it is transposed, groups, whether padding is "same", then stride, padding, dilation and
output_padding, two numbers each. x.i, w.i, b.i (where there is one) are the operands, y.i the result, h.i what its
gradient was, and gx.i, gw.i, gb.i the gradients of the operands. net.x and net.y are what a network takes and gives,
net.0.weight and so on its state. Read by tests/test_conv.c and tests/test_nn_conv.c. Needs PyTorch (2.15 made
what is committed) and safetensors from PyPI.
"""
import os
import random
import warnings

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

CASES = 60


def pair(draw):
    return [draw(), draw()]


def operands(r, transposed, groups, kernel):
    ins, outs = (groups * r.choice([1, 2, 3]) for _ in range(2))
    size = [r.randint(1, 3), ins, r.randint(1, 8), r.randint(1, 8)]
    x = torch.randn(size[1:] if r.random() < 0.15 else size)
    w = torch.randn([ins, outs // groups, *kernel] if transposed else [outs, ins // groups, *kernel])
    return x, w, torch.randn(outs) if r.random() < 0.7 else None


def one_case(r):
    transposed, groups = r.randint(0, 1), r.choice([1, 1, 2, 3])
    kernel, stride = pair(lambda: r.choice([1, 2, 3, 3, 4])), pair(lambda: r.choice([1, 1, 2, 3]))
    padding, dilation = pair(lambda: r.randint(0, 2)), pair(lambda: r.choice([1, 1, 2]))
    extra = [r.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)] if transposed else [0, 0]
    same = int(not transposed and stride == [1, 1])
    padding = [0, 0] if same else padding
    x, w, b = operands(r, transposed, groups, kernel)
    inputs = [t.requires_grad_() for t in (x, w, b) if t is not None]
    if transposed:
        y = F.conv_transpose2d(x, w, b, stride, padding, extra, groups, dilation)
    else:
        y = F.conv2d(x, w, b, stride, "same" if same else padding, dilation, groups)
    h = torch.randn(y.shape)
    y.backward(h)
    tensors = {"y": y.detach(), "h": h}
    for name, t in zip("xwb", inputs):
        tensors[name], tensors["g" + name] = t.detach(), t.grad
    return [transposed, groups, same, *stride, *padding, *dilation, *extra], tensors


def network():
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(6, 4, (2, 3), groups=2, bias=False),
        torch.nn.ConvTranspose2d(4, 3, (2, 3), stride=2))
    x = torch.randn(2, 2, 5, 6)
    return {"net.x": x, "net.y": net(x).detach(), **{"net." + name: t for name, t in net.state_dict().items()}}


def main():
    warnings.simplefilter("ignore")
    r = random.Random(11)
    torch.manual_seed(11)
    cases, tensors = [], {}
    while len(cases) < CASES:
        try:
            numbers, made = one_case(r)
        except RuntimeError:  # a kernel larger than the image
            continue
        tensors.update({f"{name}.{len(cases)}": t.contiguous() for name, t in made.items()})
        cases.append(numbers)
    tensors["cases"] = torch.tensor(cases)
    tensors.update(network())
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    save_file(tensors, os.path.join(root, "tests", "fixtures", "conv.safetensors"))


if __name__ == "__main__":
    main()
