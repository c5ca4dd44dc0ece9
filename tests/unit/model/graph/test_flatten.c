/* SPDX-License-Identifier: Apache-2.0
 *
 * Flattening: what Dense makes of more than two dimensions (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

#define W                                                                                          \
    "x: Placeholder() dtype=float\n"                                                               \
    "v: Const() dtype=float value=f[0.5,-1,2,0.25,-0.75,1,1.5,-2,0.1,0.2,-0.3,0.4]\n"              \
    "s: Const() dtype=int32 value=i[3,4]\nw: Reshape(v, s) T=float Tshape=int32\n"                 \
    "b: Const() dtype=float value=f[1,-1,0.5,2]\n"
/* As tf.tensordot writes it for a shape that is not known. */
#define TENSORDOT(product, columns)                                                                \
    "zero: Const() dtype=int32 value=i(0)\nfirst: Const() dtype=int32 value=i[0]\n"                \
    "free: Const() dtype=int32 value=i[0,1]\nlast: Const() dtype=int32 value=i[2]\n"               \
    "perm: Const() dtype=int32 value=i[0,1,2]\nn: Const() dtype=int32 value=i[" columns "]\n"      \
    "t: Transpose(x, perm) T=float Tperm=int32\nsh: Shape(x) T=float out_type=int32\n"             \
    "rows: GatherV2(sh, free, zero) Tparams=int32 Tindices=int32 Taxis=int32\n"                    \
    "cols: GatherV2(sh, last, zero) Tparams=int32 Tindices=int32 Taxis=int32\n"                    \
    "m: Prod(rows, first) T=int32 Tidx=int32\nk: Prod(cols, first) T=int32 Tidx=int32\n"           \
    "mk: Pack(m, k) T=int32 N=2 axis=0\nr: Reshape(t, mk) T=float Tshape=int32\n"                  \
    "p: " product "\nsh2: ConcatV2(rows, n, zero) T=int32 N=2 Tidx=int32\n"                        \
    "d: Reshape(p, sh2) T=float Tshape=int32\n"
#define DENSE TENSORDOT("MatMul(r, w) T=float", "4")

static const PassCase cases[] = {
    { "dense of three dimensions", W DENSE, "x:0", "d:0", 2, "_FusedMatMul", 1, NULL },
    { "with bias and activation", W DENSE "y: BiasAdd(d, b) T=float\nz: Relu(y) T=float\n", "x:0",
      "z:0", 2, "_FusedMatMul", 1, NULL },
    { "with a residual",
      W DENSE "y: BiasAdd(d, b) T=float\nz: Tanh(y) T=float\ne: AddV2(d, z) T=float\n", "x:0",
      "e:0", 4, "_FusedMatMul", 1, NULL },
    { "no images", W DENSE "y: BiasAdd(d, b) T=float\n", "x:0", "y:0", 2, "_FusedMatMul", 1,
      "0,5,3" },
    { "too many dimensions", W DENSE, "x:0", "d:0", 2, "Transpose", 1, "1,2,5,3" },
    { "too few dimensions", W DENSE, "x:0", "d:0", 2, "Transpose", 1, "5,3" },
    { "columns do not fit", W DENSE, "x:0", "d:0", 2, "_FusedMatMul", 1, "2,5,4" },
    { "a transposed matrix",
      W "s2: Const() dtype=int32 value=i[4,3]\nw2: Reshape(v, s2) T=float Tshape=int32\n" TENSORDOT(
          "MatMul(r, w2) T=float transpose_b=true", "4"),
      "x:0", "d:0", 2, "_FusedMatMul", 1, NULL },
    { "the rows are transposed",
      W TENSORDOT("MatMul(r, r) T=float transpose_a=true",
                  "3") "a: Shape(p) T=float out_type=int32\n",
      "x:0", "a:0", 10, "MatMul", 1, NULL },
    { "another shape comes out",
      W DENSE "h: Const() dtype=int32 value=i[2,-1]\ne: Reshape(p, h) T=float Tshape=int32\n",
      "x:0", "e:0", 10, "MatMul", 1, NULL },
    { "batches times a matrix", W "y: BatchMatMulV2(x, w) T=float\nz: BiasAdd(y, b) T=float\n",
      "x:0", "z:0", 1, "_FusedMatMul", 1, NULL },
    { "one matrix times a matrix", W "y: BatchMatMulV2(x, w) T=float\n", "x:0", "y:0", 1,
      "_FusedMatMul", 1, "5,3" },
    { "a vector times a matrix", W "y: BatchMatMulV2(x, w) T=float\n", "x:0", "y:0", 1,
      "_FusedMatMul", 1, "3" },
    { "batches times batches", W "y: BatchMatMulV2(x, x) T=float adj_y=true\n", "x:0", "y:0", 1,
      "BatchMatMulV2", 1, NULL },
    { "transposed batches", W "y: BatchMatMulV2(x, w) T=float adj_x=true\n", "x:0", "y:0", 1,
      "BatchMatMulV2", 1, "2,3,5" },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "2,5,3" });
}
