/* SPDX-License-Identifier: Apache-2.0
 *
 * The fused ops against the chains that they stand for (model/op/fused.h), with constant and with
 * other weights.
 */
#include <math.h>

#include "model/op/activation.h"
#include "tests/support/op_node.h"

static void check_close(const Tensor *got, const Tensor *want, const char *what, int number)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (!shape_equal(&got->shape, &want->shape))
        fail_msg("%s %d: shape %s, not %s", what, number, shape_text(&got->shape, text[0]),
                 shape_text(&want->shape, text[1]));
    for (int64_t i = 0; i < got->n; i++) {
        float x = ((const float *)got->data)[i], y = ((const float *)want->data)[i];
        if (!(fabsf(x - y) <= 2e-5F * (1 + fabsf(y))))
            fail_msg("%s %d: element %d is %g, not %g", what, number, (int)i, (double)x, (double)y);
    }
}

typedef struct Chain {
    const char *activation;
    float alpha;
    bool has_bias, has_pool;
    int residual; /* operand of the Add; -1: none */
    int64_t pool_size[4], pool_strides[4];
    const char *pool_padding;
} Chain;

static Chain chain_random(void)
{
    static const char *const activations[] = {
        "", "Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Sigmoid", "Tanh"
    };
    Chain c = { .activation = activations[random_below(ARRAY_SIZE(activations))],
                .alpha = random_below(2) ? 0.3F : -0.5F,
                .has_bias = random_below(4) != 0,
                .has_pool = random_below(2) != 0,
                .residual = (int)random_below(4) < 2 ? -1 : (int)random_below(2),
                .pool_size = { 1, 2, 2, 1 },
                .pool_strides = { 1, 2, 2, 1 },
                .pool_padding = random_below(2) ? "SAME" : "VALID" };
    c.has_pool &= c.residual < 0;
    if (random_below(3) == 0) {
        for (int i = 1; i < 3; i++) {
            c.pool_size[i] = 1 + random_below(3);
            c.pool_strides[i] = 1 + random_below(3);
        }
    }
    return c;
}

static void add_fused_attrs(OpNode *node, const Chain *c)
{
    op_node_int(node, "num_args", c->has_bias + (c->residual >= 0));
    if (c->residual >= 0)
        op_node_int(node, "residual", c->residual);
    op_node_text(node, "activation", c->activation);
    op_node_float(node, "alpha", c->alpha);
    if (c->has_pool) {
        op_node_ints(node, "pool_ksize", 4, c->pool_size);
        op_node_ints(node, "pool_strides", 4, c->pool_strides);
        op_node_text(node, "pool_padding", c->pool_padding);
    }
}

/* A residual for a product of shape `like`: mostly of that shape, else one that is repeated, or
 * that repeats the product. */
static Tensor random_residual(Arena *arena, const Shape *like)
{
    Shape shape = *like;
    if (random_below(3) == 0)
        shape.dims[random_below(like->rank)] = 1;
    else if (random_below(6) == 0 && like->dims[0] == 1)
        shape.dims[0] = 3;
    return random_tensor(arena, &shape);
}

/* The args of the fused op: inputs[2...]. Returns how many inputs there are. */
static int add_args(const Chain *c, const Tensor *bias, const Tensor *residual, Tensor *inputs)
{
    int n = 2;
    if (c->has_bias)
        inputs[n++] = *bias;
    if (c->residual >= 0)
        inputs[n++] = *residual;
    return n;
}

/* What comes behind the product, as ops of their own; `t` is replaced. */
static void run_rest(Arena *arena, const Chain *c, const Tensor *bias, const Tensor *residual,
                     Tensor *t)
{
    if (c->has_bias) {
        OpNode node = op_node_new(arena, DT_FLOAT);
        assert_ok(op_node_run(&node, "BiasAdd", 2, (Tensor[]){ *t, *bias }, t));
    }
    if (c->residual >= 0) {
        OpNode node = op_node_new(arena, DT_FLOAT);
        assert_ok(op_node_run(&node, "AddV2", 2, (Tensor[]){ *t, *residual }, t));
    }
    if (c->activation[0] != '\0') {
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_float(&node, "alpha", c->alpha);
        assert_ok(op_node_run(&node, c->activation, 1, t, t));
    }
    if (c->has_pool) {
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_ints(&node, "ksize", 4, c->pool_size);
        op_node_ints(&node, "strides", 4, c->pool_strides);
        op_node_text(&node, "padding", c->pool_padding);
        assert_ok(op_node_run(&node, "MaxPool", 1, t, t));
    }
}

static void check_conv_chains(bool is_depthwise)
{
    for (int i = 0; i < 400; i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        const Chain c = chain_random();
        static const int64_t groups_of[] = { 1, 1, 1, 2, 4 };
        int64_t groups = groups_of[random_below(5)], filter_c = 1 + random_below(3);
        int64_t kh = 1 + random_below(4), kw = 1 + random_below(4);
        const int64_t strides[4] = { 1, 1 + random_below(4) / 3, 1 + random_below(4) / 3, 1 };
        Shape x_shape = shape_of(random_below(4), kh + 2 + random_below(9),
                                 kw + 2 + random_below(30), groups * filter_c);
        Shape f_shape = shape_of(kh, kw, filter_c, groups * (1 + random_below(20)));
        Shape bias_shape = shape_of(f_shape.dims[3]);
        if (is_depthwise) {
            f_shape = shape_of(kh, kw, groups * filter_c, 1 + random_below(3));
            bias_shape = shape_of(f_shape.dims[2] * f_shape.dims[3]);
        }
        Tensor inputs[4] = { random_tensor(arena, &x_shape), random_tensor(arena, &f_shape) }, want;
        const Tensor bias = random_tensor(arena, &bias_shape);
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_ints(&node, "strides", 4, strides);
        op_node_text(&node, "padding", random_below(2) ? "SAME" : "VALID");
        if (is_depthwise)
            op_node_ints(&node, "strides", 4, (const int64_t[]){ 1, strides[1], strides[1], 1 });
        assert_ok(op_node_run(&node, is_depthwise ? "DepthwiseConv2dNative" : "Conv2D", 2, inputs,
                              &want));
        Tensor conv = want, got;
        if (c.has_pool &&
            (conv.shape.dims[1] < c.pool_size[1] || conv.shape.dims[2] < c.pool_size[2]))
            continue;
        const Tensor residual = random_residual(arena, &conv.shape);
        run_rest(arena, &c, &bias, &residual, &want);
        add_fused_attrs(&node, &c);
        assert_ok(op_node_run(&node, is_depthwise ? "_FusedDepthwiseConv2D" : "_FusedConv2D",
                              add_args(&c, &bias, &residual, inputs), inputs, &got));
        check_close(&got, &want, c.activation, i);
    }
}

static void fused_conv_is_its_chain(void **state)
{
    (void)state;
    check_conv_chains(false);
}

static void fused_depthwise_is_its_chain(void **state)
{
    (void)state;
    check_conv_chains(true);
}

static void fused_matmul_is_its_chain(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        Chain c = chain_random();
        c.has_pool = false;
        int64_t m = random_below(9), k = random_below(40), n = 1 + random_below(70);
        bool transpose_a = random_below(2) != 0, transpose_b = random_below(2) != 0;
        Shape a = transpose_a ? shape_of(k, m) : shape_of(m, k);
        Shape b = transpose_b ? shape_of(n, k) : shape_of(k, n);
        Shape bias_shape = shape_of(n);
        Tensor inputs[4] = { random_tensor(arena, &a), random_tensor(arena, &b) };
        const Tensor bias = random_tensor(arena, &bias_shape);
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_bool(&node, "transpose_a", transpose_a);
        op_node_bool(&node, "transpose_b", transpose_b);
        Tensor want, got;
        assert_ok(op_node_run(&node, "MatMul", 2, inputs, &want));
        const Tensor residual = random_residual(arena, &want.shape);
        run_rest(arena, &c, &bias, &residual, &want);
        add_fused_attrs(&node, &c);
        assert_ok(op_node_run(&node, "_FusedMatMul", add_args(&c, &bias, &residual, inputs), inputs,
                              &got));
        check_close(&got, &want, c.activation, i);
    }
}

static void fused_ops_check_bias_and_activation(void **state)
{
    (void)state;
    const int64_t ones[4] = { 1, 1, 1, 1 };
    static const char *const ops[] = { "_FusedConv2D", "_FusedMatMul" };
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        Shape x = i == 0 ? shape_of(1, 4, 4, 2) : shape_of(3, 2);
        Shape filter = i == 0 ? shape_of(1, 1, 2, 3) : shape_of(2, 3);
        Shape biases[] = { shape_of(4), shape_of(3, 1) };
        static const char *const errors[] = { "Must provide as many biases as the last dimension",
                                              "Biases must be 1D: [3,1]" };
        for (size_t j = 0; j < ARRAY_SIZE(biases); j++) {
            Tensor inputs[3] = { random_tensor(arena, &x), random_tensor(arena, &filter),
                                 random_tensor(arena, &biases[j]) },
                   out;
            OpNode node = op_node_new(arena, DT_FLOAT);
            op_node_int(&node, "num_args", 1);
            op_node_ints(&node, "strides", 4, ones);
            op_node_text(&node, "padding", "VALID");
            assert_error(op_node_run(&node, ops[i], 3, inputs, &out), ERROR_INVALID_ARGUMENT,
                         errors[j]);
            op_node_text(&node, "activation", "Gelu");
            assert_error(op_node_run(&node, ops[i], 3, inputs, &out), ERROR_INVALID_ARGUMENT,
                         "there is no activation 'Gelu'");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fused_conv_is_its_chain),
        cmocka_unit_test(fused_depthwise_is_its_chain),
        cmocka_unit_test(fused_matmul_is_its_chain),
        cmocka_unit_test(fused_ops_check_bias_and_activation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
