/* SPDX-License-Identifier: Apache-2.0
 *
 * Relu and its like: the functions, and the ops that apply one of them to a tensor. float and
 * double, Relu and Relu6 of integers too. Sigmoid and Tanh are here for the epilogues only; as ops
 * they are in unary.c. The transcendental ones of floats are in floats.c. Any thread.
 */
#include "model/op/activation.h"

#include <math.h>
#include <string.h>
#include <tgmath.h>

#include "model/op/elementwise.h"
#include "model/op/floats.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

static const struct {
    const char *name;
    ActivationKind kind;
} activations[] = {
    { "", ACTIVATION_NONE },
    { "Relu", ACTIVATION_RELU },
    { "Relu6", ACTIVATION_RELU6 },
    { "LeakyRelu", ACTIVATION_LEAKY_RELU },
    { "Elu", ACTIVATION_ELU },
    { "Selu", ACTIVATION_SELU },
    { "Softplus", ACTIVATION_SOFTPLUS },
    { "Softsign", ACTIVATION_SOFTSIGN },
    { "Sigmoid", ACTIVATION_SIGMOID },
    { "Tanh", ACTIVATION_TANH },
    { "_Silu", ACTIVATION_SILU },
    { "_HardSigmoid", ACTIVATION_HARD_SIGMOID },
    { "_HardSwish", ACTIVATION_HARD_SWISH },
    { "_Gelu", ACTIVATION_GELU },
    { "_GeluTanh", ACTIVATION_GELU_TANH },
};

/* ---- functions ----------------------------------------------------------------------------- */

/* Comparisons are written so that a NaN falls through to x. Far from zero softplus(x) is x or
 * exp(x) to the last bit; the threshold is TensorFlow's. */
#define APPLY(type, name, epsilon, storage)                                                        \
    storage void name(const Activation *activation, const type *in, size_t n, type *out)           \
    {                                                                                              \
        const type zero = 0, half = (type)0.5, one = 1, three = 3, six = 6,                        \
                   alpha = (type)activation->alpha;                                                \
        const type scale = (type)SELU_SCALE, scale_alpha = (type)SELU_SCALE_ALPHA;                 \
        const type root = (type)0.7978845608028654, cubic = (type)0.044715;                        \
        const type threshold = log((type)epsilon) + 2;                                             \
        switch (activation->kind) {                                                                \
        case ACTIVATION_NONE:                                                                      \
            EACH(x);                                                                               \
        case ACTIVATION_RELU:                                                                      \
            EACH(x < zero ? zero : x);                                                             \
        case ACTIVATION_RELU6:                                                                     \
            EACH(RELU6(x));                                                                        \
        case ACTIVATION_LEAKY_RELU:                                                                \
            EACH(x > zero ? x : alpha * x);                                                        \
        case ACTIVATION_ELU:                                                                       \
            EACH(x < zero ? expm1(x) : x);                                                         \
        case ACTIVATION_SELU:                                                                      \
            EACH(x < zero ? scale_alpha * expm1(x) : scale * x);                                   \
        case ACTIVATION_SOFTPLUS:                                                                  \
            EACH(x > -threshold ? x : (x < threshold ? exp(x) : log1p(exp(x))));                   \
        case ACTIVATION_SOFTSIGN:                                                                  \
            EACH(x / (one + fabs(x)));                                                             \
        case ACTIVATION_SIGMOID:                                                                   \
            EACH(one / (one + exp(-x)));                                                           \
        case ACTIVATION_TANH:                                                                      \
            EACH(tanh(x));                                                                         \
        case ACTIVATION_SILU:                                                                      \
            EACH(x *(one / (one + exp(-x))));                                                      \
        case ACTIVATION_HARD_SIGMOID:                                                              \
            EACH(RELU6(x + three) / six);                                                          \
        case ACTIVATION_HARD_SWISH:                                                                \
            EACH(x *(RELU6(x + three) / six));                                                     \
        case ACTIVATION_GELU:                                                                      \
            EACH(half *x *erfc(-x *(type)M_SQRT1_2));                                              \
        case ACTIVATION_GELU_TANH:                                                                 \
            EACH(half *x *(one + tanh(root * (x + cubic * x * x * x))));                           \
        }                                                                                          \
    }

#define RELU6(v) ((v) < zero ? zero : ((v) > six ? six : (v)))
#define EACH(expression)                                                                           \
    for (size_t i = 0; i < n; i++) {                                                               \
        __typeof__(*in) x = in[i];                                                                 \
        out[i] = (expression);                                                                     \
    }                                                                                              \
    return

APPLY(float, apply_float, 1.1920929e-07F, static)
APPLY(double, activation_apply_double, 2.2204460492503131e-16, )

void activation_apply(const Activation *activation, const float *in, size_t n, float *out)
{
    switch (activation->kind) {
    case ACTIVATION_SIGMOID:
        floats_sigmoid((int64_t)n, in, out);
        break;
    case ACTIVATION_TANH:
        floats_tanh((int64_t)n, in, out);
        break;
    case ACTIVATION_SILU:
        floats_silu((int64_t)n, in, out);
        break;
    case ACTIVATION_GELU:
        floats_gelu((int64_t)n, in, out);
        break;
    case ACTIVATION_ELU:
        floats_elu((int64_t)n, in, out);
        break;
    case ACTIVATION_SELU:
        floats_selu((int64_t)n, in, out);
        break;
    default:
        apply_float(activation, in, n, out);
        break;
    }
}

bool activation_find(const char *name, ActivationKind *ret_kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(activations); i++) {
        if (strcmp(activations[i].name, name) == 0) {
            *ret_kind = activations[i].kind;
            return true;
        }
    }
    return false;
}

bool activation_bounds(const Activation *activation, float *ret_low, float *ret_high)
{
    switch (activation->kind) {
    case ACTIVATION_NONE:
    case ACTIVATION_RELU:
    case ACTIVATION_RELU6:
        *ret_low = activation->kind == ACTIVATION_NONE ? -INFINITY : 0;
        *ret_high = activation->kind == ACTIVATION_RELU6 ? 6 : INFINITY;
        return true;
    default:
        return false;
    }
}

bool activation_is_monotone(const Activation *activation)
{
    switch (activation->kind) {
    case ACTIVATION_LEAKY_RELU:
        return activation->alpha >= 0;
    case ACTIVATION_SILU:
    case ACTIVATION_HARD_SWISH:
    case ACTIVATION_GELU:
    case ACTIVATION_GELU_TANH:
        return false;
    default:
        return true;
    }
}

/* ---- ops ----------------------------------------------------------------------------------- */

/* Relu and Relu6 of integers. */
#define CLAMP(dt, type, suffix)                                                                    \
    static void clamp_##suffix(ActivationKind kind, const void *ins, size_t begin, size_t end,     \
                               void *outs)                                                         \
    {                                                                                              \
        const type *in = ins;                                                                      \
        type *out = outs;                                                                          \
        for (size_t i = begin; i < end; i++) {                                                     \
            type x = in[i] > 0 ? in[i] : 0;                                                        \
            out[i] = kind == ACTIVATION_RELU6 && x > 6 ? 6 : x;                                    \
        }                                                                                          \
    }
FOR_EACH_INT(CLAMP)

typedef void ClampLoop(ActivationKind kind, const void *ins, size_t begin, size_t end, void *outs);

/* NULL when the type is no integer. */
static ClampLoop *find_clamp(DType dtype)
{
#define CLAMP_CASE(dt, type, suffix)                                                               \
    case dt:                                                                                       \
        return clamp_##suffix;
    switch (dtype) {
        FOR_EACH_INT(CLAMP_CASE)
    default:
        return NULL;
    }
}

typedef struct Elements {
    const Activation *activation;
    const Tensor *in;
    Tensor *out;
} Elements;

static void apply_elements(void *context, size_t begin, size_t end, int thread)
{
    const Elements *e = context;
    (void)thread;
    ClampLoop *clamp = find_clamp(e->in->dtype);
    if (clamp != NULL)
        clamp(e->activation->kind, e->in->data, begin, end, e->out->data);
    else if (e->in->dtype == DT_FLOAT)
        activation_apply(e->activation, (const float *)e->in->data + begin, end - begin,
                         (float *)e->out->data + begin);
    else
        activation_apply_double(e->activation, (const double *)e->in->data + begin, end - begin,
                                (double *)e->out->data + begin);
}

Error *activation_prepare(OpPrepare *prepare)
{
    Activation *a = arena_calloc(prepare->arena, 1, sizeof(*a));
    if (a == NULL)
        return error_out_of_memory();
    DType dtype = prepare->input_dtypes[0];
    if (!activation_find(prepare->op->name, &a->kind))
        return error_new(ERROR_INTERNAL, "%s is not an activation", prepare->op->name);
    bool has_integers = a->kind == ACTIVATION_RELU || a->kind == ACTIVATION_RELU6;
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && !(has_integers && dtype_is_integer(dtype)))
        return op_unsupported_type(prepare, dtype);
    if (a->kind == ACTIVATION_LEAKY_RELU)
        TRY(attrs_float_or(prepare->attrs, "alpha", 0.2F, &a->alpha));
    prepare->kernel = a;
    return NULL;
}

Error *activation_run(OpContext *context)
{
    const Tensor *in = op_input(context, 0);
    Elements e = { .activation = context->kernel, .in = in };
    TRY(op_output_reuse(context, 0, 0, in->dtype, &in->shape, &e.out));
    workers_for(context->workers, (size_t)in->n, GRAIN, apply_elements, &e);
    return NULL;
}
