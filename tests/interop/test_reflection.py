"""Server reflection, asked by clients that know nothing of the server: grpcurl, where it is
installed, and gRPC's own client for Python."""
import json
import os
import shutil
import subprocess

import bundles
import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

SERVICES = {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService",
            "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection"}
PREDICT_JSON = {"model_spec": {"name": "affine"},
                "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": 2}]},
                                 "float_val": [2, 4]}}}


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("affine")
    bundles.affine(folder, 1)
    return start_server("affine", folder)


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        yield channel


def test_python_client_learns_predict(channel):
    """A pool that is filled by the server alone; services, messages, and a call."""
    database = ProtoReflectionDescriptorDatabase(channel)
    assert SERVICES <= set(database.get_services())
    assert len(database.get_services()) == len(set(database.get_services()))
    pool = descriptor_pool.DescriptorPool(database)
    for name in database.get_services():
        for method in pool.FindServiceByName(name).methods:
            assert method.input_type.full_name and method.output_type.full_name
    method = pool.FindServiceByName("tensorflow.serving.PredictionService").methods_by_name["Predict"]
    Request = message_factory.GetMessageClass(method.input_type)
    Response = message_factory.GetMessageClass(method.output_type)
    request = Request()
    request.model_spec.name = "affine"
    request.inputs["x"].dtype = 1
    request.inputs["x"].tensor_shape.dim.add().size = 2
    request.inputs["x"].float_val.extend([2, 4])
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict",
                               Request.SerializeToString, Response.FromString)
    response = call(request, timeout=10)
    expected = {"y": [0.5 * x + 2 for x in (2, 4)]}
    assert list(response.outputs["y"].float_val) == expected["y"]


def ask(channel, version, **question):
    """The v1 messages are the v1alpha ones on the wire."""
    stub = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString)
    request = reflection_pb2.ServerReflectionRequest(host="h", **question)
    answer, = stub(iter([request]), timeout=10)
    assert answer.original_request == request and answer.valid_host == "h"
    return answer


def file_of(answer):
    blob, = answer.file_descriptor_response.file_descriptor_proto
    return descriptor_pb2.FileDescriptorProto.FromString(blob)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_files_and_their_imports(channel, version):
    wanted, seen = ["tensorflow_serving/apis/prediction_service.proto"], set()
    while wanted:
        file = file_of(ask(channel, version, file_by_filename=wanted.pop()))
        seen.add(file.name)
        wanted.extend(set(file.dependency) - seen)
    assert {"tensorflow/core/framework/tensor.proto", "google/protobuf/wrappers.proto",
            "google/protobuf/any.proto"} <= seen


@pytest.mark.parametrize("symbol, file", [
    ("tensorflow.serving.PredictionService", "tensorflow_serving/apis/prediction_service.proto"),
    ("tensorflow.serving.PredictionService.Predict",
     "tensorflow_serving/apis/prediction_service.proto"),
    ("tensorflow.serving.PredictRequest", "tensorflow_serving/apis/predict.proto"),
    ("tensorflow.serving.PredictRequest.InputsEntry.key", "tensorflow_serving/apis/predict.proto"),
    ("tensorflow.serving.ModelSpec.version_choice", "tensorflow_serving/apis/model.proto"),
    ("tensorflow.DT_FLOAT", "tensorflow/core/framework/types.proto"),
    ("tensorflow.DataType", "tensorflow/core/framework/types.proto"),
    ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
    ("google.protobuf.Int64Value", "google/protobuf/wrappers.proto"),
])
def test_symbols(channel, symbol, file):
    assert file_of(ask(channel, "v1", file_containing_symbol=symbol)).name == file


@pytest.mark.parametrize("question", [
    {"file_by_filename": "no.proto"}, {"file_by_filename": ""}, {"file_by_filename": "/etc/passwd"},
    {"file_containing_symbol": "tensorflow"}, {"file_containing_symbol": ""},
    {"file_containing_symbol": "tensorflow.serving.PredictRequest."},
    {"file_containing_symbol": "tensorflow.serving.PredictRequest.name.x"},
    {"file_containing_symbol": "tensorflow.serving.Predict"},
    {"file_containing_symbol": ".tensorflow.serving.PredictRequest"},
    {"file_containing_symbol": "tensorflow.DataType.DT_FLOAT"},
    {"all_extension_numbers_of_type": "no.Type"},
    {"all_extension_numbers_of_type": "tensorflow.serving.PredictionService"},
    {"file_containing_extension": reflection_pb2.ExtensionRequest(
        containing_type="tensorflow.serving.PredictRequest", extension_number=1)},
])
def test_what_there_is_not(channel, question):
    answer = ask(channel, "v1", **question)
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_other_questions(channel):
    answer = ask(channel, "v1")
    assert answer.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    answer = ask(channel, "v1", all_extension_numbers_of_type="tensorflow.serving.PredictRequest")
    assert answer.all_extension_numbers_response.base_type_name == \
        "tensorflow.serving.PredictRequest"


def test_one_stream_many_questions(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=f"no.{i}")
                for i in range(500)]
    answers = list(stub.ServerReflectionInfo(iter(requests), timeout=30))
    assert [a.original_request for a in answers] == requests


GRPCURL = shutil.which("grpcurl") or shutil.which("grpcurl", path=os.path.expanduser("~/go/bin"))


@pytest.mark.skipif(GRPCURL is None, reason="grpcurl is not installed")
class TestGrpcurl:
    def run(self, server, *arguments, before=()):
        return subprocess.run([GRPCURL, "-plaintext", *before, f"localhost:{server.port}",
                               *arguments], capture_output=True, text=True, timeout=30, check=True
                              ).stdout

    def test_list(self, server):
        assert SERVICES <= set(self.run(server, "list").split())
        assert "tensorflow.serving.PredictionService.Predict" in \
            self.run(server, "list", "tensorflow.serving.PredictionService").split()

    def test_describe_all(self, server):
        text = self.run(server, "describe")
        assert "rpc Predict ( .tensorflow.serving.PredictRequest )" in text
        assert "rpc Watch ( .grpc.health.v1.HealthCheckRequest )" in text
        assert "map<string, .tensorflow.TensorProto> inputs = 2;" in \
            self.run(server, "describe", "tensorflow.serving.PredictRequest")

    def test_predict_in_json(self, server):
        text = self.run(server, "tensorflow.serving.PredictionService/Predict",
                        before=["-d", json.dumps(PREDICT_JSON)])
        assert json.loads(text)["outputs"]["y"]["floatVal"] == [3, 4]

    def test_status_in_json(self, server):
        text = self.run(server, "tensorflow.serving.ModelService/GetModelStatus",
                        before=["-d", '{"model_spec": {"name": "affine"}}'])
        assert json.loads(text)["model_version_status"][0]["state"] == "AVAILABLE"
