"""Versions that come and go under a running digit-server, as clients on several threads see it.

Threads call all the time while a test works on the directory; every call must be answered, and by a
version that was there.
"""
import pathlib
import shutil
import threading
import time

import bundles
import grpc
import pytest
from tensorflow_serving.apis import (get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc)

State = get_model_status_pb2.ModelVersionStatus.State
N_CALLERS = 4
X = 8.0  # asked of y = x / 2 + b


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """templates[b]: a bundle of y = x / 2 + b, for b in 2, 3, 4."""
    folder = tmp_path_factory.mktemp("templates")
    return {b: bundles.affine(folder, b, b=float(b)) for b in (2, 3, 4)}


class Models:
    """The base path. Publishes as publishers should: written beside, then renamed."""

    def __init__(self, path, templates):
        self.path = path
        self.templates = templates
        path.mkdir()

    def publish(self, version, b, spoil=None):
        part = self.path / f"tmp-{version}"
        shutil.copytree(self.templates[b], part)
        if spoil is not None:
            spoil(part)
        part.rename(self.path / str(version))

    def remove(self, version):
        shutil.rmtree(self.path / str(version))


@pytest.fixture
def models(tmp_path, templates):
    return Models(tmp_path / "affine", templates)


class Client:
    def __init__(self, port):
        self.channel = grpc.insecure_channel(f"localhost:{port}",
                                             options=[("grpc.use_local_subchannel_pool", 1)])
        self.predict_stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model_stub = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def predict(self, version=None):
        """(version that answered, b of the bundle that it is)"""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = "affine"
        if version is not None:
            request.model_spec.version.value = version
        tensor = request.inputs["x"]
        tensor.dtype = 1
        tensor.tensor_shape.dim.add().size = 1
        tensor.float_val.append(X)
        reply = self.predict_stub.Predict(request, 30)
        return reply.model_spec.version.value, reply.outputs["y"].float_val[0] - X / 2

    def status(self):
        """{version: (state, error code, error text)}"""
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "affine"
        try:
            reply = self.model_stub.GetModelStatus(request, 30)
        except grpc.RpcError as error:
            assert error.details() == "Could not find any versions of model affine"
            return {}
        return {s.version: (s.state, s.status.error_code, s.status.error_message)
                for s in reply.model_version_status}

    def wait_for(self, version, state, failed=False, seconds=30):
        """Waits for the state of the version; returns the text of its status."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            found = status.get(version)
            if found is not None and found[0] == state and (found[1] != 0) == failed:
                return found[2]
            assert time.monotonic() < deadline, f"version {version}, state {state}: {status}"
            time.sleep(0.01)


class Callers:
    """Threads that call without a pause, each on a channel of its own."""

    def __init__(self, port):
        self.port = port
        self.answers = [{} for _ in range(N_CALLERS)]  # (version, b): calls
        self.failures = []
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.call, args=(a,)) for a in self.answers]

    def call(self, answers):
        client = Client(self.port)
        last = 0
        while not self.is_over.is_set():
            try:
                answer = client.predict()
            except grpc.RpcError as error:
                self.failures.append(f"{error.code()}: {error.details()}")
                continue
            if answer[0] < last:
                self.failures.append(f"version {answer[0]} answered after version {last}")
            last = answer[0]
            answers[answer] = answers.get(answer, 0) + 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def check(self, expected):
        """No call failed, and each thread was answered by just these (version, b)."""
        assert self.failures == []
        for answers in self.answers:
            assert set(answers) == set(expected)

    def wait_for(self, answer):
        """Until each thread has got the answer."""
        deadline = time.monotonic() + 30
        while not all(answer in answers for answers in list(self.answers)):
            assert time.monotonic() < deadline, (answer, self.answers, self.failures)
            time.sleep(0.005)


def resident_kb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def test_new_versions_while_calls_are_in_flight(start_server, models):
    models.publish(1, 2)
    server = start_server("affine", models.path)
    client = Client(server.port)
    with Callers(server.port) as callers:
        callers.wait_for((1, 2.0))
        models.publish(2, 3)
        callers.wait_for((2, 3.0))
        client.wait_for(1, State.END)
        models.publish(10, 4)
        callers.wait_for((10, 4.0))
        client.wait_for(2, State.END)
    callers.check([(1, 2.0), (2, 3.0), (10, 4.0)])
    with pytest.raises(grpc.RpcError) as gone:
        client.predict(version=1)
    assert gone.value.code() == grpc.StatusCode.NOT_FOUND
    assert gone.value.details() == "Servable not found for request: Specific(affine, 1)"
    assert client.predict(version=10) == (10, 4.0)


def truncate(name, keep):
    def spoil(bundle):
        path = bundle / name
        path.write_bytes(path.read_bytes()[:keep])
    return spoil


def flip(name, part=0.5):
    """One bit of a byte: only a checksum can see it."""
    def spoil(bundle):
        path = bundle / name
        data = bytearray(path.read_bytes())
        data[int((len(data) - 1) * part)] ^= 1
        path.write_bytes(data)
    return spoil


def unlink(name):
    return lambda bundle: (bundle / name).unlink()


DATA = "variables/variables.data-00000-of-00001"
INDEX = "variables/variables.index"


# What no signature needs is not read; the first bytes of the data are a variable's.
@pytest.mark.parametrize("spoil", [truncate("saved_model.pb", 1000), unlink("saved_model.pb"),
                                   truncate(INDEX, 100), unlink(INDEX), flip(INDEX),
                                   truncate(DATA, 10), unlink(DATA), flip(DATA, 0)],
                         ids=["short graph", "no graph", "short index", "no index", "flipped index",
                              "short data", "no data", "flipped data"])
def test_a_bundle_that_cannot_be_loaded(start_server, models, spoil):
    models.publish(1, 2)
    server = start_server("affine", models.path, "--file_system_poll_wait_seconds=0.1")
    client = Client(server.port)
    with Callers(server.port) as callers:
        callers.wait_for((1, 2.0))
        models.publish(2, 3, spoil)
        reason = client.wait_for(2, State.END, failed=True)
        time.sleep(0.5)
        assert client.status()[1] == (State.AVAILABLE, 0, "")
    callers.check([(1, 2.0)])
    assert reason != ""
    lines = [line for line in server.log.splitlines() if "version 2: cannot be loaded" in line]
    assert len(lines) == 1, server.log
    assert "keeping version 1" in lines[0]
    assert reason.split("\n")[0] in lines[0]  # the log writes an event on one line
    # A good one is not held up by it.
    models.publish(3, 4)
    client.wait_for(3, State.AVAILABLE)
    assert client.predict() == (3, 4.0)


def test_a_bundle_that_is_copied_in_place(start_server, models, templates):
    """File by file, under the name that the server watches, as `cp -r` does."""
    models.publish(1, 2)
    server = start_server("affine", models.path, "--file_system_poll_wait_seconds=0.1")
    client = Client(server.port)
    target = models.path / "2"
    with Callers(server.port) as callers:
        callers.wait_for((1, 2.0))
        (target / "variables").mkdir(parents=True)
        client.wait_for(2, State.END, failed=True)
        for name in ("saved_model.pb", INDEX):
            shutil.copy(templates[3] / name, target / name)
            time.sleep(0.4)
            assert client.status()[1][0] == State.AVAILABLE
        data = (templates[3] / DATA).read_bytes()
        (target / DATA).write_bytes(data[:len(data) // 2])
        time.sleep(0.4)
        client.wait_for(2, State.END, failed=True)
        (target / DATA).write_bytes(data)
        client.wait_for(2, State.AVAILABLE)
        callers.wait_for((2, 3.0))
        client.wait_for(1, State.END)
    callers.check([(1, 2.0), (2, 3.0)])


def test_removal(start_server, models):
    models.publish(1, 2)
    models.publish(2, 3)
    server = start_server("affine", models.path)
    client = Client(server.port)
    assert client.predict() == (2, 3.0)
    # The version before comes back, and the removed one answers until it does.
    with Callers(server.port) as callers:
        callers.wait_for((2, 3.0))
        models.remove(2)
        client.wait_for(1, State.AVAILABLE)
        client.wait_for(2, State.END)
        assert client.predict() == (1, 2.0)
    assert [f for f in callers.failures if "answered after" not in f] == []
    models.remove(1)
    client.wait_for(1, State.END)
    with pytest.raises(grpc.RpcError) as gone:
        client.predict()
    assert gone.value.code() == grpc.StatusCode.NOT_FOUND
    assert gone.value.details() == "Servable not found for request: Latest(affine)"
    models.publish(1, 4)
    client.wait_for(1, State.AVAILABLE)
    assert client.predict() == (1, 4.0)


def test_files_of_a_loaded_version_may_go(start_server, models):
    models.publish(1, 2)
    server = start_server("affine", models.path, "--file_system_poll_wait_seconds=0.1")
    client = Client(server.port)
    (models.path / "1" / DATA).write_bytes(b"")
    (models.path / "1" / "saved_model.pb").unlink()
    time.sleep(0.5)
    assert client.predict() == (1, 2.0)
    assert client.status() == {1: (State.AVAILABLE, 0, "")}


def test_base_path_that_comes_late(start_server, models, templates):
    """The port opens without it; `mv` of the whole base path then brings it up."""
    hidden = models.path.with_name("hidden")
    models.publish(1, 2)
    models.path.rename(hidden)
    server = start_server("affine", models.path)
    client = Client(server.port)
    with pytest.raises(grpc.RpcError) as early:
        client.predict()
    assert early.value.code() == grpc.StatusCode.NOT_FOUND
    hidden.rename(models.path)
    client.wait_for(1, State.AVAILABLE)
    assert client.predict() == (1, 2.0)
    # An unmounted volume is an error, no order to unload.
    models.path.rename(hidden)
    server.wait_for_log("keeping the versions as they are")
    time.sleep(1.5)
    assert client.predict() == (1, 2.0)


def test_memory_of_50_reloads(start_server, models):
    models.publish(1, 2)
    server = start_server("affine", models.path)
    client = Client(server.port)
    warm_kb = None
    with Callers(server.port) as callers:
        for version in range(2, 52):
            b = 2 + version % 3
            models.publish(version, b)
            callers.wait_for((version, float(b)))
            client.wait_for(version - 1, State.END)
            models.remove(version - 1)
            if version == 20:
                warm_kb = resident_kb(server)
    assert callers.failures == []
    grown_kb = resident_kb(server) - warm_kb
    print(f"{warm_kb} KB resident after 19 reloads, {grown_kb:+d} KB after 50")
    assert grown_kb < 2048
    # Status keeps a bounded history of versions that have ended.
    assert len(client.status()) <= 17
