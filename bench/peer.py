"""What a peer's process does: builds a training step, then measures it for as long as each line of standard input says,
and answers with a line of JSON. Used by torch_step.py and jax_step.py, which compare.py starts."""

import argparse
import json
import os
import resource
import sys
import time

import numpy as np

import digits


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="mlp")
    parser.add_argument("--batch", type=int, default=0, help="0: the one that the network is measured with")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--mode", default="eager")
    arguments = parser.parse_args()
    # Before the framework is imported: it sizes its pools by what it may use.
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, processors[-arguments.threads :])
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(arguments.threads)
    return arguments


def batches(size):
    x, y, source = digits.load()
    return [(x[i : i + size], y[i : i + size]) for i in range(0, len(x) - size + 1, size)], source


def run(step, data, seconds):
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        x, y = data[len(times) % len(data)]
        began = time.perf_counter()
        loss = step(x, y)
        times.append((time.perf_counter() - began) * 1e6)
    return times, loss


def serve(step, data, source):
    """step(x, y) returns the loss as a number."""
    run(step, data, 0.5)
    for line in sys.stdin:
        times, loss = run(step, data, float(line))
        low, median, high = np.percentile(times, [25, 50, 75])
        answer = {
            "median_us": median,
            "quartile_us": [low, high],
            "steps": len(times),
            "loss": loss,
            "data": source,
            "resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
        print(json.dumps(answer), flush=True)
