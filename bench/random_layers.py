"""Networks drawn at random, as lists of layers: what random_networks.py measures.

A layer is a tuple of its kind and its numbers, as bench/random_step.c lists them, or ("residual", body, shortcut)."""

import random
from typing import NamedTuple

ACTIVATIONS = ["relu"] * 5 + ["tanh", "sigmoid", "gelu", "gelu", "silu", "leaky_relu", "elu", "softplus"]
OPTIMIZERS = ["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adam", "adam", "adamw", "adamw", "adamax", "nadam"]
MOST_WORK = 1.2e9  # multiply-adds of a forward pass
CHARACTERS = 65


class Drawn(NamedTuple):
    kind: str
    layers: list
    input: tuple  # without the batch
    loss: str
    optimizer: str
    batch: int


def classifier_end(rng, features, classes):
    """The last layers and their loss."""
    loss = rng.choice(["entropy", "entropy", "nll"])
    return [("linear", features, classes, 1)] + [("log_softmax",)] * (loss == "nll"), loss


def dense(rng):
    """Linears with or without norms, for classes or for numbers."""
    features = first = rng.choice([8, 64, 100, 300, 784, 1000, 3072])
    norm = rng.choice([None, None, "batch_norm1d", "layer_norm"])
    act, dropout = rng.choice(ACTIVATIONS), rng.choice([0, 0, 0.1, 0.5])
    layers = []
    for _ in range(rng.randint(1, 5)):
        width = rng.choice([16, 32, 50, 64, 100, 128, 200, 256, 300, 512, 1000, 1024, 2048])
        layers += [("linear", features, width, 1)]
        layers += [(norm, width)] * bool(norm) + [(act,)] + [("dropout", dropout)] * bool(dropout)
        features = width
    if rng.random() < 0.3:
        loss = rng.choice(["mse", "l1", "smooth_l1"])
        return layers + [("linear", features, rng.choice([1, 4, 64, first]), 1)], (first,), loss
    end, loss = classifier_end(rng, features, rng.choice([2, 10, 100, 1000]))
    return layers + end, (first,), loss


def convolution(rng, n_in, n_out, size, act, norm):
    """A convolution with what follows it, and the size of its images."""
    kernel = rng.choice([1, 2, 3, 3, 3, 3, 5, 5, 7])
    kernel = min(kernel, size)
    stride = rng.choice([1, 1, 1, 2]) if size >= 4 else 1
    dilation = rng.choice([1, 1, 1, 1, 2]) if kernel == 3 and size >= 8 else 1
    padding = rng.choice([0, kernel // 2 * dilation]) if size > 8 else kernel // 2 * dilation
    groups = rng.choice([1, 1, 1, 1, 4]) if n_in % 4 == 0 and n_out % 4 == 0 else 1
    size = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    layers = [("conv", n_in, n_out, kernel, stride, padding, dilation, groups, int(not norm))]
    return layers + [("batch_norm2d", n_out)] * norm + [(act,)], size


def separable(rng, n_in, n_out, size, act, norm):
    """A convolution of each channel by itself, then one of single places."""
    kernel, stride = rng.choice([3, 3, 5]), rng.choice([1, 1, 2]) if size >= 4 else 1
    layers = [("conv", n_in, n_in, kernel, stride, kernel // 2, 1, n_in, int(not norm))]
    layers += [("batch_norm2d", n_in)] * norm + [(act,), ("conv", n_in, n_out, 1, 1, 0, 1, 1, int(not norm))]
    layers += [("batch_norm2d", n_out)] * norm + [(act,)]
    return layers, (size - 1) // stride + 1


def block(rng, n_in, n_out, size, act, norm):
    """Two convolutions beside a shortcut."""
    stride = rng.choice([1, 2]) if size >= 4 else 1
    bn = [("batch_norm2d", n_out)] * norm
    body = [("conv", n_in, n_out, 3, stride, 1, 1, 1, int(not norm)), *bn, (act,)]
    body += [("conv", n_out, n_out, 3, 1, 1, 1, 1, int(not norm)), *bn]
    changes = n_in != n_out or stride != 1
    shortcut = [("conv", n_in, n_out, 1, stride, 0, 1, 1, int(not norm)), *bn] if changes else [("identity",)]
    return [("residual", body, shortcut), (act,)], (size - 1) // stride + 1


def pooling(rng, size):
    kind = rng.choice(["max_pool", "max_pool", "avg_pool", None])
    if not kind or size < 4:
        return [], size
    kernel, stride, padding = rng.choice([(2, 2, 0), (2, 2, 0), (3, 2, 0), (3, 2, 1)])
    return [(kind, kernel, stride, padding)], (size + 2 * padding - kernel) // stride + 1


def stages(rng, channels, size):
    """Layers of images, the channels and the size that come out."""
    stage = rng.choice([convolution, convolution, convolution, separable, block])
    act, norm, dropout = rng.choice(ACTIVATIONS), rng.random() < 0.5, rng.choice([0, 0, 0, 0.25])
    layers = []
    for i in range(rng.randint(1, 4)):
        width = rng.choice([6, 8, 12, 16, 20, 24, 32, 32, 48, 50, 64, 64, 96, 128])
        more, size = (convolution if i == 0 else stage)(rng, channels, width, size, act, norm)
        pool, size = pooling(rng, size)
        layers += more + pool + [("dropout", dropout)] * bool(dropout)
        channels = width
    return layers, channels, size


def images(rng):
    """Convolutions of images, then Linears."""
    channels, size = rng.choice([(1, 28), (1, 28), (3, 32), (3, 32), (1, 16), (3, 48), (3, 64)])
    layers, n, side = stages(rng, channels, size)
    if rng.random() < 0.4:
        layers, features = layers + [("adaptive_avg_pool", 1), ("flatten",)], n
    else:
        layers, features = layers + [("flatten",)], n * side * side
    if rng.random() < 0.5:
        width = rng.choice([32, 64, 120, 128, 256, 500])
        layers, features = layers + [("linear", features, width, 1), (rng.choice(ACTIVATIONS),)], width
    end, loss = classifier_end(rng, features, rng.choice([2, 10, 10, 100]))
    return layers + end, (channels, size, size), loss


def generator(rng):
    """From codes to images."""
    code, n, side = rng.choice([2, 16, 64, 100]), rng.choice([16, 32, 64, 128]), rng.choice([4, 7, 8])
    act, norm = rng.choice(ACTIVATIONS), rng.random() < 0.5
    layers = [("linear", code, n * side * side, 1), ("unflatten", n, side, side)]
    layers += [("batch_norm2d", n)] * norm + [(act,)]
    for _ in range(rng.randint(1, 2)):
        width = rng.choice([8, 16, 32, 64])
        kernel, stride, padding = rng.choice([(4, 2, 1), (2, 2, 0), (3, 1, 1), (3, 2, 1), (5, 2, 2)])
        layers += [("transposed", n, width, kernel, stride, padding, int(not norm))]
        layers, n = layers + [("batch_norm2d", width)] * norm + [(act,)], width
    layers += [("transposed", n, rng.choice([1, 3]), *rng.choice([(4, 2, 1), (2, 2, 0)]), 1), ("sigmoid",)]
    return layers, (code,), rng.choice(["mse", "mse", "bce", "l1"])


def transformer(rng):
    """Layers of attention over characters."""
    width, places = rng.choice([32, 64, 100, 128, 192, 256]), rng.choice([8, 16, 33, 64, 100, 128])
    heads = rng.choice([h for h in (1, 2, 4, 8) if width % h == 0])
    act, dropout = rng.choice(["gelu", "gelu", "relu", "silu"]), rng.choice([0, 0, 0.1])
    layers = [("embedding", CHARACTERS, width)]
    for _ in range(rng.randint(1, 3)):
        mlp = [("layer_norm", width), ("linear", width, 4 * width, 1), (act,), ("linear", 4 * width, width, 1)]
        drop = [("dropout", dropout)] * bool(dropout)
        layers += [("residual", [("layer_norm", width), ("attention", width, heads), *drop], [("identity",)])]
        layers += [("residual", mlp + drop, [("identity",)])]
    end, loss = classifier_end(rng, width * places, rng.choice([2, 10]))
    return layers + [("flatten",)] + end, (places,), loss


KINDS = [dense, dense, images, images, images, images, generator, transformer]


def draw(seed):
    rng = random.Random(seed)
    make = rng.choice(KINDS)
    layers, size, loss = make(rng)
    batch = rng.choice([1, 2, 5, 8, 16, 32, 64, 64, 100, 128, 256, 512])
    return Drawn(make.__name__, layers, size, loss, rng.choice(OPTIMIZERS), batch)


def text_of(drawn):
    """The description that bench/random_step.c reads."""

    def lines(layers):
        for kind, *numbers in layers:
            if kind == "residual":
                yield from ("residual", *lines(numbers[0]), "shortcut", *lines(numbers[1]), "end")
            else:
                yield " ".join(map(str, (kind, *numbers)))

    return "\n".join((drawn.loss, drawn.optimizer, *lines(drawn.layers))) + "\n"


def summary(drawn):
    """The network on one line."""

    def words(layers):
        for kind, *numbers in layers:
            if kind == "residual":
                yield f"residual({' '.join(words(numbers[0]))} | {' '.join(words(numbers[1]))})"
            else:
                yield kind + (",".join(map(str, numbers)) if not numbers else f"({','.join(map(str, numbers))})")

    size = "×".join(map(str, (drawn.batch, *drawn.input)))
    return f"{size}: {' '.join(words(drawn.layers))}; {drawn.loss}, {drawn.optimizer}"
