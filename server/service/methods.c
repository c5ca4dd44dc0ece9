/* SPDX-License-Identifier: Apache-2.0
 *
 * THE table of RPCs: each path, its kind, the threads that it runs on, and its handler.
 */
#include "server/service/methods.h"

#include "server/service/health.h"
#include "server/service/infer.h"
#include "server/service/kserve.h"
#include "server/service/metadata.h"
#include "server/service/predict.h"
#include "server/service/reflection.h"
#include "server/service/reload.h"
#include "server/service/status.h"

#define PREDICTION "/tensorflow.serving.PredictionService/"
#define MODEL "/tensorflow.serving.ModelService/"
#define HEALTH "/grpc.health.v1.Health/"
#define REFLECTION(version) "/grpc.reflection." version ".ServerReflection/ServerReflectionInfo"
#define KSERVE "/inference.GRPCInferenceService/"

const Method methods[] = {
    { PREDICTION "Predict", METHOD_UNARY, METHOD_COMPUTE, predict_handle },
    { PREDICTION "Classify", METHOD_UNARY, METHOD_COMPUTE, classify_handle },
    { PREDICTION "Regress", METHOD_UNARY, METHOD_COMPUTE, regress_handle },
    { PREDICTION "MultiInference", METHOD_UNARY, METHOD_COMPUTE, multi_inference_handle },
    { PREDICTION "GetModelMetadata", METHOD_UNARY, METHOD_COMPUTE, metadata_handle },
    { MODEL "GetModelStatus", METHOD_UNARY, METHOD_CONTROL, status_handle },
    { MODEL "HandleReloadConfigRequest", METHOD_UNARY, METHOD_CONTROL, reload_handle },
    { HEALTH "Check", METHOD_UNARY, METHOD_CONTROL, health_check_handle },
    { HEALTH "List", METHOD_UNARY, METHOD_CONTROL, health_list_handle },
    { HEALTH "Watch", METHOD_SUBSCRIPTION, METHOD_CONTROL, health_watch_handle },
    { REFLECTION("v1"), METHOD_CHAT, METHOD_CONTROL, reflection_handle },
    { REFLECTION("v1alpha"), METHOD_CHAT, METHOD_CONTROL, reflection_handle },
    { KSERVE "ServerLive", METHOD_UNARY, METHOD_CONTROL, server_live_handle },
    { KSERVE "ServerReady", METHOD_UNARY, METHOD_CONTROL, server_ready_handle },
    { KSERVE "ModelReady", METHOD_UNARY, METHOD_CONTROL, model_ready_handle },
    { KSERVE "ServerMetadata", METHOD_UNARY, METHOD_CONTROL, server_metadata_handle },
    { KSERVE "ModelMetadata", METHOD_UNARY, METHOD_COMPUTE, model_metadata_handle },
    { KSERVE "ModelInfer", METHOD_UNARY, METHOD_COMPUTE, model_infer_handle },
};

const size_t methods_n = ARRAY_SIZE(methods);
