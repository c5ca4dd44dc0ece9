"""grpc.health.v1 as gRPC's own client sees it: Check, List and Watch."""
import queue
import signal
import threading

import bundles
import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc

Status = health_pb2.HealthCheckResponse
SERVICES = ["", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
            "grpc.health.v1.Health"]


class Watch:
    """A Watch whose statuses come into a queue, and in the end the code that it ends with."""

    def __init__(self, stub, service):
        self.call = stub.Watch(health_pb2.HealthCheckRequest(service=service))
        self.seen = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for response in self.call:
                self.seen.put(response.status)
            self.seen.put(grpc.StatusCode.OK)
        except grpc.RpcError as e:
            self.seen.put(e.code())

    def next(self):
        return self.seen.get(timeout=30)


def health_of(server):
    channel = grpc.insecure_channel(f"localhost:{server.port}",
                                    [("grpc.use_local_subchannel_pool", 1)])
    return health_pb2_grpc.HealthStub(channel)


@pytest.fixture
def folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        bundles.affine(tmp_path / name, 1)
    return tmp_path


def write_config(folder, *names):
    text = "".join(f'config {{ name: "{name}" base_path: "{folder / name}" '
                   f'model_platform: "tensorflow" }}\n' for name in names)
    (folder / "new").write_text(f"model_config_list {{ {text} }}")
    (folder / "new").rename(folder / "config")


def start(start_server, folder, *names, flags=()):
    write_config(folder, *names)
    return start_server(None, None, f"--model_config_file={folder / 'config'}",
                        "--file_system_poll_wait_seconds=0.05", *flags)


def list_response():
    """HealthListResponse, which the packaged client does not have yet: 1 statuses map."""
    file = descriptor_pb2.FileDescriptorProto(name="list.proto", package="list", syntax="proto3",
                                              dependency=[health_pb2.DESCRIPTOR.name])
    message = file.message_type.add(name="Response")
    entry = message.nested_type.add(name="StatusesEntry")
    entry.options.map_entry = True
    Field = descriptor_pb2.FieldDescriptorProto
    entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=Field.TYPE_MESSAGE, label=Field.LABEL_OPTIONAL,
                    type_name=".grpc.health.v1.HealthCheckResponse")
    message.field.add(name="statuses", number=1, type=Field.TYPE_MESSAGE, label=Field.LABEL_REPEATED,
                      type_name=".list.Response.StatusesEntry")
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("list.Response"))


def test_list(start_server, folder):
    server = start(start_server, folder, "a", "b")
    stub = health_of(server)
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        ask = channel.unary_unary("/grpc.health.v1.Health/List", lambda request: request,
                                  list_response().FromString)
        statuses = ask(b"", timeout=10).statuses
    assert {"a", "b", *SERVICES} <= set(statuses)
    for service, response in statuses.items():
        assert response.status == Status.SERVING
        assert stub.Check(health_pb2.HealthCheckRequest(service=service), 10) == response


def test_watch_sends_each_change(start_server, folder):
    """A model comes, has no version, gets one and goes: what is about it and what is about all."""
    server = start(start_server, folder, "a")
    stub = health_of(server)
    everything, a, c = Watch(stub, ""), Watch(stub, "a"), Watch(stub, "c")
    assert (everything.next(), a.next(), c.next()) == \
        (Status.SERVING, Status.SERVING, Status.SERVICE_UNKNOWN)
    (folder / "c").mkdir()
    write_config(folder, "a", "c")
    server.process.send_signal(signal.SIGHUP)
    assert (everything.next(), c.next()) == (Status.NOT_SERVING, Status.NOT_SERVING)
    bundles.affine(folder / "c", 1)
    assert (everything.next(), c.next()) == (Status.SERVING, Status.SERVING)
    write_config(folder, "a")
    server.process.send_signal(signal.SIGHUP)
    assert c.next() == Status.SERVICE_UNKNOWN
    assert a.seen.empty() and everything.seen.empty()


def test_watch_ends_with_the_server(start_server, folder):
    server = start(start_server, folder, "a", flags=["--shutdown_lame_duck_seconds=0.5"])
    stub = health_of(server)
    watches = [Watch(stub, service) for service in ("", "a", "none")]
    assert [w.next() for w in watches] == \
        [Status.SERVING, Status.SERVING, Status.SERVICE_UNKNOWN]
    server.process.send_signal(signal.SIGTERM)
    assert [w.next() for w in watches[:2]] == [Status.NOT_SERVING] * 2
    assert [w.next() for w in watches] == [grpc.StatusCode.UNAVAILABLE] * 3
    assert server.process.wait(10) == 0


def test_many_watchers_that_go_away(start_server, folder):
    """More in turn than may be open at a time, while others are asked."""
    server = start(start_server, folder, "a", flags=["--max_calls_per_thread=64"])
    for _ in range(5):
        stub = health_of(server)
        watches = [Watch(stub, "a") for _ in range(32)]
        assert [w.next() for w in watches] == [Status.SERVING] * 32
        one_more = Watch(stub, "a")
        assert one_more.next() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert stub.Check(health_pb2.HealthCheckRequest(), 10).status == Status.SERVING
        for watch in watches:
            watch.call.cancel()
        assert [w.next() for w in watches] == [grpc.StatusCode.CANCELLED] * 32
        # The server learns of it a little later.
        while (last := Watch(stub, "a")).next() != Status.SERVING:
            pass
        last.call.cancel()
