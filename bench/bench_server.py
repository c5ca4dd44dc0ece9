#!/usr/bin/env python3
"""digit-server's Predict beside its floor, an empty gRPC-core server that answers the same bytes.

    bench/bench_server.py build --model_name digits --model_base_path models/digits \\
        --input image --shape 1,28,28,1

Both run at the same time and are measured in turn, `--rounds` times; the best round counts, since
noise only ever makes a server slower. `us/call` is the CPU time of the server's process. The model
itself is most of it: with a model that does nothing, what is left over the floor is ours.

--beside=FLAG starts a second digit-server with one more flag, measured in the same turns, and
prints the median over the rounds of its calls a second by the first one's: what
--tensorflow_intra_op_parallelism=2 costs a busy server.
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import tempfile
import time


def field(number, data):
    """A length-delimited field of a protocol buffer."""
    n, size = len(data), b""
    while n >= 0x80:
        size, n = size + bytes([n & 0x7f | 0x80]), n >> 7
    return bytes([number << 3 | 2]) + size + bytes([n]) + data


def varint_field(number, value):
    size = b""
    while value >= 0x80:
        size, value = size + bytes([value & 0x7f | 0x80]), value >> 7
    return bytes([number << 3]) + size + bytes([value])


def predict_request(model, signature, alias, shape):
    """A PredictRequest with one float tensor, as tensor_content."""
    spec = field(1, model.encode()) + (field(3, signature.encode()) if signature else b"")
    n = 1
    for dim in shape:
        n *= dim
    values = random.Random(1)
    content = struct.pack(f"<{n}f", *(values.random() for _ in range(n)))
    dims = b"".join(field(2, varint_field(1, dim)) for dim in shape)
    tensor = varint_field(1, 1) + field(2, dims) + field(4, content)
    return field(1, spec) + field(2, field(1, alias.encode()) + field(2, tensor))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Process:
    """A server on a free port, listening."""

    def __init__(self, program, *flags):
        self.port = port = free_port()
        self.process = subprocess.Popen([program, f"--port={port}", *flags],
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise SystemExit(f"{program} does not listen on port {port}")
            time.sleep(0.01)

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        utime, stime = stat.rsplit(")", 1)[1].split()[11:13]
        return (int(utime) + int(stime)) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def measure(load, server, *flags):
    """Calls a second, p50 and p99 in us, the server's CPU time in us a call."""
    before = server.cpu_seconds()
    out = subprocess.run([*load, f"--port={server.port}", "--warmup_seconds=0", *flags],
                         check=True, stdout=subprocess.PIPE, text=True).stdout
    rate, p50, p99 = map(int, re.match(r"calls/s (\d+)  p50 (\d+) us  p99 (\d+) us", out).groups())
    seconds = float(dict(f.lstrip("-").split("=") for f in flags)["seconds"])
    return rate, p50, p99, 1e6 * (server.cpu_seconds() - before) / max(1, rate * seconds)


def compare(args, load, servers):
    print(f"{'outstanding':>11} {'':12} {'calls/s':>8} {'p50 us':>8} {'p99 us':>8} {'us/call':>8}")
    for outstanding in args.outstanding.split(","):
        flags = (f"--outstanding={outstanding}", f"--seconds={args.seconds}")
        best, ratios = {}, []
        for _ in range(args.rounds):
            rates = {}
            for name, process in servers.items():
                figures = measure(load, process, *flags)
                rates[name] = figures[0]
                best[name] = max(best.get(name, (0,)), figures)
            ratios.append(rates.get("beside", 0) / max(1, rates["digit-server"]))
        for name, (rate, p50, p99, cpu) in best.items():
            print(f"{outstanding:>11} {name:12} {rate:8} {p50:8} {p99:8} {cpu:8.1f}", flush=True)
        if "beside" in servers:
            print(f"{outstanding:>11} beside / digit-server: {statistics.median(ratios):.3f}",
                  flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--model_name", default="digits")
    parser.add_argument("--model_base_path", default="models/digits")
    parser.add_argument("--signature", default="")
    parser.add_argument("--input", default="image")
    parser.add_argument("--shape", default="1,28,28,1")
    parser.add_argument("--outstanding", default="1,8,64")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--beside", metavar="FLAG")
    args = parser.parse_args()

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        request, reply = folder / "request", folder / "reply"
        shape = [int(dim) for dim in args.shape.split(",")]
        request.write_bytes(predict_request(args.model_name, args.signature, args.input, shape))
        load = [args.build / "bench/load", f"--request={request}"]
        flags = [f"--model_name={args.model_name}", f"--grpc_max_threads={args.threads}",
                 f"--model_base_path={os.path.abspath(args.model_base_path)}"]
        server = Process(args.build / "server/digit-server", *flags)
        stack.callback(server.stop)
        measure(load, server, f"--save_reply={reply}", "--seconds=1")
        floor = Process(args.build / "bench/floor_grpc", f"--reply={reply}",
                        f"--threads={args.threads}")
        stack.callback(floor.stop)
        print(f"request {request.stat().st_size} bytes, reply {reply.stat().st_size} bytes, "
              f"{args.threads} thread(s)")
        servers = {"floor": floor, "digit-server": server}
        if args.beside:
            servers["beside"] = Process(args.build / "server/digit-server", *flags, args.beside)
            stack.callback(servers["beside"].stop)
        compare(args, load, servers)


if __name__ == "__main__":
    main()
