"""The lesson's program in PyTorch with torchvision, as it is written; prints one line of JSON. Used by compare.py."""

import argparse
import gzip
import json
import os
import pathlib
import resource
import shutil
import tempfile
import time

began = time.perf_counter()
import torch
import torchvision
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)



def unpacked():
    """A folder as torchvision wants it, made of the files that spusk reads."""
    root = pathlib.Path(os.environ.get("SPUSK_DATA", pathlib.Path.home() / ".cache" / "spusk"))
    raw = pathlib.Path(tempfile.mkdtemp(), "MNIST", "raw")
    raw.mkdir(parents=True)
    for folder in (root, root / "mnist", root / "MNIST" / "raw"):
        for file in folder.glob("*-ubyte*"):
            source = gzip.open(file) if file.suffix == ".gz" else open(file, "rb")
            with source, open(raw / file.name.removesuffix(".gz"), "wb") as target:
                shutil.copyfileobj(source, target)
    return raw.parent.parent


root = unpacked()
to_tensor = torchvision.transforms.ToTensor()
train_data = torchvision.datasets.MNIST(root, train=True, transform=to_tensor)
val_data = torchvision.datasets.MNIST(root, train=False, transform=to_tensor)
train = torch.utils.data.DataLoader(train_data, batch_size=64, shuffle=True)
val = torch.utils.data.DataLoader(val_data, batch_size=64)
model = nn.Sequential(
    nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1)
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.NLLLoss()


def accuracy(loader):
    total = correct = 0
    with torch.no_grad():
        for X, y in loader:
            res = model(X.view(-1, 784)).argmax(1)
            total += len(res)
            correct += (res == y).sum().item()
    return correct / total


imported, losses = time.perf_counter() - began, []
began = time.perf_counter()
for epoch in range(arguments.epochs):
    for X, y in train:
        optimizer.zero_grad()
        loss = criterion(model(X.view(-1, 784)), y)
        loss.backward()
        losses.append(loss.item())
        optimizer.step()
    model.eval()
    both = accuracy(train), accuracy(val)
    model.train()
figures = {
    "epochs": arguments.epochs,
    "import_seconds": imported,
    "seconds": time.perf_counter() - began,
    "val_accuracy": both[1],
    "resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}
print(json.dumps(figures))
