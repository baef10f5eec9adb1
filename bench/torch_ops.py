"""PyTorch's times of the calls that `spusk bench ops --json` listed: reads its lines, answers each with a line."""

import json
import statistics
import sys
import time

import peer

arguments = peer.options()

import torch
from torch.nn import functional as F

torch.set_num_threads(arguments.threads)


def input_of(text, memory_format):
    """A letter and sizes, as cli/bench_ops_rows.h tells."""
    kind, sizes = text[0], text[1:].split(":")
    dims = [int(size) for size in sizes[-1].split(",")]
    if kind == "i":
        return torch.randint(int(sizes[0]), dims)
    if kind == "b":
        return torch.randn(dims) > 0
    x = torch.rand(dims) * 0.8 + 0.1 if kind == "u" else torch.randn(dims)
    return x.contiguous(memory_format=memory_format) if x.dim() == 4 else x


def time_of(call, seconds):
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def measure(row, memory_format, seconds):
    inputs = [input_of(text, memory_format) for text in row["inputs"].split(" ")]
    call = eval(f"lambda {', '.join('abcd'[: len(inputs)])}: {row['python']}", {"torch": torch, "F": F})
    with torch.no_grad():
        y = call(*inputs)
        forward = time_of(lambda: call(*inputs), seconds)
    if row["both_us"] is None:
        return forward, None
    leaves = [x.requires_grad_() for x in inputs if x.is_floating_point()]
    g = torch.randn_like(y)
    return forward, time_of(lambda: torch.autograd.grad(call(*inputs), leaves, g), seconds)


def best(row, seconds):
    """In the order of images' memory that is faster."""
    formats = [torch.contiguous_format] + [torch.channels_last] * ("m" in row["inputs"])
    times = [measure(row, f, seconds / len(formats)) for f in formats]
    return [min(t[i] for t in times) if times[0][i] else None for i in range(2)]


for line in sys.stdin:
    seconds, row = json.loads(line)
    print(json.dumps(best(row, seconds)), flush=True)
