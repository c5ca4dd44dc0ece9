/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer normalisations that are spelled out (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

/* t [?,?,3] of x */
#define X                                                                                          \
    "x: Placeholder() dtype=float\nsize: Const() dtype=int32 value=i[-1,2,3]\n"                    \
    "t: Reshape(x, size) T=float Tshape=int32\nu: Neg(t) T=float\n"                                \
    "gv: Const() dtype=float value=f[0.5,-1,2]\ngs: Const() dtype=int32 value=i[1,1,3]\n"          \
    "g: Reshape(gv, gs) T=float Tshape=int32\nb: Const() dtype=float value=f[1,0.25,-3]\n"         \
    "eps: Const() dtype=float value=f(0.01)\n"
#define MOMENTS(axis, keep)                                                                        \
    "axis: Const() dtype=int32 value=i[" axis "]\n"                                                \
    "mean: Mean(u, axis) T=float Tidx=int32 keep_dims=" keep "\n"                                  \
    "sq: SquaredDifference(u, mean) T=float\n"                                                     \
    "var: Mean(sq, axis) T=float Tidx=int32 keep_dims=" keep "\n"                                  \
    "sum: AddV2(var, eps) T=float\nroot: Rsqrt(sum) T=float\n"
#define SCALED "inv: Mul(root, g) T=float\n"
#define KERAS3(inv, shift)                                                                         \
    "xi: Mul(u, " inv ") T=float\nneg: Neg(mean) T=float\nmi: Mul(neg, " inv ") T=float\n" shift   \
    "y: AddV2(xi, sh) T=float\n"
#define OFFSET "sh: AddV2(mi, b) T=float\n"

static const PassCase cases[] = {
    { "keras 3", X MOMENTS("2", "true") SCALED KERAS3("inv", OFFSET), "x:0", "y:0", 3, "_LayerNorm",
      1, NULL },
    { "axis from the end", X MOMENTS("-1", "true") SCALED KERAS3("inv", OFFSET), "x:0", "y:0", 3,
      "_LayerNorm", 1, NULL },
    { "no scale", X MOMENTS("-1", "true") KERAS3("root", OFFSET), "x:0", "y:0", 3, "_LayerNorm", 1,
      NULL },
    { "no offset", X MOMENTS("-1", "true") SCALED KERAS3("inv", "sh: Identity(mi) T=float\n"),
      "x:0", "y:0", 3, "_LayerNorm", 1, NULL },
    { "tf.nn.batch_normalization",
      X MOMENTS("-1", "true") SCALED "xi: Mul(inv, u) T=float\nmi: Mul(mean, inv) T=float\n"
                                     "sh: Sub(b, mi) T=float\ny: AddV2(sh, xi) T=float\n",
      "x:0", "y:0", 3, "_LayerNorm", 1, NULL },
    { "nothing to normalise", X MOMENTS("2", "true") SCALED KERAS3("inv", OFFSET), "x:0", "y:0", 3,
      "_LayerNorm", 1, "0,2,3" },
    { "another axis", X MOMENTS("1", "true") SCALED KERAS3("inv", OFFSET), "x:0", "y:0", 13,
      "_LayerNorm", 0, NULL },
    { "added where it was subtracted",
      X MOMENTS("-1", "true") SCALED "xi: Mul(inv, u) T=float\nmi: Mul(mean, inv) T=float\n"
                                     "sh: AddV2(b, mi) T=float\ny: AddV2(sh, xi) T=float\n",
      "x:0", "y:0", 12, "_LayerNorm", 0, NULL },
    { "another's mean",
      X MOMENTS("-1", "true") SCALED "xi: Mul(t, inv) T=float\nneg: Neg(mean) T=float\n"
                                     "mi: Mul(neg, inv) T=float\n" OFFSET
                                     "y: AddV2(xi, sh) T=float\n",
      "x:0", "y:0", 13, "_LayerNorm", 0, NULL },
    { "a scale of positions",
      X "ps: Const() dtype=int32 value=i[1,3,1]\np: Reshape(gv, ps) T=float Tshape=int32\n"
        "size3: Const() dtype=int32 value=i[-1,3,3]\n"
        "axis: Const() dtype=int32 value=i[-1]\nq: Reshape(x, size3) T=float Tshape=int32\n"
        "mean: Mean(q, axis) T=float Tidx=int32 keep_dims=true\n"
        "sq: SquaredDifference(q, mean) T=float\n"
        "var: Mean(sq, axis) T=float Tidx=int32 keep_dims=true\nsum: AddV2(var, eps) T=float\n"
        "root: Rsqrt(sum) T=float\ninv: Mul(root, p) T=float\nxi: Mul(q, inv) T=float\n"
        "neg: Neg(mean) T=float\nmi: Mul(neg, inv) T=float\n" OFFSET "y: AddV2(xi, sh) T=float\n",
      "x:0", "y:0", 12, "_LayerNorm", 0, "18" },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "4,6" });
}
