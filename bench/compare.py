#!/usr/bin/env python3
"""Training steps of the reference networks, spusk's beside PyTorch's (and JAX's, where installed): in turns on the same
machine in one go, since machines have slow phases. Prints medians over the turns, their spread, and the ratios.

    bench/compare.py --models mlp,cnn --threads 1,2 --turns 5
    bench/compare.py --precisions f32,bf16 --json >figures.json
    bench/compare.py --ops --threads 1 --seconds 10       # operators one by one

Needs a build of the program (./dev build) and a Python with PyTorch: --python names another one than this."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MODELS = "mlp,ae,cnn,convae,example,lenet,tanhnet,wide,bnnet,resnet,mobile,gan,former"
JAX_MODELS = {"mlp", "ae", "cnn"}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=MODELS)
    parser.add_argument("--threads", default="1,2", help="numbers of threads (1,2)")
    parser.add_argument("--precisions", default="f32", help="f32, bf16 (PyTorch: autocast)")
    parser.add_argument("--batch", type=int, default=0, help="0: the one that each network is measured with")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of measuring a program in each turn (2)")
    parser.add_argument("--peers", default="torch,jax", help="torch, compile (torch.compile), jax; those not installed are left out")
    parser.add_argument("--spusk", default=str(HERE.parent / "build" / "spusk"), help="the program")
    parser.add_argument("--python", default=sys.executable, help="a Python that has the peers")
    parser.add_argument("--ops", action="store_true", help="compare operators instead, one by one")
    parser.add_argument("--lesson", type=int, default=0, metavar="EPOCHS", help="compare the lesson's program instead")
    parser.add_argument("--json", action="store_true", help="one object a line instead of the table")
    return parser.parse_args()


class Ours:
    """A new process each turn: it starts in milliseconds."""

    def __init__(self, args, model, threads, precision):
        self.command = [args.spusk, "bench", "step", "--json", "--model", model]
        self.command += ["--batch", str(args.batch)] if args.batch else []
        self.command += ["--threads", str(threads), "--precision", precision]
        self.threads = threads

    def measure(self, seconds):
        processors = sorted(os.sched_getaffinity(0))[-self.threads :]
        done = subprocess.run(
            self.command + ["--seconds", str(seconds)],
            stdout=subprocess.PIPE,
            check=True,
            preexec_fn=lambda: os.sched_setaffinity(0, processors),
        )
        return json.loads(done.stdout)

    def close(self):
        pass


class Peer:
    """A process that stays, since its framework takes seconds to import, and sleeps between its turns."""

    def __init__(self, args, peer, model, threads, precision):
        script = "jax_step.py" if peer == "jax" else "torch_step.py"
        command = [args.python, str(HERE / script), "--model", model, "--batch", str(args.batch)]
        command += ["--threads", str(threads), "--precision", precision]
        command += ["--mode", "compile" if peer == "compile" else "eager"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        self.measure(0.1)  # waits until it has started: it would disturb the first turn of the others

    def measure(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the peer ended; what it said stands above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def installed(python, module):
    return subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def available_peers(args):
    wanted = args.peers.split(",") if args.peers else []
    modules = {"torch": "torch", "compile": "torch", "jax": "jax"}
    there = [peer for peer in wanted if installed(args.python, modules[peer])]
    for peer in set(wanted) - set(there):
        print(f"compare.py: {args.python} has no {modules[peer]}, so it is left out", file=sys.stderr)
    return there


def summary(answers):
    medians = [a["median_us"] for a in answers]
    return {
        "median_us": statistics.median(medians),
        "low_us": min(medians),
        "high_us": max(medians),
        "resident_bytes": max(a["resident_bytes"] for a in answers),
        **{key: answers[-1][key] for key in ("density", "step_bytes", "data", "isa") if key in answers[-1]},
    }


def compare(args, peers, model, threads, precision):
    runners = {"spusk": Ours(args, model, threads, precision)}
    for peer in peers:
        if peer != "jax" or (model in JAX_MODELS and precision == "f32"):
            runners[peer] = Peer(args, peer, model, threads, precision)
    answers = {name: [] for name in runners}
    for _ in range(args.turns):
        for name, runner in runners.items():
            answers[name].append(runner.measure(args.seconds))
    for runner in runners.values():
        runner.close()
    return {name: summary(a) for name, a in answers.items()}


def print_row(model, threads, precision, results):
    ours = results["spusk"]
    density = f"  density {ours['density']:.3f}" if ours.get("density") else ""
    print(f"{model}, {threads} thread{'s' if threads > 1 else ''}, {precision}{density}")
    for name, r in results.items():
        ratio = "" if name == "spusk" else f"  {r['median_us'] / ours['median_us']:6.2f} times ours"
        spread = f"{r['low_us']:9.1f} … {r['high_us']:9.1f}"
        print(f"  {name:8} {r['median_us']:9.1f} µs  ({spread})  {r['resident_bytes'] / 1e6:7.1f} MB{ratio}", flush=True)


def lesson(args):
    threads = args.threads.split(",")[-1]
    ours = [args.spusk, "bench", "lesson", "--json", "--epochs", str(args.lesson), "--threads", threads]
    theirs = [args.python, str(HERE / "torch_lesson.py"), "--epochs", str(args.lesson), "--threads", threads]
    results = {"spusk": [], "torch": []}
    for _ in range(args.turns):
        for name, command in (("spusk", ours), ("torch", theirs)):
            results[name].append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout))
    row = {"lesson": args.lesson, "threads": int(threads)}
    for name, answers in results.items():
        row[name] = {key: statistics.median(a[key] for a in answers) for key in ("seconds", "val_accuracy", "resident_bytes")}
    row["ratio"] = row["torch"]["seconds"] / row["spusk"]["seconds"]
    row["memory_ratio"] = row["torch"]["resident_bytes"] / row["spusk"]["resident_bytes"]
    if args.json:
        print(json.dumps(row))
        return
    print(f"the lesson, {args.lesson} epochs, {threads} threads")
    for name in ("spusk", "torch"):
        r = row[name]
        print(f"  {name:8} {r['seconds']:7.2f} s  {r['resident_bytes'] / 1e6:7.1f} MB  accuracy {r['val_accuracy']:.4f}")
    print(f"  {row['ratio']:.1f} times the time, {row['memory_ratio']:.1f} times the memory")


class Operators:
    """PyTorch's times of operators, by torch_ops.py."""

    def __init__(self, args, threads):
        command = [args.python, str(HERE / "torch_ops.py"), "--threads", str(threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, row, seconds):
        self.process.stdin.write(json.dumps([seconds, row]) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def operators_of(args, threads):
    """Each operator's times in microseconds, ours and PyTorch's, forward and with backward; medians of the turns."""
    ours = [args.spusk, "bench", "ops", "--json", "--threads", str(threads), "--seconds", str(args.seconds)]
    theirs, rows, found = Operators(args, threads), [], {}
    for _ in range(args.turns):
        lines = subprocess.run(ours, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()
        rows = [json.loads(line) for line in lines]
        for row in (row for row in rows if row["python"]):
            peer = theirs.measure(row, args.seconds / (2 * len(rows)))
            found.setdefault(row["op"], []).append([row["median_us"], peer[0], row["both_us"], peer[1]])
    theirs.close()
    return [(row, *map(median_of, zip(*found[row["op"]]))) for row in rows if row["python"]]


def median_of(values):
    return None if values[0] is None else statistics.median(values)


def operators(args):
    for threads in map(int, args.threads.split(",")):
        print(f"operators, {threads} thread{'s' if threads > 1 else ''}: forward, with backward; µs, PyTorch's, ratio")
        for row, ours, theirs, both, their_both in operators_of(args, threads):
            line = f"{row['op']:32} {ours:9.2f} {theirs:9.2f} {theirs / ours:6.2f}"
            if both:
                line += f"   {both:9.2f} {their_both:9.2f} {their_both / both:6.2f}"
            behind = theirs < ours or (both and their_both < both)
            print(line + ("  behind" if behind else ""), flush=True)


def main():
    args = parse()
    if args.ops:
        return operators(args)
    if args.lesson:
        return lesson(args)
    peers = available_peers(args)
    for precision in args.precisions.split(","):
        for model in args.models.split(","):
            for threads in map(int, args.threads.split(",")):
                results = compare(args, peers, model, threads, precision)
                if args.json:
                    row = {"model": model, "threads": threads, "precision": precision, "batch": args.batch, **results}
                    print(json.dumps(row), flush=True)
                else:
                    print_row(model, threads, precision, results)


if __name__ == "__main__":
    main()
