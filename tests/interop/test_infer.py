"""Regress and MultiInference, as tensorflow-serving-api's client sees them."""
import bundles
import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis import (classification_pb2, inference_pb2, predict_pb2,
                                     prediction_service_pb2_grpc, regression_pb2)

REGRESS = "tensorflow/serving/regress"
CLASSIFY = "tensorflow/serving/classify"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("heads")
    bundles.heads(path, 5)
    return path


def stub_of(server):
    return prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(f"localhost:{server.port}"))


@pytest.fixture(scope="module")
def stub(start_server, folder):
    return stub_of(start_server("heads", folder))


def examples(request, *values):
    for x in values:
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(x)
    return request


def regression(name="heads", signature="regress", xs=(2.0, 4.0)):
    request = regression_pb2.RegressionRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    return examples(request, *xs)


def multi(*tasks, xs=(2.0, 4.0)):
    request = inference_pb2.MultiInferenceRequest()
    for name, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name = name
        task.model_spec.signature_name = signature
    return examples(request, *xs)


def refused(call, request):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, 20)
    return caught.value.code().name, caught.value.details()


def test_regress(stub):
    reply = stub.Regress(regression(), 20)
    assert [r.value for r in reply.result.regressions] == [4.0, 5.0]
    assert reply.model_spec.name == "heads" and reply.model_spec.version.value == 5
    assert reply.model_spec.signature_name == "regress"


@pytest.mark.parametrize("request_, code, text", [
    (regression(name="none"), "NOT_FOUND", "Servable not found for request: Latest(none)"),
    (regression(name=""), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    (regression_pb2.RegressionRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    (regression(signature="none"), "INVALID_ARGUMENT",
     "No signature was found with the name: none"),
    (regression(signature="classify"), "INVALID_ARGUMENT",
     "No regression outputs found in SignatureDef: "),
    (regression(xs=()), "INVALID_ARGUMENT", "Input is empty."),
])
def test_regress_refuses(stub, request_, code, text):
    got_code, got_text = refused(stub.Regress, request_)
    assert got_code == code and got_text.startswith(text)


def test_multi_inference(stub):
    reply = stub.MultiInference(multi(("heads", "regress", REGRESS),
                                      ("heads", "classify", CLASSIFY)), 20)
    assert len(reply.results) == 2
    first, second = reply.results
    assert [r.value for r in first.regression_result.regressions] == [4.0, 5.0]
    assert [c.classes[0].score for c in second.classification_result.classifications] == [3.0, 4.0]
    assert [r.model_spec.signature_name for r in reply.results] == ["regress", "classify"]
    assert all(r.model_spec.version.value == 5 for r in reply.results)


def test_a_context_is_merged(stub):
    request = regression(xs=())
    with_context = request.input.example_list_with_context
    with_context.context.features.feature["x"].float_list.value.append(6.0)
    with_context.examples.add()
    with_context.examples.append(tf.train.Example(features=tf.train.Features(feature={
        "x": tf.train.Feature(float_list=tf.train.FloatList(value=[8.0]))})))
    reply = stub.Regress(request, 20)
    assert [r.value for r in reply.result.regressions] == [6.0, 7.0]


@pytest.mark.parametrize("request_, code, text", [
    (multi(), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    (multi(("", "regress", REGRESS)), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    (multi(("none", "regress", REGRESS)), "NOT_FOUND",
     "Servable not found for request: Latest(none)"),
    (multi(("heads", "regress", REGRESS), ("", "classify", CLASSIFY)), "INVALID_ARGUMENT",
     "Found ModelSpec with an empty model name."),
    (multi(("heads", "regress", REGRESS), ("other", "classify", CLASSIFY)), "INVALID_ARGUMENT",
     "All ModelSpecs in a MultiInferenceRequest must access the same model name."),
    (multi(("heads", "regress", REGRESS), ("heads", "regress", REGRESS)), "INVALID_ARGUMENT",
     "Duplicate evaluation of signature: regress"),
    (multi(("heads", "regress", "tensorflow/serving/predict")), "UNIMPLEMENTED",
     "Unsupported signature method_name: tensorflow/serving/predict"),
    (multi(("heads", "none", REGRESS)), "INVALID_ARGUMENT",
     "Requested signature not found in model graph: none"),
    (multi(("heads", "regress", REGRESS), xs=()), "INVALID_ARGUMENT", "Input is empty."),
])
def test_multi_inference_refuses(stub, request_, code, text):
    assert refused(stub.MultiInference, request_) == (code, text)


def test_method_names_are_checked_on_demand(start_server, folder):
    """Exports of TensorFlow 2 say predict of every signature."""
    stub = stub_of(start_server("heads", folder, "--enable_signature_method_name_check"))
    assert refused(stub.Regress, regression()) == (
        "INVALID_ARGUMENT", "Expected regression signature method_name to be "
        "tensorflow/serving/regress. Was: tensorflow/serving/predict")
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "heads"
    request.model_spec.signature_name = "classify"
    assert refused(stub.Classify, examples(request, 2.0)) == (
        "INVALID_ARGUMENT", "Expected classification signature method_name to be "
        "tensorflow/serving/classify. Was: tensorflow/serving/predict")


def test_tensor_content_on_demand(start_server, folder):
    stub = stub_of(start_server("heads", folder, "--enable_serialization_as_tensor_content"))
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "heads"
    request.model_spec.signature_name = "regress"
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(2.0)
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto([example.SerializeToString()]))
    output = stub.Predict(request, 20).outputs["outputs"]
    assert len(output.float_val) == 0 and len(output.tensor_content) == 4
    assert tf.make_ndarray(output).tolist() == [[4.0]]
