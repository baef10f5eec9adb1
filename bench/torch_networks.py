"""The networks of bench/networks in PyTorch's words: NETWORKS has, for each, its constructor, its input, its criterion, its
optimiser and the batch that it is measured with."""

from typing import Callable, NamedTuple

import torch
from torch import nn
from torch.nn import functional as F


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


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10), nn.LogSoftmax(1),
    )  # fmt: skip


def tanhnet():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 10),
    )  # fmt: skip


def wide():
    return nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)
    )


def bn_layer(n_in, n_out):
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU())


def bnnet():
    return nn.Sequential(
        bn_layer(1, 16), bn_layer(16, 16), nn.MaxPool2d(2), bn_layer(16, 32), bn_layer(32, 32), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 10),
    )  # fmt: skip


class Block(nn.Module):
    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        self.shortcut = nn.Identity()
        if n_in != n_out or stride != 1:
            conv = nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(n_out))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.shortcut(x))


def resnet():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2),
        Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip


def separable(n_in, n_out, stride):
    return nn.Sequential(
        nn.Conv2d(n_in, n_in, 3, stride=stride, padding=1, groups=n_in), nn.BatchNorm2d(n_in), nn.ReLU(),
        nn.Conv2d(n_in, n_out, 1), nn.BatchNorm2d(n_out), nn.ReLU(),
    )  # fmt: skip


def mobile():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        separable(16, 32, 1), separable(32, 64, 2), separable(64, 64, 1), separable(64, 128, 1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


def gan():
    return nn.Sequential(
        nn.Linear(64, 6272), nn.Unflatten(1, (128, 7, 7)), nn.BatchNorm2d(128), nn.ReLU(),
        nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1), nn.Sigmoid(),
    )  # fmt: skip


CHARACTERS, PLACES, WIDTH, HEADS, LAYERS = 65, 64, 192, 6, 3


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        n, places, _ = x.shape
        q, k, v = self.project(x).view(n, places, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(heads.transpose(1, 2).reshape(n, places, WIDTH))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Former(nn.Module):
    def __init__(self):
        super().__init__()
        self.characters = nn.Embedding(CHARACTERS, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(PLACES, WIDTH))
        layers = [Layer() for _ in range(LAYERS)]
        self.layers = nn.Sequential(*layers, nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CHARACTERS), nn.Flatten(0, 1))

    def forward(self, text):
        return self.layers(self.characters(text) + self.positions)


def tiny():
    return nn.Linear(8, 8)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=1e-3)


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=1e-3)


def adadelta(parameters):
    return torch.optim.Adadelta(parameters, lr=1)


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


def decayed(parameters):
    return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, weight_decay=5e-4)


class Network(NamedTuple):
    make: Callable
    input: str
    criterion: type
    optimizer: Callable
    batch: int = 64


NETWORKS = {
    "mlp": Network(mlp, "pixels", nn.NLLLoss, adam),
    "ae": Network(ae, "pixels", nn.MSELoss, adam),
    "cnn": Network(cnn, "images", nn.NLLLoss, adam),
    "convae": Network(convae, "images", nn.MSELoss, adam),
    "example": Network(example, "images", nn.NLLLoss, adadelta),
    "lenet": Network(lenet, "images", nn.NLLLoss, adam),
    "tanhnet": Network(tanhnet, "images", nn.CrossEntropyLoss, momentum),
    "wide": Network(wide, "pixels", nn.CrossEntropyLoss, adamw, 128),
    "bnnet": Network(bnnet, "images", nn.CrossEntropyLoss, adam),
    "resnet": Network(resnet, "colours", nn.CrossEntropyLoss, decayed),
    "mobile": Network(mobile, "images", nn.CrossEntropyLoss, adam),
    "gan": Network(gan, "codes", nn.MSELoss, adam),
    "former": Network(Former, "characters", nn.CrossEntropyLoss, adamw, 16),
    "tiny": Network(tiny, "middle", nn.MSELoss, adam),
}


def characters(digits):
    """Characters made of 65 pixels of the middle rows: how bright the pixel is and where it stands."""
    pixels = digits.reshape(len(digits), -1)[:, 364 : 365 + PLACES]
    text = ((pixels * PLACES).long() + 7 * torch.arange(PLACES + 1)) % CHARACTERS
    return text[:, :-1].contiguous(), text[:, 1:].reshape(-1)


def example_of(network, digits, labels):
    """What a network takes and what its criterion compares with, of digits (n, 1, 28, 28)."""
    if network.input == "characters":
        return characters(digits)
    pixels = digits.reshape(len(digits), -1)
    x = {
        "images": lambda: digits,
        "pixels": lambda: pixels,
        "middle": lambda: pixels[:, 400:408].contiguous(),
        "colours": lambda: F.pad(digits, (2, 2, 2, 2)).expand(-1, 3, -1, -1).contiguous(),
        "codes": lambda: torch.randn(len(digits), 64),
    }[network.input]()
    if network.criterion is nn.MSELoss:
        return x, digits if network.input == "codes" else x
    return x, labels
