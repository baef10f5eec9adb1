#!/usr/bin/env python3
"""Training steps of networks drawn at random, spusk's beside PyTorch's, in turns on the same machine. Prints them by the
ratio of the times, the slowest beside PyTorch first, then the geometric mean and how many are slower than PyTorch.

    bench/random_networks.py --count 50 --seed 0 --threads 1 --precision f32 --seconds 0.2
    bench/random_networks.py --only 17          # one of them again

Both begin with the same weights and batches, so their first losses are compared too; with dropout, only in size. Needs
a build with the benchmarks (./dev build) and PyTorch."""

import argparse
import contextlib
import json
import math
import os
import pathlib
import statistics
import struct
import subprocess
import tempfile
import time

import random_layers

ROOT = pathlib.Path(__file__).resolve().parent.parent


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="this network of the seed alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    parser.add_argument("--seconds", type=float, default=0.2, help="of measuring a program in each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--program", default=str(ROOT / "build" / "bench" / "bench_random_step"))
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    return parser.parse_args()


args = parse()
processors = sorted(os.sched_getaffinity(0))[-args.threads :]
os.sched_setaffinity(0, processors)
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(args.threads)
os.environ["SPUSK_THREADS"] = str(args.threads)

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(args.threads)
BATCHES = 4


class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        n, places, width = x.shape
        q, k, v = self.project(x).view(n, places, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, places, width))


LAYERS = {
    "linear": lambda i, o, bias: nn.Linear(i, o, bias=bool(bias)),
    "conv": lambda i, o, k, s, p, d, g, b: nn.Conv2d(i, o, k, s, p, d, g, bool(b)),
    "transposed": lambda i, o, k, s, p, b: nn.ConvTranspose2d(i, o, k, s, p, bias=bool(b)),
    "batch_norm1d": nn.BatchNorm1d,
    "batch_norm2d": nn.BatchNorm2d,
    "layer_norm": nn.LayerNorm,
    "embedding": nn.Embedding,
    "attention": Attention,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "dropout": nn.Dropout,
    "max_pool": nn.MaxPool2d,
    "avg_pool": nn.AvgPool2d,
    "adaptive_avg_pool": nn.AdaptiveAvgPool2d,
    "flatten": nn.Flatten,
    "unflatten": lambda c, h, w: nn.Unflatten(1, (c, h, w)),
    "log_softmax": lambda: nn.LogSoftmax(1),
    "identity": nn.Identity,
    "residual": lambda body, shortcut: Residual(sequence(body), sequence(shortcut)),
}
LOSSES = {
    "entropy": nn.CrossEntropyLoss,
    "nll": nn.NLLLoss,
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
    "bce": nn.BCELoss,
}
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "rmsprop": torch.optim.RMSprop,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
}


def sequence(layers):
    return nn.Sequential(*(LAYERS[kind](*numbers) for kind, *numbers in layers))


def work(model, x):
    """Multiply-adds of a forward pass in the products and convolutions."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
        total += places.numel() * module.weight[0].numel()

    kinds = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
    hooks = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, kinds)]
    with torch.no_grad():
        model.eval()(x)
    model.train()
    for hook in hooks:
        hook.remove()
    return total


def inputs_of(drawn, n):
    """Numbers as images and features have them: many zeros and none below 0."""
    if drawn.layers[0][0] == "embedding":
        return torch.randint(random_layers.CHARACTERS, (n, *drawn.input))
    x = torch.rand(n, *drawn.input)
    return x * (torch.rand_like(x) < 0.5)


def targets_of(drawn, output):
    if drawn.loss in ("entropy", "nll"):
        return torch.randint(output.shape[1], (len(output),))
    return torch.rand_like(output)


def scaled(drawn, model):
    """The network with a batch that keeps the work within bounds; PyTorch's batch norm needs two numbers."""
    most = random_layers.MOST_WORK / work(model, inputs_of(drawn, 1))
    least = 2 if "batch_norm" in random_layers.text_of(drawn) else 1
    return drawn._replace(batch=max(least, min(drawn.batch, int(most))))


def save(tensors, path):
    """A safetensors file."""
    names = {torch.float32: "F32", torch.int64: "I64"}
    head, at, bytes_ = {}, 0, []
    for name, x in tensors.items():
        raw = x.detach().contiguous().numpy().tobytes()
        head[name] = {"dtype": names[x.dtype], "shape": list(x.shape), "data_offsets": [at, at + len(raw)]}
        at += len(raw)
        bytes_.append(raw)
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(bytes_))


class Theirs:
    """PyTorch's step, with images in one of its two orders."""

    def __init__(self, drawn, state, batches, memory_format):
        self.model = sequence(drawn.layers)
        self.model.load_state_dict(state)
        self.model.to(memory_format=memory_format)
        self.criterion = LOSSES[drawn.loss]()
        self.optimizer = OPTIMIZERS[drawn.optimizer](self.model.parameters(), lr=1e-3)
        self.batches = [(x.contiguous(memory_format=memory_format) if x.dim() == 4 else x, y) for x, y in batches]
        self.bf16 = args.precision == "bf16"
        self.loss = self.step(0)

    def step(self, i):
        x, y = self.batches[i % len(self.batches)]
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if self.bf16 else contextlib.nullcontext():
            output = self.model(x)
        loss = self.criterion(output.float(), y)
        loss.backward()
        number = loss.item()
        self.optimizer.step()
        return number

    def measure(self, seconds):
        times, end = [], 0
        for part in (seconds / 4, seconds):
            times, end = [], time.perf_counter() + part
            while time.perf_counter() < end or len(times) < 3:
                began = time.perf_counter()
                self.step(len(times))
                times.append((time.perf_counter() - began) * 1e6)
        return statistics.median(times)


def ours(folder):
    command = [args.program, folder / "network", folder / "tensors", str(args.seconds), args.precision]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


def agree(drawn, a, b):
    if "dropout" in random_layers.text_of(drawn):
        return abs(a - b) < 0.3 * max(abs(a), abs(b))
    return abs(a - b) <= (0.05 if args.precision == "bf16" else 1e-3) * max(abs(a), abs(b), 1e-3)


def compare(number):
    seed = args.seed * 100000 + number
    torch.manual_seed(seed)
    drawn = random_layers.draw(seed)
    model = sequence(drawn.layers)
    drawn = scaled(drawn, model)
    xs = [inputs_of(drawn, drawn.batch) for _ in range(BATCHES)]
    with torch.no_grad():
        batches = [(x, targets_of(drawn, model.eval()(x))) for x in xs]
    state = {name: x.clone() for name, x in model.state_dict().items()}
    formats = [torch.contiguous_format]
    if any(x.dim() == 4 for x in state.values()):
        formats.append(torch.channels_last)
    theirs = [Theirs(drawn, state, batches, f) for f in formats]
    best = min(theirs, key=lambda t: t.measure(args.seconds / 2))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "network").write_text(random_layers.text_of(drawn))
        named = {f"{letter}{i}": t for i, batch in enumerate(batches) for letter, t in zip("xy", batch)}
        save({**state, **named}, folder / "tensors")
        answers = [(ours(folder), best.measure(args.seconds)) for _ in range(args.turns)]
    mine = statistics.median(a["median_us"] for a, _ in answers)
    torchs = statistics.median(b for _, b in answers)
    loss = answers[0][0]["loss"]
    return {
        "number": number,
        "kind": drawn.kind,
        "spusk_us": mine,
        "torch_us": torchs,
        "ratio": torchs / mine,
        "losses": [loss, best.loss],
        "agree": agree(drawn, loss, best.loss),
        "network": random_layers.summary(drawn),
    }


def print_row(row):
    losses = "" if row["agree"] else f"  LOSSES DIFFER: {row['losses'][0]:.6g}, PyTorch's {row['losses'][1]:.6g}"
    times = f"{row['spusk_us']:10.1f} µs {row['torch_us']:10.1f} µs"
    print(f"{row['ratio']:6.2f} {times}  {row['number']:3} {row['kind']:11} {row['network']}{losses}", flush=True)


def main():
    numbers = range(args.count) if args.only is None else [args.only]
    rows = sorted((compare(number) for number in numbers), key=lambda row: row["ratio"])
    for row in rows:
        print(json.dumps(row)) if args.json else print_row(row)
    mean = math.exp(statistics.fmean(math.log(row["ratio"]) for row in rows))
    below = sum(row["ratio"] < 1 for row in rows)
    differ = sum(not row["agree"] for row in rows)
    if args.json:
        print(json.dumps({"geometric_mean": mean, "below_1": below, "losses_differ": differ, "count": len(rows)}))
    else:
        print(f"{len(rows)} networks: geometric mean {mean:.2f}, {below} slower than PyTorch, {differ} whose losses differ")
    return 1 if differ else 0


if __name__ == "__main__":
    raise SystemExit(main())
