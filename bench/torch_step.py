"""PyTorch's training steps of the networks of torch_networks.py; see peer.py."""

import contextlib

import peer

arguments = peer.options()

import torch

from torch_networks import NETWORKS, example_of

torch.set_num_threads(arguments.threads)
network = NETWORKS[arguments.model]
bf16 = arguments.precision == "bf16"


def stepper(memory_format):
    """A step of a new network whose images and weights lie in one of PyTorch's two orders."""
    torch.manual_seed(0)
    model = network.make().to(memory_format=memory_format)
    criterion = network.criterion()
    optimizer = network.optimizer(model.parameters())
    forward = torch.compile(model) if arguments.mode == "compile" else model

    def step(x, y):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext():
            loss = criterion(forward(x), y)
        loss.backward()
        number = loss.item()
        optimizer.step()
        return number

    return step


def arranged(data, memory_format):
    return [(x.contiguous(memory_format=memory_format) if x.dim() == 4 else x, y) for x, y in data]


def pace(memory_format, data):
    """Microseconds of a step, after a warm-up."""
    step, data = stepper(memory_format), arranged(data, memory_format)
    peer.run(step, data, 0.3)
    times, _ = peer.run(step, data, 0.5)
    return sorted(times)[len(times) // 2]


def best_format(data):
    """The order of memory that PyTorch is faster with."""
    if not any(p.dim() == 4 for p in network.make().parameters()):
        return torch.contiguous_format
    return min((torch.contiguous_format, torch.channels_last), key=lambda f: pace(f, data))


digits, source = peer.batches(arguments.batch or network.batch)
data = [example_of(network, torch.from_numpy(x), torch.from_numpy(y)) for x, y in digits]
best = best_format(data)
peer.serve(stepper(best), arranged(data, best), source)
