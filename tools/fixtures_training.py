#!/usr/bin/env python3
"""Writes what PyTorch computes while it trains: tests/fixtures/training/*.txt.

    python3 tools/fixtures_training.py

losses.txt has a line for each network, dtype and optimiser: its name and twenty training losses. schedules.txt has a
line for each schedule: its name, and after its making and each epoch the learning rate of both groups and the momentum
of the first (0 where the optimiser has none); plateau metrics are computed alike. clipping.txt has total norms.
images.txt has the losses of networks of convolutions.
Weights and batches come from splitmix64 here and in tests/support/training.c, so only results are stored.
Needs PyTorch (2.15 made what is committed) and NumPy from PyPI.
"""
import math
import os

import numpy as np
import torch
from torch import nn, optim
from torch.optim import lr_scheduler

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures", "training")
STEPS, BATCH, FEATURES, CLASSES = 20, 64, 784, 10


def words(seed, n):
    """The first n numbers of splitmix64."""
    z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(seed, n):
    return (words(seed, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def mlp():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1))


def deep():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Dropout(0.25), nn.Linear(256, 128), nn.Tanh(), nn.Dropout(0.5),
        nn.Linear(128, 64), nn.GELU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 32), nn.Sigmoid(),
        nn.Linear(32, 10), nn.LogSoftmax(1)).eval()


def set_weights(model):
    """Uniform in plus or minus one over the root of the inputs, parameter by parameter."""
    with torch.no_grad():
        layers = [m for m in model if isinstance(m, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d))]
        for i, layer in enumerate(layers):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            for k, p in enumerate(layer.parameters()):
                values = (2 * uniform(100 + 2 * i + k, p.numel()) - 1) * bound
                p.copy_(torch.from_numpy(values).reshape(p.shape))


def batch(step):
    x = torch.from_numpy(uniform(1000 + step, BATCH * FEATURES)).reshape(BATCH, FEATURES)
    y = torch.from_numpy((words(2000 + step, BATCH) % np.uint64(CLASSES)).astype(np.int64))
    return x, y


OPTIMIZERS = {
    "sgd": (optim.SGD, {}),
    "sgd_momentum": (optim.SGD, dict(lr=0.05, momentum=0.9)),
    "sgd_dampening": (optim.SGD, dict(lr=0.05, momentum=0.9, dampening=0.5, weight_decay=1e-2)),
    "sgd_nesterov": (optim.SGD, dict(lr=0.05, momentum=0.8, nesterov=True, weight_decay=1e-3)),
    "sgd_maximize": (optim.SGD, dict(lr=1e-3, maximize=True)),
    "adagrad": (optim.Adagrad, {}),
    "adagrad_decay": (optim.Adagrad, dict(lr_decay=0.1, weight_decay=1e-2, initial_accumulator_value=0.1)),
    "adadelta": (optim.Adadelta, {}),
    "adadelta_decay": (optim.Adadelta, dict(lr=0.1, rho=0.8, weight_decay=1e-2, eps=1e-5)),
    "rmsprop": (optim.RMSprop, dict(lr=1e-3)),
    "rmsprop_momentum": (optim.RMSprop, dict(lr=1e-4, momentum=0.9, weight_decay=1e-2)),
    "rmsprop_centered": (optim.RMSprop, dict(lr=1e-4, alpha=0.9, centered=True)),
    "rmsprop_both": (optim.RMSprop, dict(lr=1e-4, momentum=0.5, centered=True)),
    "adam": (optim.Adam, {}),
    "adam_decay": (optim.Adam, dict(betas=(0.8, 0.99), eps=1e-6, weight_decay=1e-2)),
    "adam_maximize": (optim.Adam, dict(lr=1e-4, maximize=True)),
    "amsgrad": (optim.Adam, dict(betas=(0.9, 0.9), amsgrad=True)),
    "adamw": (optim.AdamW, {}),
    "adamw_amsgrad": (optim.AdamW, dict(betas=(0.9, 0.9), weight_decay=0.1, amsgrad=True)),
    "adamax": (optim.Adamax, {}),
    "adamax_decay": (optim.Adamax, dict(betas=(0.5, 0.9), weight_decay=1e-2)),
    "nadam": (optim.NAdam, {}),
    "nadam_decay": (optim.NAdam, dict(momentum_decay=1e-2, weight_decay=1e-2)),
}


def train(make, dtype, kind, options):
    # NAdam keeps its product of momenta in the default type.
    torch.set_default_dtype(dtype)
    model = make()
    set_weights(model)
    optimizer = kind(model.parameters(), **options)
    criterion, losses = nn.NLLLoss(), []
    for step in range(STEPS):
        x, y = batch(step)
        optimizer.zero_grad()
        loss = criterion(model(x.to(dtype)), y)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    torch.set_default_dtype(torch.float32)
    return losses


def write(name, lines):
    with open(os.path.join(FOLDER, name), "w", encoding="ascii") as file:
        file.write("# PyTorch %s; made by tools/fixtures_training.py\n" % torch.__version__.split("+")[0])
        file.writelines(name + " " + " ".join("%.17g" % x for x in values) + "\n" for name, values in lines)


def write_losses():
    lines = []
    for network, make, dtype, type_name in (
            ("mlp", mlp, torch.float64, "f64"), ("deep", deep, torch.float64, "f64"), ("mlp", mlp, torch.float32, "f32")):
        for name, (kind, options) in OPTIMIZERS.items():
            lines.append(("%s_%s_%s" % (network, type_name, name), train(make, dtype, kind, options)))
    write("losses.txt", lines)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(192, 10), nn.LogSoftmax(1))


def convae():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, 5), nn.Linear(5, 128), nn.Unflatten(1, (8, 4, 4)),
        nn.ConvTranspose2d(8, 4, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(4, 1, 2, stride=2), nn.Sigmoid())


def odd():
    return nn.Sequential(
        nn.Conv2d(1, 6, (3, 4), padding="same"), nn.Tanh(),
        nn.Conv2d(6, 9, 3, stride=(2, 1), padding=(1, 0), groups=3, bias=False), nn.Tanh(),
        nn.Conv2d(9, 4, 2, dilation=2), nn.GELU(),
        nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), nn.GELU(),
        nn.Flatten(), nn.Linear(6 * 10 * 20, 10), nn.LogSoftmax(1))


IMAGE_BATCH = 16


def images(step, side):
    n = IMAGE_BATCH * side * side
    x = torch.from_numpy(uniform(3000 + step, n)).reshape(IMAGE_BATCH, 1, side, side)
    return x, torch.from_numpy((words(4000 + step, IMAGE_BATCH) % np.uint64(CLASSES)).astype(np.int64))


def train_images(make, side, name):
    kind, options = OPTIMIZERS[name]
    model = make().double()
    set_weights(model)
    optimizer, losses = kind(model.parameters(), **options), []
    for step in range(STEPS):
        x, y = images(step, side)
        optimizer.zero_grad()
        output = model(x)
        loss = nn.functional.mse_loss(output, x) if output.shape == x.shape else nn.functional.nll_loss(output, y)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    return losses


def write_images():
    write("images.txt", [("%s_%s" % (make.__name__, name), train_images(make, side, name))
                         for make, side in ((cnn, 14), (convae, 16), (odd, 14))
                         for name in ("sgd_momentum", "adam", "adadelta")])


EPOCHS = 40


def metric(epoch):
    """Falls, then stays, then falls again, with a little noise."""
    return max(1 - 0.1 * epoch, 0.5) - (0.2 if epoch >= 30 else 0) + 1e-3 * (epoch * 7 % 5)


SCHEDULES = {
    "step": ("sgd", lambda o: [lr_scheduler.StepLR(o, 7)]),
    "step_gamma": ("sgd", lambda o: [lr_scheduler.StepLR(o, 3, gamma=0.7)]),
    "multi_step": ("sgd", lambda o: [lr_scheduler.MultiStepLR(o, [3, 8, 8, 20], gamma=0.5)]),
    "exponential": ("sgd", lambda o: [lr_scheduler.ExponentialLR(o, 0.93)]),
    "cosine": ("sgd", lambda o: [lr_scheduler.CosineAnnealingLR(o, 12)]),
    "cosine_eta_min": ("sgd", lambda o: [lr_scheduler.CosineAnnealingLR(o, 17, eta_min=1e-3)]),
    "linear": ("sgd", lambda o: [lr_scheduler.LinearLR(o)]),
    "linear_down": ("sgd", lambda o: [lr_scheduler.LinearLR(o, start_factor=0.9, end_factor=0, total_iters=25)]),
    "one_cycle": ("sgd", lambda o: [lr_scheduler.OneCycleLR(o, 0.2, total_steps=40)]),
    "one_cycle_adam": ("adam", lambda o: [lr_scheduler.OneCycleLR(o, 0.2, total_steps=41, pct_start=0.4)]),
    "one_cycle_linear": ("sgd", lambda o: [lr_scheduler.OneCycleLR(
        o, 0.3, total_steps=45, anneal_strategy="linear", div_factor=10, final_div_factor=100, base_momentum=0.5,
        max_momentum=0.99)]),
    "one_cycle_three": ("sgd", lambda o: [lr_scheduler.OneCycleLR(o, 0.2, total_steps=40, three_phase=True)]),
    "one_cycle_keep": ("adadelta", lambda o: [lr_scheduler.OneCycleLR(o, 0.2, total_steps=40, cycle_momentum=False)]),
    "plateau": ("sgd", lambda o: [lr_scheduler.ReduceLROnPlateau(o, patience=2)]),
    "plateau_cooldown": ("sgd", lambda o: [lr_scheduler.ReduceLROnPlateau(
        o, factor=0.5, patience=0, cooldown=3, threshold=0.05, threshold_mode="abs", min_lr=1e-2)]),
    "plateau_max": ("sgd", lambda o: [lr_scheduler.ReduceLROnPlateau(o, mode="max", factor=0.3, patience=4)]),
    "two": ("sgd", lambda o: [lr_scheduler.LinearLR(o, total_iters=4), lr_scheduler.ExponentialLR(o, 0.9)]),
}


def schedule(kind, make):
    first, second = torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)
    groups = [dict(params=[first]), dict(params=[second], lr=0.03)]
    optimizer = {
        "sgd": lambda: optim.SGD(groups, lr=0.1, momentum=0.9),
        "adam": lambda: optim.Adam(groups, lr=0.1),
        "adadelta": lambda: optim.Adadelta(groups, lr=0.1),
    }[kind]()
    schedulers, values = make(optimizer), []
    for epoch in range(EPOCHS):
        group = optimizer.param_groups[0]
        values += [group["lr"], optimizer.param_groups[1]["lr"],
                   group["momentum"] if "momentum" in group else group["betas"][0] if "betas" in group else 0]
        optimizer.step()
        for s in schedulers:
            s.step(metric(epoch)) if isinstance(s, lr_scheduler.ReduceLROnPlateau) else s.step()
    return values


def write_schedules():
    write("schedules.txt", [(name, schedule(kind, make)) for name, (kind, make) in SCHEDULES.items()])


def write_clipping():
    lines = []
    for name, p in (("one", 1), ("two", 2), ("three", 3), ("most", math.inf)):
        for limit in (0.5, 100):
            xs = [torch.zeros(shape, dtype=torch.float64) for shape in ((3, 4), (5,), ())]
            for i, x in enumerate(xs):
                x.grad = torch.from_numpy(2 * uniform(10 + i, x.numel()) - 1).reshape(x.shape)
            total = nn.utils.clip_grad_norm_(xs, limit, norm_type=p)
            lines.append(("%s_%g" % (name, limit), [total.item()] + [v for x in xs for v in x.grad.flatten().tolist()]))
    write("clipping.txt", lines)


def main():
    torch.manual_seed(0)
    torch.set_num_threads(2)
    os.makedirs(FOLDER, exist_ok=True)
    with np.errstate(over="ignore"):
        write_losses()
        write_schedules()
        write_clipping()
        write_images()


if __name__ == "__main__":
    main()
