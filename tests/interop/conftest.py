"""What the interop tests share: the programs under test, and servers on free ports.

DIGIT_BUILD names the build folder (default: build/ of the checkout).
"""
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running digit-server. Its log is the text of `log`."""

    def __init__(self, program, log, name, base_path, flags):
        self.port = free_port()
        self.log_path = log
        model = [f"--model_name={name}", f"--model_base_path={base_path}"] if name else []
        with open(log, "w") as out:
            self.process = subprocess.Popen(
                [program, f"--port={self.port}", *model, *flags],
                stdout=out, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while not self.listens():
            if self.process.poll() is not None:
                raise RuntimeError(f"digit-server ended with {self.process.returncode}:\n{self.log}")
            if time.monotonic() > deadline:
                self.process.kill()
                raise RuntimeError(f"digit-server does not listen after 60 s:\n{self.log}")
            time.sleep(0.01)

    @property
    def log(self):
        return pathlib.Path(self.log_path).read_text()

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_for_log(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text not in self.log:
            assert time.monotonic() < deadline, f"no '{text}' in the log:\n{self.log}"
            time.sleep(0.02)

    def stop(self):
        """SIGTERM; returns the exit status, which a clean stop makes 0."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="session")
def build():
    folder = pathlib.Path(os.environ.get("DIGIT_BUILD", ROOT / "build"))
    assert (folder / "server/digit-server").exists(), f"nothing is built in {folder}"
    return folder


@pytest.fixture(scope="module")
def start_server(build, tmp_path_factory):
    """start_server(name, base_path, *flags) -> Server; without a name the flags say what to serve.
    Those still running at the end of the module are stopped, and must end with 0."""
    servers = []

    def start(name, base_path, *flags):
        log = tmp_path_factory.mktemp("server") / "log"
        servers.append(Server(build / "server/digit-server", log, name, base_path, flags))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            assert server.stop() == 0, server.log
