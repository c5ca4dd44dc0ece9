# SPDX-License-Identifier: Apache-2.0
"""Cases of random ops. Those with a state of their own draw what they draw first."""
import numpy as np
import tensorflow as tf

from op_cases import FLOATS

F32 = np.float32
I32 = np.int32
I64 = np.int64
SHAPES = [(), (1,), (7,), (2, 3, 5), (0, 3), (130,)]
SEEDS = [(1, 2), (0, 7), (-3, 0), (2**40 + 5, -2**35)]
DRAWS = {"RandomUniform": "Uniform", "RandomStandardNormal": "Normal", "TruncatedNormal": "Truncated"}


def stateful(cases):
    for op in DRAWS:
        for dtype in FLOATS:
            for shape, (seed, seed2) in zip(SHAPES, SEEDS + SEEDS):
                cases.add(op, [np.array(shape, I32)], dtype=dtype, seed=seed, seed2=seed2)
        cases.add(op, [np.array([2, 2], I64)], dtype=F32, seed=5, seed2=6)
        for shape in (3, [[2]], [-1]):
            cases.add(op, [np.array(shape, I32)], dtype=F32, seed=5, seed2=6, any_text=True)
    for dtype in (I32, I64):
        for low, high in [(0, 10), (-5, 5), (np.iinfo(dtype).min, np.iinfo(dtype).max), (3, 4)]:
            for shape in [(9,), (2, 2), (0,)]:
                cases.add("RandomUniformInt", [np.array(shape, I32), dtype(low), dtype(high)], seed=3, seed2=4)
        for low, high in [(5, 5), (6, 5), ([1], 5)]:
            cases.add("RandomUniformInt", [np.array([2], I32), np.array(low, dtype), np.array(high, dtype)], seed=3, seed2=4, any_text=True)
    for shape in [(8,), (5, 2), (1, 4), (0, 2), (), (3, 0), (260,)]:
        for dtype in (F32, np.uint8):
            cases.add("RandomShuffle", [cases.random(dtype, *shape)], seed=8, seed2=9)
    cases.add("RandomShuffle", [cases.strings(6)], seed=1, seed2=0)


def multinomial(cases):
    for dtype in FLOATS:
        for shape, n in [((1, 3), 9), ((3, 4), 5), ((2, 1), 3), ((0, 3), 2), ((2, 3), 0)]:
            for out in (I32, I64):
                logits = cases.random(dtype, *shape)
                cases.add("Multinomial", [logits, I32(n)], seed=2, seed2=11, output_dtype=out)
                cases.add("StatelessMultinomial", [logits, I32(n), np.array([4, 5], I64)], output_dtype=out)
    odd = np.array([[0, -np.inf, 1], [np.nan, 0, 1], [np.inf, 0, 0], [-np.inf, -np.inf, -np.inf], [1e4, -1e4, 1e4]], F32)
    cases.add("Multinomial", [odd, I32(8)], seed=2, seed2=11)
    for shape, n in [((3,), 2), ((2, 3), -1), ((2, 0), 1)]:
        cases.add("Multinomial", [cases.random(F32, *shape), I32(n)], seed=2, seed2=11, any_text=True)
        cases.add("StatelessMultinomial", [cases.random(F32, *shape), I32(n), np.array([1, 2], I32)], any_text=True)


def stateless(cases):
    key, counter = np.array([2**63 + 12345], np.uint64), np.array([2**64 - 2, 77], np.uint64)
    for op in ("StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal"):
        for dtype in FLOATS:
            for shape, seed in zip(SHAPES, SEEDS + SEEDS):
                cases.add(op, [np.array(shape, I32), np.array(seed, I64)], dtype=dtype)
                cases.add(op + "V2", [np.array(shape, I64), key, counter, I32(1)], dtype=dtype)
        cases.add(op, [np.array([3], I64), np.array([-1, 5], I32)])
        for seed in ([1], [1, 2, 3], 1):
            cases.add(op, [np.array([3], I32), np.array(seed, I32)], any_text=True)
        for k, c, algorithm in [(key, counter, 3), (key, counter, 9), (key[:0], counter, 1), (key, counter, [1])]:
            cases.add(op + "V2", [np.array([3], I32), k, c, np.array(algorithm, I32)], any_text=True)
    for dtype in (I32, I64, np.uint32, np.uint64):
        info = np.iinfo(dtype)
        for shape in [(5,), (2, 3), (0,)]:
            cases.add("StatelessRandomUniformFullInt", [np.array(shape, I32), np.array([7, -8], I64)], dtype=dtype)
            cases.add("StatelessRandomUniformFullIntV2", [np.array(shape, I32), key, counter, I32(1)], dtype=dtype)
            for low, high in [(2, 9), (info.min, info.max)]:
                if dtype in (I32, I64):
                    cases.add("StatelessRandomUniformInt", [np.array(shape, I32), np.array([7, 8], I32), dtype(low), dtype(high)])
                cases.add("StatelessRandomUniformIntV2", [np.array(shape, I32), key, counter, I32(1), dtype(low), dtype(high)])
        for low, high in [(5, 5), (6, 5), ([1], 5)]:
            limits = [np.array(low, dtype), np.array(high, dtype)]
            cases.add("StatelessRandomUniformIntV2", [np.array([2], I32), key, counter, I32(1)] + limits, any_text=True)
    for seed in SEEDS:
        cases.add("StatelessRandomGetKeyCounter", [np.array(seed, I64)])
        cases.add("StatelessRandomGetKeyCounterAlg", [np.array(seed, I64)])
    cases.add("StatelessRandomGetKeyCounter", [np.array([-1, 3], I32)])
    for seed in ([1], 1):
        cases.add("StatelessRandomGetKeyCounter", [np.array(seed, I32)], any_text=True)
    cases.add("StatelessRandomGetAlg", [])


def generator(cases):
    """A generator in a variable, as Keras's layers keep one."""
    for state in ([-5, -1, 42], [7, 8, 9]):
        def skip(delta):
            v = tf.raw_ops.VarHandleOp(dtype=I64, shape=[3], shared_name="rng", container="")
            init = tf.raw_ops.AssignVariableOp(resource=v, value=tf.constant(np.array(state, I64)))
            value = tf.raw_ops.RngReadAndSkip(resource=v, alg=1, delta=delta)
            with tf.control_dependencies([value]):
                after = tf.raw_ops.ReadVariableOp(resource=v, dtype=I64)
            draw = tf.raw_ops.StatelessRandomUniformV2(shape=[5], key=tf.bitcast(value[2:], tf.uint64),
                                                       counter=tf.bitcast(value[:2], tf.uint64), alg=1)
            return [value, after, draw], init
        for delta in (0, 1, 3, 2**40):
            cases.add_graph(["RngReadAndSkip"], skip, [np.uint64(delta)])


def add_cases(cases):
    generator(cases)
    stateful(cases)
    multinomial(cases)
    stateless(cases)
