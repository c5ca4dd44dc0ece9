"""KServe's Open Inference Protocol v2 over gRPC, as Triton's client and its stubs see it."""
import time

import bundles
import grpc
import numpy as np
import pytest
from tritonclient import grpc as triton
from tritonclient import utils
from tritonclient.grpc import service_pb2 as v2
from tritonclient.grpc import service_pb2_grpc

BFLOAT16 = bundles.EveryType.TYPES["BF16"].as_numpy_dtype


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("v2")
    for name in ("affine", "types", "counter"):
        (folder / name).mkdir()
    bundles.affine(folder / "affine", 1, a=0.5)
    bundles.affine(folder / "affine", 12, a=3.0)
    bundles.every_type(folder / "types", 1)
    bundles.counter(folder / "counter", 1)
    config = folder / "config"
    config.write_text("model_config_list {" + "".join(
        f'config {{ name: "{name}" base_path: "{folder}/{name}" model_platform: "tensorflow" '
        "model_version_policy { all {} } }" for name in ("affine", "types", "counter")) + "}")
    return start_server(None, None, f"--model_config_file={config}")


@pytest.fixture(scope="module")
def client(server):
    with triton.InferenceServerClient(f"localhost:{server.port}") as client:
        yield client


@pytest.fixture(scope="module")
def stub(server):
    return service_pb2_grpc.GRPCInferenceServiceStub(
        grpc.insecure_channel(f"localhost:{server.port}"))


def tensor(name, values, datatype=None):
    values = np.asarray(values)
    given = triton.InferInput(name, list(values.shape), datatype or utils.np_to_triton_dtype(values.dtype))
    given.set_data_from_numpy(values)
    return given


def x(*values):
    return tensor("x", np.array(values, np.float32))


def test_server(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "digit" and metadata.version and not metadata.extensions


def test_model_ready(client):
    for name, version, is_ready in (("affine", "", True), ("affine", "1", True),
                                    ("affine", "12", True), ("affine", "2", False),
                                    ("nobody", "", False), ("nobody", "1", False),
                                    ("inference.GRPCInferenceService", "", False)):
        assert client.is_model_ready(name, version) is is_ready, (name, version)


def test_not_ready_without_a_version(start_server, tmp_path):
    server = start_server("empty", tmp_path)
    with triton.InferenceServerClient(f"localhost:{server.port}") as client:
        assert client.is_server_live()
        assert not client.is_server_ready()
        assert not client.is_model_ready("empty")
        bundles.affine(tmp_path, 3)
        deadline = time.monotonic() + 30
        while not client.is_server_ready():
            assert time.monotonic() < deadline, server.log
            time.sleep(0.05)
        assert client.is_model_ready("empty")


def test_metadata(client):
    metadata = client.get_model_metadata("affine")
    assert metadata.name == "affine"
    assert list(metadata.versions) == ["1", "12"]
    assert metadata.platform == "tensorflow_savedmodel"
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs] == [("x", "FP32", [-1])]
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.outputs] == [
        ("twice", "FP32", [-1]), ("y", "FP32", [-1])]


def test_metadata_of_the_only_signature(client):
    metadata = client.get_model_metadata("counter", "1")
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.outputs] == [
        ("output", "FP32", [])]


@pytest.mark.parametrize("version,expected", [("", [2.0, 5.0, 8.0]), ("12", [2.0, 5.0, 8.0]),
                                              ("1", [2.0, 2.5, 3.0])])
def test_infer(client, version, expected):
    result = client.infer("affine", [x(0, 1, 2)], version, request_id="mine")
    assert result.as_numpy("y").tolist() == expected
    assert result.as_numpy("twice").tolist() == [2 * v for v in expected]
    reply = result.get_response()
    assert (reply.model_name, reply.model_version, reply.id) == ("affine", version or "12", "mine")


def test_outputs_that_are_wanted(client):
    wanted = [triton.InferRequestedOutput("y")]
    reply = client.infer("affine", [x(4)], outputs=wanted).get_response()
    assert [output.name for output in reply.outputs] == ["y"]
    assert len(reply.raw_output_contents) == 1


def test_signature_name(client):
    inputs = [x(1, 2), tensor("z", np.array([10, 20], np.float32))]
    result = client.infer("affine", inputs, parameters={"signature_name": "two"})
    assert result.as_numpy("sum").tolist() == [11, 22]


def test_no_inputs(client):
    first = client.infer("counter", []).as_numpy("output")
    assert client.infer("counter", []).as_numpy("output") == first + 1


VALUES = {
    "BOOL": np.array([[True, False]]),
    "UINT8": np.array([[0, 255], [3, 4]], np.uint8),
    "UINT16": np.array([[0, 65535]], np.uint16),
    "UINT32": np.array([[0, 2 ** 32 - 1]], np.uint32),
    "UINT64": np.array([[0, 2 ** 64 - 1]], np.uint64),
    "INT8": np.array([[-128, 127]], np.int8),
    "INT16": np.array([[-32768, 32767]], np.int16),
    "INT32": np.array([[-2 ** 31, 2 ** 31 - 1]], np.int32),
    "INT64": np.array([[-2 ** 63, 2 ** 63 - 1], [1, 2]], np.int64),
    "FP16": np.array([[0.5, -65504]], np.float16),
    "FP32": np.array([[0.1, np.inf], [-0.0, 1e-40]], np.float32),
    "FP64": np.array([[0.1, -1e300]], np.float64),
    "BYTES": np.array([[b"", b"a\0b"], [b"\xff", b"x" * 300]], object),
}


@pytest.mark.parametrize("datatype", VALUES)
def test_raw(client, datatype):
    values = VALUES[datatype]
    result = client.infer("types", [tensor("x", values)], parameters={"signature_name": datatype})
    got = result.as_numpy("y")
    assert result.get_output("y").datatype == datatype
    assert len(result.get_response().raw_output_contents) == 1
    assert got.dtype == values.dtype
    expected = np.concatenate([values, values])
    assert got.shape == expected.shape
    assert got.tolist() == expected.tolist()


def test_raw_of_no_elements(client):
    for datatype, dtype in (("FP32", np.float32), ("BYTES", object)):
        result = client.infer("types", [tensor("x", np.zeros([0, 2], dtype))],
                              parameters={"signature_name": datatype})
        assert result.as_numpy("y").shape == (0, 2)


def typed(model, name, datatype, shape, **contents):
    request = v2.ModelInferRequest(model_name=model)
    given = request.inputs.add(name=name, datatype=datatype, shape=shape)
    for field, values in contents.items():
        getattr(given.contents, field).extend(values)
    return request


def field_of(datatype):
    return {"BOOL": "bool_contents", "INT64": "int64_contents", "UINT64": "uint64_contents",
            "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents"}.get(
                datatype, "uint_contents" if datatype.startswith("U") else "int_contents")


@pytest.mark.parametrize("datatype", [d for d in VALUES if d != "FP16"])
def test_typed(stub, datatype):
    values = VALUES[datatype].flatten().tolist()
    request = typed("types", "x", datatype, VALUES[datatype].shape, **{field_of(datatype): values})
    request.parameters["signature_name"].string_param = datatype
    reply = stub.ModelInfer(request, 20)
    assert not reply.raw_output_contents
    assert reply.outputs[0].datatype == datatype
    assert list(reply.outputs[0].shape) == [2 * len(VALUES[datatype]), 2]
    assert list(getattr(reply.outputs[0].contents, field_of(datatype))) == values + values


def test_bfloat16_is_always_raw(stub):
    values = np.array([[0.5, -3.0]], BFLOAT16)
    request = v2.ModelInferRequest(model_name="types", raw_input_contents=[values.tobytes()])
    request.inputs.add(name="x", datatype="BF16", shape=[1, 2])
    request.parameters["signature_name"].string_param = "BF16"
    reply = stub.ModelInfer(request, 20)
    assert reply.outputs[0].datatype == "BF16"
    assert list(reply.raw_output_contents) == [2 * values.tobytes()]


def refused(call, *arguments, **named):
    with pytest.raises(utils.InferenceServerException) as caught:
        call(*arguments, **named)
    return caught.value.status(), caught.value.message()


def test_models_that_are_not_there(client):
    for name, version, status, text in (
            ("nobody", "", "NOT_FOUND", "Latest(nobody)"),
            ("affine", "5", "NOT_FOUND", "Specific(affine, 5)"),
            ("affine", "v1", "INVALID_ARGUMENT", "model affine: version 'v1'"),
            ("", "", "INVALID_ARGUMENT", "names no model")):
        for call in ((client.infer, name, [x(1)], version), (client.get_model_metadata, name, version)):
            got, message = refused(*call)
            assert (got, text in message) == (f"StatusCode.{status}", True), message


def test_refused(client):
    f64 = tensor("x", np.array([1.0]))
    matrix = tensor("x", np.ones([2, 2], np.float32))
    for inputs, named, text in (
            ([f64], {}, "model affine: input x: expected FP32 [?], got FP64 [1]"),
            ([matrix], {}, "model affine: input x: expected FP32 [?], got FP32 [2,2]"),
            ([], {}, "model affine: input x: expected FP32 [?], got none"),
            ([x(1), x(1)], {}, "model affine: input x is there twice"),
            ([tensor("q", np.ones([1], np.float32))], {},
             "model affine: input q: signature serving_default has none of this name"),
            ([x(1)], {"outputs": [triton.InferRequestedOutput("v")]},
             "output tensor alias not found in signature: v"),
            ([x(1)], {"parameters": {"signature_name": 3}}, "must be a string_param")):
        status, message = refused(client.infer, "affine", inputs, **named)
        assert (status, text in message) == ("StatusCode.INVALID_ARGUMENT", True), message


def test_refused_before_a_run(client):
    status, message = refused(client.infer, "types", [x(1)])
    assert status == "StatusCode.FAILED_PRECONDITION"
    assert message.startswith("model types: no signature is called serving_default") and "BF16" in message
    top = [triton.InferRequestedOutput("y", class_count=2)]
    status, message = refused(client.infer, "affine", [x(1)], outputs=top)
    assert (status, "classification" in message) == ("StatusCode.UNIMPLEMENTED", True)
