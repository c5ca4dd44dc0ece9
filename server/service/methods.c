/* SPDX-License-Identifier: Apache-2.0
 *
 * THE table of RPCs: each path, the threads that it runs on, and its handler.
 */
#include "server/service/methods.h"

#include "server/service/health.h"
#include "server/service/infer.h"
#include "server/service/metadata.h"
#include "server/service/predict.h"
#include "server/service/status.h"

#define PREDICTION "/tensorflow.serving.PredictionService/"
#define MODEL "/tensorflow.serving.ModelService/"

const Method methods[] = {
    { PREDICTION "Predict", METHOD_COMPUTE, predict_handle },
    { PREDICTION "Classify", METHOD_COMPUTE, classify_handle },
    { PREDICTION "Regress", METHOD_COMPUTE, regress_handle },
    { PREDICTION "MultiInference", METHOD_COMPUTE, multi_inference_handle },
    { PREDICTION "GetModelMetadata", METHOD_COMPUTE, metadata_handle },
    { MODEL "GetModelStatus", METHOD_CONTROL, status_handle },
    { "/grpc.health.v1.Health/Check", METHOD_CONTROL, health_handle },
};

const size_t methods_n = ARRAY_SIZE(methods);
