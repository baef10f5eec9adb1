"""Convolutions beside PyTorch's, in turns: python3 bench/convolutions.py [--threads N] [--turns N] [--build DIR].

Each turn runs bench_convolutions and PyTorch (oneDNN) on the same layers, one after the other; the table has the
medians of the turns and PyTorch's time over ours."""

import argparse
import os
import statistics
import subprocess
import sys
import time

LAYERS = [  # name, batch, in, out, size, kernel, stride, padding, pool: as in convolutions.c
    ("1->32 28x28 p1", 64, 1, 32, 28, 3, 1, 1, 2),
    ("32->64 14x14 p1", 64, 32, 64, 14, 3, 1, 1, 2),
    ("32->64 26x26", 64, 32, 64, 26, 3, 1, 0, 2),
    ("1->16 28x28 s2 p1", 64, 1, 16, 28, 3, 2, 1, 0),
    ("16->32 14x14 s2 p1", 64, 16, 32, 14, 3, 2, 1, 0),
    ("16<-32 14x14 k2 s2", 64, 16, 32, 14, 2, 2, 0, 0),
    ("64->64 56x56 p1", 4, 64, 64, 56, 3, 1, 1, 0),
    ("256->256 14x14 p1", 8, 256, 256, 14, 3, 1, 1, 0),
]


def peer(threads):
    import torch

    torch.set_num_threads(threads)
    relu, pool, backward = torch.relu, torch.nn.functional.max_pool2d, torch.ops.aten.convolution_backward

    def measure(name, call):
        call()
        times, end = [], time.perf_counter() + 0.3
        while time.perf_counter() < end or len(times) < 3:
            began = time.perf_counter()
            call()
            times.append((time.perf_counter() - began) * 1e6)
        print(f"{name}\t{statistics.median(times)}", flush=True)

    for name, batch, inputs, outputs, size, k, stride, padding, window in LAYERS:
        for dtype in torch.float32, torch.bfloat16:
            x = torch.randn(batch, inputs, size, size, dtype=dtype)
            w, b = torch.randn(outputs, inputs, k, k, dtype=dtype), torch.randn(outputs, dtype=dtype)
            forward = lambda: torch.nn.functional.conv2d(x, w, b, stride, padding)
            g = torch.randn_like(forward())
            gradient = lambda mask: backward(
                g, x, w, [outputs], [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, mask
            )
            key = f"{'f32' if dtype == torch.float32 else 'bf16'}\t{name}\t"
            with torch.no_grad():
                measure(key + "forward", forward)
                measure(key + "backward-data", lambda: gradient([True, False, False]))
                measure(key + "backward-weight", lambda: gradient([False, True, True]))
                if window:
                    measure(key + "forward+ReLU+pool", lambda: pool(relu(forward()), window))


def ours(build, threads):
    environment = dict(os.environ, SPUSK_THREADS=str(threads))
    out = subprocess.run([f"{build}/bench/bench_convolutions"], env=environment, text=True, capture_output=True, check=True)
    for line in out.stdout.splitlines():
        if not line.startswith("#"):
            fields = [field.strip() for field in line.split("|")]
            yield tuple(fields[:3]), float(fields[3].split()[0])


def theirs(threads):
    command = [sys.executable, __file__, "--peer", "--threads", str(threads)]
    out = subprocess.run(command, env=dict(os.environ, OMP_NUM_THREADS=str(threads)), text=True, capture_output=True, check=True)
    for line in out.stdout.splitlines():
        *key, time_us = line.split("\t")
        yield tuple(key), float(time_us)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--build", default="build")
    parser.add_argument("--peer", action="store_true")
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments.threads)
    times = {}
    for _ in range(arguments.turns):
        for who, results in ("ours", ours(arguments.build, arguments.threads)), ("torch", theirs(arguments.threads)):
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
