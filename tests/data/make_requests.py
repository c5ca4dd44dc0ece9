#!/usr/bin/env python3
"""Writes tests/fuzz/corpus/predict_request/: requests of every kind, as real clients send them, and
some that none sends."""
import pathlib

import numpy as np
import tensorflow as tf
from grpc_health.v1 import health_pb2
from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2,
                                     get_model_status_pb2, predict_pb2)

FOLDER = pathlib.Path(__file__).parents[1] / "fuzz/corpus/predict_request"


def predict(**inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(value)
    return request


def classification(with_context):
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "m"
    kind = request.input.example_list_with_context if with_context else request.input.example_list
    for value in (1.0, 2.0):
        kind.examples.add().features.feature["x"].float_list.value.append(value)
    if with_context:
        kind.context.features.feature["c"].int64_list.value.append(3)
    return request


def seeds():
    numbers = predict(x=tf.make_tensor_proto(np.arange(6, dtype=np.float32).reshape(2, 3)))
    numbers.model_spec.version.value = 3
    numbers.model_spec.signature_name = "s"
    numbers.output_filter.extend(["y", "z"])
    yield "content", numbers

    repeated = predict(x=tf.make_tensor_proto(7.0, shape=[2, 2]))
    repeated.model_spec.version_label = "stable"
    yield "one_value", repeated

    typed = predict(b=tf.make_tensor_proto([True, False]), s=tf.make_tensor_proto(["a", "", "c"]),
                    i=tf.make_tensor_proto(np.array([[1], [2]], np.int64)),
                    h=tf.make_tensor_proto(np.array([1, 2], np.float16)))
    typed.inputs["f"].dtype = 1
    typed.inputs["f"].tensor_shape.dim.add().size = 2
    typed.inputs["f"].float_val.extend([1, 2])
    yield "typed_values", typed

    huge = predict(x=tf.make_tensor_proto(1.0))
    for _ in range(3):
        huge.inputs["x"].tensor_shape.dim.add().size = 1 << 40
    yield "huge_shape", huge

    yield "name_only", predict()
    yield "classification", classification(False)
    yield "classification_with_context", classification(True)

    metadata = get_model_metadata_pb2.GetModelMetadataRequest()
    metadata.model_spec.name = "m"
    metadata.metadata_field.append("signature_def")
    yield "metadata", metadata

    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "m"
    status.model_spec.version.value = 0
    yield "status", status
    yield "health", health_pb2.HealthCheckRequest(service="tensorflow.serving.PredictionService")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, message in seeds():
        (FOLDER / name).write_bytes(message.SerializeToString(deterministic=True))
    cut = predict(x=tf.make_tensor_proto([1.0, 2.0])).SerializeToString(deterministic=True)
    (FOLDER / "cut").write_bytes(cut[:-3])
    (FOLDER / "group").write_bytes(b"\x0b\x10\x05\x13\x14\x0c" + cut)


if __name__ == "__main__":
    main()
