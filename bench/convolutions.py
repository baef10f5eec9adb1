"""Convolutions beside PyTorch's, in turns: python3 bench/convolutions.py [--threads N] [--turns N] [--build DIR]
[--only PART OF A NAME] [--f32].

Each turn runs bench_convolutions and PyTorch (oneDNN) on the same layers, one after the other; the table has the
medians of the turns and PyTorch's time over ours."""

import argparse
import os
import statistics
import subprocess
import sys
import time

def layers(build):
    """Name and numbers of each: batch, in, out, size, kernel, stride, padding, pool, dilation, groups, transposed."""
    listed = subprocess.run([f"{build}/bench/bench_convolutions", "--layers"], text=True, capture_output=True, check=True)
    for line in listed.stdout.splitlines():
        name, *numbers = line.split("\t")
        yield name, *map(int, numbers)


def measure(name, call, seconds):
    call()
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1e6)
    print(f"{name}\t{statistics.median(times)}", flush=True)


def measure_layer(layer, dtype, seconds):
    import torch

    name, batch, inputs, outputs, size, k, stride, padding, window, dilation, groups, transposed = layer
    groups, dilation = max(groups, 1), max(dilation, 1)
    relu, pool, functional = torch.relu, torch.nn.functional.max_pool2d, torch.nn.functional
    x = torch.randn(batch, inputs, size, size, dtype=dtype)
    shape = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
    w, b = torch.randn(*shape, k, k, dtype=dtype), torch.randn(outputs, dtype=dtype)
    if transposed:
        forward = lambda: functional.conv_transpose2d(x, w, b, stride, padding, 0, groups, dilation)
    else:
        forward = lambda: functional.conv2d(x, w, b, stride, padding, dilation, groups)
    g = torch.randn_like(forward())
    gradient = lambda mask: torch.ops.aten.convolution_backward(
        g, x, w, [outputs], [stride] * 2, [padding] * 2, [dilation] * 2, bool(transposed), [0, 0], groups, mask
    )
    key = f"{'f32' if dtype == torch.float32 else 'bf16'}\t{name}\t"
    with torch.no_grad():
        measure(key + "forward", forward, seconds)
        measure(key + "backward-data", lambda: gradient([True, False, False]), seconds)
        measure(key + "backward-weight", lambda: gradient([False, True, not transposed]), seconds)
        if window:
            measure(key + "forward+ReLU+pool", lambda: pool(relu(forward()), window), seconds)


def peer(arguments):
    import torch

    torch.set_num_threads(arguments.threads)
    for layer in layers(arguments.build):
        if arguments.only in layer[0]:
            for dtype in (torch.float32, torch.bfloat16)[: 1 if arguments.f32 else 2]:
                measure_layer(layer, dtype, arguments.seconds)


def ours(arguments):
    environment = dict(os.environ, SPUSK_THREADS=str(arguments.threads))
    command = [f"{arguments.build}/bench/bench_convolutions", arguments.only] + ["f32"] * arguments.f32
    out = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
    for line in out.stdout.splitlines():
        if not line.startswith("#"):
            fields = [field.strip() for field in line.split("|")]
            yield tuple(fields[:3]), float(fields[3].split()[0])


def theirs(arguments):
    environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads))
    command = [sys.executable, *sys.argv, "--peer"]
    out = subprocess.run(command, env=environment, text=True, capture_output=True, check=True)
    for line in out.stdout.splitlines():
        *key, time_us = line.split("\t")
        yield tuple(key), float(time_us)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--build", default="build")
    parser.add_argument("--only", default="", help="layers with this in their names")
    parser.add_argument("--f32", action="store_true", help="no bf16")
    parser.add_argument("--seconds", type=float, default=0.3, help="of PyTorch for each pass")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments)
    times = {}
    for _ in range(arguments.turns):
        for who, results in ("ours", ours(arguments)), ("torch", theirs(arguments)):
            for key, us in results:
                times.setdefault(key, {}).setdefault(who, []).append(us)
    print(f"{arguments.threads} threads, median of {arguments.turns} turns, us | ours | PyTorch | ratio")
    for key, both in times.items():
        if "ours" not in both:
            continue
        mine = statistics.median(both["ours"])
        other = statistics.median(both["torch"]) if "torch" in both else None
        ratio = f"{other:9.0f} | {other / mine:5.2f}" if other else "        - |     -"
        print(f"{key[0]:4} {key[1]:20} {key[2]:24} | {mine:9.0f} | {ratio}")


if __name__ == "__main__":
    main()
