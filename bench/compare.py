#!/usr/bin/env python3
"""Digit's plans beside TensorFlow and ONNX Runtime, in turns, on the same networks, batches and threads.

    bench/compare.py BUILD FOLDER [--models NAME,...] [--batches 1,8] [--threads 1,2] [--rounds 15]

FOLDER keeps the networks from run to run: NAME/bundle (a SavedModel, made by Keras when it is not there) and
NAME/model.onnx (by tf2onnx; a network that it or ONNX Runtime refuses is without that column). Every engine is a
process of its own that waits until it is told to run; a round lets each run once, for about --slice seconds, so that
a neighbour who takes the machine takes it from all. Printed are medians over the rounds, with half the distance
between quartiles, of milliseconds a run (wall), the CPU time beside it, and the peers' ratios: more than 1 is Digit
faster. A ratio is the median of the rounds' ratios.

Needs tensorflow and keras; onnxruntime, tf2onnx and onnx for the second peer.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

APPLICATIONS = {"VGG16": 224, "ResNet50": 224, "InceptionV3": 299, "Xception": 299, "MobileNetV2": 224,
                "MobileNetV3Small": 224, "DenseNet121": 224, "EfficientNetB0": 224, "ConvNeXtTiny": 224}
SMALL = ("LSTM", "GRU", "Transformer", "MLP", "digits")


# ---- networks -------------------------------------------------------------------------------------------------------

def make_small(name):
    import keras
    layers = keras.layers
    if name in ("LSTM", "GRU"):
        return keras.Sequential([layers.Input((64, 32)), getattr(layers, name)(128), layers.Dense(10, "softmax")])
    if name == "MLP":
        return keras.Sequential([layers.Input((64,)), layers.Dense(256, "relu"), layers.Dense(256, "relu"),
                                 layers.Dense(10, "softmax")])
    x = inputs = layers.Input((64, 128))
    for _ in range(2):
        normal = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(4, 32)(normal, normal)])
        wide = layers.Dense(512, "gelu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(128)(wide)])
    return keras.Model(inputs, layers.Dense(10, "softmax")(layers.GlobalAveragePooling1D()(x)))


def make(name, folder):
    """Run in a process of its own: TensorFlow's messages and memory go with it."""
    bundle = folder / "bundle"
    if not bundle.exists():
        if name == "digits":
            shutil.copytree(pathlib.Path(__file__).parent.parent / "models/digits/1", bundle)
        else:
            import keras
            keras.utils.set_random_seed(1)
            side = APPLICATIONS.get(name)
            model = (getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3)) if side
                     else make_small(name))
            model.export(str(bundle), verbose=False)
    onnx = folder / "model.onnx"
    if not onnx.exists() and not (folder / "no_onnx").exists():
        done = subprocess.run([sys.executable, "-m", "tf2onnx.convert", "--saved-model", bundle, "--output", onnx,
                               "--opset", "17"], capture_output=True, text=True)
        if done.returncode:  # noted, so that it is not tried each time
            (folder / "no_onnx").write_text(done.stderr)


# ---- engines --------------------------------------------------------------------------------------------------------

def inputs_of(shape, batch):
    import numpy as np
    dims = [batch] + [1 if d is None or isinstance(d, str) else d for d in shape[1:]]
    return np.random.default_rng(1).random(dims, np.float32)


def tensorflow_runner(folder, threads):
    import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    loaded = tf.saved_model.load(str(folder / "bundle"))
    signature = loaded.signatures["serving_default"]
    (alias, spec), = signature.structured_input_signature[1].items()

    def of_batch(batch):
        value = tf.constant(inputs_of(spec.shape, batch))
        return lambda: [v.numpy() for v in signature(**{alias: value}).values()]
    of_batch.keep = loaded
    return of_batch


def onnx_runner(folder, threads):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = ort.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    (spec,) = session.get_inputs()

    def of_batch(batch):
        value = inputs_of(spec.shape, batch)
        return lambda: session.run(None, {spec.name: value})
    return of_batch


def serve(runner):
    """The protocol of turns.c: BATCH RUNS in, WALL_NS CPU_NS out."""
    last, run = None, None
    print("ready", flush=True)
    for line in sys.stdin:
        batch, runs = map(int, line.split())
        if batch != last:
            last, run = batch, runner(batch)
            for _ in range(2):
                run()
        wall, cpu = time.monotonic_ns(), time.process_time_ns()
        for _ in range(runs):
            run()
        print(time.monotonic_ns() - wall, time.process_time_ns() - cpu, flush=True)


class Engine:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.is_ready = self.process.stdout.readline() == "ready\n"  # else it cannot load the network

    def run(self, batch, runs):
        """Milliseconds a run: wall and CPU."""
        self.process.stdin.write(f"{batch} {runs}\n")
        self.process.stdin.flush()
        return [int(ns) / 1e6 / runs for ns in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- measuring ------------------------------------------------------------------------------------------------------

def spread(values):
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def measure(engines, batch, rounds, seconds):
    """Engine -> ([wall], [cpu]), a value a round."""
    times = {name: ([], []) for name in engines}
    runs = {}
    for name, engine in engines.items():
        runs[name] = max(1, int(seconds * 1e3 / min(engine.run(batch, 1)[0] for _ in range(3))))
    for _ in range(rounds):
        for name, engine in engines.items():
            for kept, value in zip(times[name], engine.run(batch, runs[name])):
                kept.append(value)
    return times


def print_row(name, batch, threads, times):
    cells = [f"{name:17} {batch:5} {threads:7}"]
    for engine in ("digit", "tensorflow", "onnx"):
        if engine in times:
            wall, cpu = times[engine]
            cells.append(f"{statistics.median(wall):9.3f} ±{spread(wall):7.3f} {statistics.median(cpu):9.3f}")
        else:
            cells.append(f"{'-':>9} {'':8} {'-':>9}")
    for engine in ("tensorflow", "onnx"):
        if engine in times:
            ratios = [statistics.median(peer / own for peer, own in zip(times[engine][i], times["digit"][i]))
                      for i in (0, 1)]
            cells.append(f"{ratios[0]:5.2f} {ratios[1]:5.2f}")
        else:
            cells.append(f"{'-':>5} {'-':>5}")
    print(" | ".join(cells), flush=True)


def compare(name, options):
    folder = options.folder / name
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, __file__, options.build, options.folder, "--make", name], check=True,
                   stderr=subprocess.DEVNULL)
    for threads in options.threads:
        commands = {"digit": [options.build / "bench/turns", folder / "bundle", str(threads)]}
        for peer in ("tensorflow", "onnx"):
            if peer in options.peers and (peer == "tensorflow" or (folder / "model.onnx").exists()):
                commands[peer] = [sys.executable, __file__, options.build, folder, "--engine", peer, "--threads",
                                  str(threads)]
        started = {engine: Engine(command) for engine, command in commands.items()}
        engines = {name: engine for name, engine in started.items() if engine.is_ready}
        for batch in options.batches + ([32] if name in SMALL else []):
            print_row(name, batch, threads, measure(engines, batch, options.rounds, options.slice))
        for engine in started.values():
            engine.close()


def main():
    numbers = lambda text: [int(n) for n in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--models", default=",".join([*APPLICATIONS, *SMALL]))
    parser.add_argument("--batches", type=numbers, default=[1, 8])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slice", type=float, default=0.1)
    parser.add_argument("--peers", default="tensorflow,onnx")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if options.make:
        return make(options.make, options.folder / options.make)
    if options.engine:
        runner = {"tensorflow": tensorflow_runner, "onnx": onnx_runner}[options.engine]
        return serve(runner(options.folder, options.threads[0]))
    print(f"{'':31} | {'Digit ms, cpu':^28} | {'TensorFlow':^28} | {'ONNX Runtime':^28} | TF/Digit    | ORT/Digit")
    print(f"{'network':17} batch threads | {'':28} | {'':28} | {'':28} |  wall   cpu |  wall   cpu")
    for name in options.models.split(","):
        compare(name, options)


if __name__ == "__main__":
    main()
