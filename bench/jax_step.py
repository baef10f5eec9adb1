"""JAX's training steps of the reference networks without random layers, jitted as a whole; see peer.py."""

import os

import peer

arguments = peer.options()
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

random = np.random.default_rng(0)


def uniform(shape, fan_in):
    bound = fan_in**-0.5
    return jnp.asarray(random.uniform(-bound, bound, shape), jnp.float32)


def linear(n_in, n_out):
    return {"w": uniform((n_in, n_out), n_in), "b": uniform((n_out,), n_in)}


def conv(n_in, n_out, size):
    return {"w": uniform((size, size, n_in, n_out), n_in * size * size), "b": uniform((n_out,), n_in * size * size)}


def dense(p, x):
    return x @ p["w"] + p["b"]


def convolve(p, x):
    dims = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, p["w"], (1, 1), "SAME", dimension_numbers=dims) + p["b"]


def pool(x):
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def classify(logits, y):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], 1))


def layers(p, x):
    for i, q in enumerate(p):
        x = dense(q, x)
        if i + 1 < len(p):
            x = jax.nn.relu(x)
    return x


def mlp_loss(p, x, y):
    return classify(layers(p, x), y)


def ae_loss(p, x, y):
    return jnp.mean((jax.nn.sigmoid(layers(p[3:], layers(p[:3], x))) - x) ** 2)


def cnn_loss(p, x, y):
    for q in p[:2]:
        x = pool(jax.nn.relu(convolve(q, x)))
    return classify(layers(p[2:], x.reshape(len(x), -1)), y)


MODELS = {
    "mlp": (mlp_loss, lambda: [linear(784, 256), linear(256, 128), linear(128, 10)]),
    "ae": (ae_loss, lambda: [linear(*n) for n in ((784, 256), (256, 64), (64, 2), (2, 64), (64, 256), (256, 784))]),
    "cnn": (cnn_loss, lambda: [conv(1, 32, 3), conv(32, 64, 3), linear(3136, 128), linear(128, 10)]),
}
loss_of, build = MODELS[arguments.model]


@jax.jit
def whole_step(state, x, y):
    p, m, v, t = state
    loss, g = jax.value_and_grad(loss_of)(p, x, y)
    t = t + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-8), p, m, v)
    return (p, m, v, t), loss


parameters = build()
zeros = jax.tree.map(jnp.zeros_like, parameters)
state = (parameters, zeros, zeros, jnp.float32(0))


def step(x, y):
    global state
    state, loss = whole_step(state, x, y)
    return float(loss)


data, source = peer.batches(arguments.batch)
shape = (arguments.batch, 28, 28, 1) if arguments.model == "cnn" else (arguments.batch, 784)
data = [(jnp.asarray(x.reshape(shape)), jnp.asarray(y.astype(np.int32))) for x, y in data]
peer.serve(step, data, source)
