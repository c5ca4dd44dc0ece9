"""x-request-id comes back at the head of every reply."""
import bundles
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc


@pytest.fixture(scope="module")
def stub(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("affine")
    bundles.affine(folder, 1)
    server = start_server("affine", folder)
    return health_pb2_grpc.HealthStub(grpc.insecure_channel(f"localhost:{server.port}"))


def echoed(pairs):
    return [value for key, value in pairs if key == "x-request-id"]


@pytest.mark.parametrize("service, code", [("affine", grpc.StatusCode.OK),
                                           ("none", grpc.StatusCode.NOT_FOUND)])
@pytest.mark.parametrize("headers, expected", [
    ([], []),
    ([("x-request-id", "abc-123")], ["abc-123"]),
    ([("x-request-id", "")], [""]),
    ([("x-request-id", "a"), ("x-request-id", "b")], ["a"]),
    ([("x-request-id", "q" * 256)], ["q" * 256]),
    ([("x-request-id", "q" * 257)], []),
    ([("x-request-idx", "no"), ("traceparent", "x" * 55)], []),
])
def test_echo(stub, headers, expected, service, code):
    call = stub.Check.future(health_pb2.HealthCheckRequest(service=service), metadata=headers)
    assert call.code() == code
    assert echoed(call.initial_metadata()) in (expected, [", ".join(v for _, v in headers)])


def test_echo_of_a_stream(stub):
    watch = stub.Watch(health_pb2.HealthCheckRequest(), metadata=[("x-request-id", "w")])
    assert echoed(watch.initial_metadata()) == ["w"]
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
