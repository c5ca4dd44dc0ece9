/* SPDX-License-Identifier: Apache-2.0
 *
 * Cast, between all plain types. half and bfloat16 go through float, as in TensorFlow.
 *
 * A float that does not fit the integer gives what TensorFlow gives on x86, where C leaves it
 * undefined: the instruction cvttss2si yields the smallest int32 or int64, and narrower types take
 * its low bits.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"
#include "model/tensor/half.h"

typedef struct CastKernel {
    DType from, to;
    UnaryLoop *loop; /* between their types or float; NULL when they are the same */
} CastKernel;

/* ---- one element --------------------------------------------------------------------------- */

static inline int32_t double_to_i32(double v)
{
    return v > -2147483649.0 && v < 2147483648.0 ? (int32_t)v : INT32_MIN;
}

static inline int64_t double_to_i64(double v)
{
    return v >= -0x1p63 && v < 0x1p63 ? (int64_t)v : INT64_MIN;
}

static inline int8_t double_to_i8(double v)
{
    return (int8_t)double_to_i32(v);
}

static inline int16_t double_to_i16(double v)
{
    return (int16_t)double_to_i32(v);
}

static inline uint8_t double_to_u8(double v)
{
    return (uint8_t)double_to_i32(v);
}

static inline uint16_t double_to_u16(double v)
{
    return (uint16_t)double_to_i32(v);
}

static inline uint32_t double_to_u32(double v)
{
    return (uint32_t)double_to_i64(v);
}

static inline uint64_t double_to_u64(double v)
{
    return v < 0x1p63 ? (uint64_t)double_to_i64(v)
                      : (uint64_t)double_to_i64(v - 0x1p63) ^ 1ull << 63;
}

/* ---- loops --------------------------------------------------------------------------------- */

#define TO_FLOATS_AND_BOOL(type, suffix)                                                           \
    DEFINE_UNARY_LOOP(suffix##_to_f32, type, float, v)                                             \
    DEFINE_UNARY_LOOP(suffix##_to_f64, type, double, v)                                            \
    DEFINE_UNARY_LOOP(suffix##_to_bool, type, bool, v != 0)

#define INT_TO_ALL(dt, type, suffix)                                                               \
    TO_FLOATS_AND_BOOL(type, suffix)                                                               \
    DEFINE_UNARY_LOOP(suffix##_to_i8, type, int8_t, v)                                             \
    DEFINE_UNARY_LOOP(suffix##_to_i16, type, int16_t, v)                                           \
    DEFINE_UNARY_LOOP(suffix##_to_i32, type, int32_t, v)                                           \
    DEFINE_UNARY_LOOP(suffix##_to_i64, type, int64_t, v)                                           \
    DEFINE_UNARY_LOOP(suffix##_to_u8, type, uint8_t, v)                                            \
    DEFINE_UNARY_LOOP(suffix##_to_u16, type, uint16_t, v)                                          \
    DEFINE_UNARY_LOOP(suffix##_to_u32, type, uint32_t, v)                                          \
    DEFINE_UNARY_LOOP(suffix##_to_u64, type, uint64_t, v)
FOR_EACH_INT(INT_TO_ALL)
INT_TO_ALL(DT_BOOL, bool, b8)

#define FLOAT_TO_ALL(dt, type, suffix)                                                             \
    TO_FLOATS_AND_BOOL(type, suffix)                                                               \
    DEFINE_UNARY_LOOP(suffix##_to_i8, type, int8_t, double_to_i8(v))                               \
    DEFINE_UNARY_LOOP(suffix##_to_i16, type, int16_t, double_to_i16(v))                            \
    DEFINE_UNARY_LOOP(suffix##_to_i32, type, int32_t, double_to_i32(v))                            \
    DEFINE_UNARY_LOOP(suffix##_to_i64, type, int64_t, double_to_i64(v))                            \
    DEFINE_UNARY_LOOP(suffix##_to_u8, type, uint8_t, double_to_u8(v))                              \
    DEFINE_UNARY_LOOP(suffix##_to_u16, type, uint16_t, double_to_u16(v))                           \
    DEFINE_UNARY_LOOP(suffix##_to_u32, type, uint32_t, double_to_u32(v))                           \
    DEFINE_UNARY_LOOP(suffix##_to_u64, type, uint64_t, double_to_u64(v))
FOR_EACH_FLOAT(FLOAT_TO_ALL)

/* ---- table --------------------------------------------------------------------------------- */

#define N_TYPES (DTYPE_MAX + 1)

#define ROW_OF_TYPE(dt, type, suffix)                                                                \
    [dt] = {                                                                                         \
        [DT_FLOAT] = suffix##_to_f32,  [DT_DOUBLE] = suffix##_to_f64, [DT_BOOL] = suffix##_to_bool,  \
        [DT_INT8] = suffix##_to_i8,    [DT_INT16] = suffix##_to_i16,  [DT_INT32] = suffix##_to_i32,  \
        [DT_INT64] = suffix##_to_i64,  [DT_UINT8] = suffix##_to_u8,   [DT_UINT16] = suffix##_to_u16, \
        [DT_UINT32] = suffix##_to_u32, [DT_UINT64] = suffix##_to_u64,                                \
    },
static UnaryLoop *const loops[N_TYPES][N_TYPES] = { FOR_EACH_NUMBER(ROW_OF_TYPE)
                                                        ROW_OF_TYPE(DT_BOOL, bool, b8) };

static DType wide_type(DType dtype)
{
    return dtype_is_short_float(dtype) ? DT_FLOAT : dtype;
}

Error *cast_prepare(OpPrepare *prepare)
{
    CastKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->from = prepare->input_dtypes[0];
    TRY(attrs_type(prepare->attrs, "DstT", &kernel->to));
    if (kernel->from != kernel->to) {
        kernel->loop = loops[wide_type(kernel->from)][wide_type(kernel->to)];
        if (kernel->loop == NULL)
            return error_new(ERROR_UNIMPLEMENTED, "Cast %s to %s is not supported",
                             dtype_name(kernel->from), dtype_name(kernel->to));
    }
    prepare->kernel = kernel;
    return NULL;
}

Error *cast_run(OpContext *c)
{
    const CastKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    if (kernel->loop == NULL)
        return op_output_alias(c, 0, 0, &x->shape);
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->to, &x->shape, &y));
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    if (!dtype_is_short_float(kernel->to)) {
        kernel->loop(x->n, wide, y->data);
        return NULL;
    }
    const float *result = wide; /* of a 16-bit type or float: only to be narrowed */
    if (wide_type(kernel->from) != DT_FLOAT) {
        float *converted = op_scratch(c, (size_t)x->n * sizeof(float));
        if (converted == NULL)
            return error_out_of_memory();
        kernel->loop(x->n, x->data, converted);
        result = converted;
    }
    shorts_narrow(kernel->to, x->n, result, y->data);
    return NULL;
}
