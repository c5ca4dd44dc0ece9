#!/usr/bin/env python3
"""Makes tests/data/train_step.{index,data-00000-of-00001}: what TensorFlow gives for five training
steps of the trainer's network, for tests/unit/train/test_net.c.

    python3 tests/data/make_train_step.py

Two blocks, 16 dense units, a batch of 8, no dropout, Adam at 0.001. Weights and images are functions
of their index (`unit`), which the test computes too. The checkpoint holds

    loss                [5] of each step
    gradient/NAME       of step 0, by every trainable tensor
    step1/NAME, step5/NAME   all tensors after one and after five steps

of large tensors only every STRIDE-th element (13 divides no dimension of theirs, so each row,
column and tap is seen).
"""
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import numpy as np
import tensorflow as tf

OUT = pathlib.Path(__file__).resolve().parent / "train_step"
BATCH, UNITS, STEPS, RATE, STRIDE, LARGE = 8, 16, 5, 0.001, 13, 1024
v1 = tf.compat.v1

# Name, shape, and the value: centre + scale * unit. Powers of two, so that floats are exact.
TENSORS = [
    ("conv2d/kernel", [5, 5, 1, 32], 0.0, 1 / 8),
    ("batch_normalization/gamma", [32], 1.0, 1 / 4),
    ("batch_normalization/beta", [32], 0.0, 1 / 8),
    ("batch_normalization/moving_mean", [32], 0.0, 0.0),
    ("batch_normalization/moving_variance", [32], 1.0, 0.0),
    ("conv2d_1/kernel", [5, 5, 32, 32], 0.0, 1 / 16),
    ("batch_normalization_1/gamma", [32], 1.0, 1 / 4),
    ("batch_normalization_1/beta", [32], 0.0, 1 / 8),
    ("batch_normalization_1/moving_mean", [32], 0.0, 0.0),
    ("batch_normalization_1/moving_variance", [32], 1.0, 0.0),
    ("dense/kernel", [1568, UNITS], 0.0, 1 / 16),
    ("dense/bias", [UNITS], 0.0, 1 / 8),
    ("dense_1/kernel", [UNITS, 10], 0.0, 1 / 2),
    ("dense_1/bias", [10], 0.0, 1 / 8),
]


def bits(stream, n):
    """n 32-bit numbers: the finaliser of MurmurHash3 over an index."""
    x = (np.arange(n, dtype=np.uint64) + stream * 1000003) & 0xFFFFFFFF
    x ^= x >> 16
    x = x * 0x85EBCA6B & 0xFFFFFFFF
    x ^= x >> 13
    x = x * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ (x >> 16)


def unit(stream, n):
    """n floats in [-1, 1), multiples of 2^-23."""
    return ((bits(stream, n) >> 8).astype(np.float32) * np.float32(2.0**-23)) - np.float32(1)


def make_images():
    """Noise in the inner 20x20 pixels; the border is flat, so that pools see ties."""
    pixels = (bits(100, BATCH * 784) >> 24).astype(np.float32).reshape(BATCH, 28, 28, 1)
    inside = np.zeros([28, 28, 1], np.float32)
    inside[4:24, 4:24] = 1
    return pixels * inside / np.float32(256)


def sample(value):
    flat = np.asarray(value, np.float32).reshape(-1)
    return flat[::STRIDE] if flat.size > LARGE else flat


def main():
    variables = {}
    for stream, (name, shape, centre, scale) in enumerate(TENSORS):
        value = np.float32(centre) + np.float32(scale) * unit(stream, np.prod(shape))
        variables[name] = tf.Variable(value.reshape(shape).astype(np.float32))
    trainable = [name for name in variables if "moving" not in name]
    images, labels = make_images(), np.arange(BATCH) % 10

    def block(x, suffix, step):
        norm = f"batch_normalization{suffix}"
        y = tf.nn.conv2d(x, variables[f"conv2d{suffix}/kernel"], 1, "SAME")
        y, mean, variance = v1.nn.fused_batch_norm(y, variables[f"{norm}/gamma"],
                                                   variables[f"{norm}/beta"], epsilon=0.001)
        for moving, batch in (("moving_mean", mean), ("moving_variance", variance)):
            old = variables[f"{norm}/{moving}"]
            old.assign(old + (batch - old) * (1 - min(step / (step + 1), 0.99)))
        return tf.nn.max_pool2d(tf.nn.relu(y), 2, 2, "VALID")

    optimizer = v1.train.AdamOptimizer(RATE)
    results = {}
    losses = []
    for step in range(STEPS):
        with tf.GradientTape() as tape:
            x = block(block(images, "", step), "_1", step)
            x = tf.reshape(x, [BATCH, -1]) @ variables["dense/kernel"] + variables["dense/bias"]
            logits = tf.nn.relu(x) @ variables["dense_1/kernel"] + variables["dense_1/bias"]
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        gradients = tape.gradient(loss, [variables[name] for name in trainable])
        optimizer.apply_gradients(
            zip(gradients, [variables[name] for name in trainable], strict=True))
        losses.append(float(loss))
        if step == 0:
            for name, gradient in zip(trainable, gradients, strict=True):
                results[f"gradient/{name}"] = sample(gradient)
        if step in (0, STEPS - 1):
            for name, variable in variables.items():
                results[f"step{step + 1}/{name}"] = sample(variable)
    results["loss"] = np.array(losses, np.float32)
    names = sorted(results)
    tf.raw_ops.SaveV2(prefix=str(OUT), tensor_names=names, shape_and_slices=[""] * len(names),
                      tensors=[tf.constant(results[name]) for name in names])


if __name__ == "__main__":
    main()
