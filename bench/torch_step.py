"""PyTorch's training steps of the reference networks; see peer.py."""

import contextlib

import peer

arguments = peer.options()

import torch
from torch import nn

torch.set_num_threads(arguments.threads)
torch.manual_seed(0)


def mlp():
    return nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1)
    )


def ae():
    encode = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 2))
    decode = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Sigmoid()
    )
    return nn.Sequential(encode, decode)


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1),
    )  # fmt: skip


def convae():
    encode = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(1568, 2),
    )  # fmt: skip
    decode = nn.Sequential(
        nn.Linear(2, 1568), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)), nn.ConvTranspose2d(32, 16, 2, stride=2), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 2, stride=2), nn.Sigmoid(),
    )  # fmt: skip
    return nn.Sequential(encode, decode)


def example():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10), nn.LogSoftmax(1),
    )  # fmt: skip


def tiny():
    return nn.Sequential(nn.Linear(8, 8))


MODELS = {"mlp": mlp, "ae": ae, "cnn": cnn, "convae": convae, "example": example, "tiny": tiny}
FLAT = {"mlp", "ae"}
REPRODUCES = {"ae", "convae", "tiny"}

model = MODELS[arguments.model]()
criterion = nn.MSELoss() if arguments.model in REPRODUCES else nn.NLLLoss()
if arguments.model == "example":
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1)
else:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
forward = torch.compile(model) if arguments.mode == "compile" else model
bf16 = arguments.precision == "bf16"


def step(x, y):
    optimizer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16) if bf16 else contextlib.nullcontext():
        loss = criterion(forward(x), y)
    loss.backward()
    number = loss.item()
    optimizer.step()
    return number


data, source = peer.batches(arguments.batch)
data = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in data]
if arguments.model in FLAT:
    data = [(x.reshape(-1, 784), y) for x, y in data]
if arguments.model == "tiny":
    data = [(x.reshape(-1, 784)[:, 400:408].contiguous(), y) for x, y in data]
if arguments.model in REPRODUCES:
    data = [(x, x) for x, y in data]
peer.serve(step, data, source)
