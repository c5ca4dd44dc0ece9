/* SPDX-License-Identifier: Apache-2.0
 *
 * Reshapes, transpositions and the shapes that they are told (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

/* conv [?,?,?,2] of x */
#define CONV                                                                                       \
    "x: Placeholder() dtype=float\nv: Const() dtype=float value=f[0.5,-1]\n"                       \
    "fs: Const() dtype=int32 value=i[1,1,1,2]\nf: Reshape(v, fs) T=float Tshape=int32\n"           \
    "conv: Conv2D(x, f) T=float strides=[1,1,1,1] padding='SAME'\n"                                \
    "i0: Const() dtype=int32 value=i[0]\ni1: Const() dtype=int32 value=i[1]\n"                     \
    "n1: Const() dtype=int32 value=i(-1)\nc2: Const() dtype=int32 value=i(2)\n"                    \
    "c1: Const() dtype=int32 value=i(1)\nzero: Const() dtype=int32 value=i(0)\n"
#define DIM(name, of, begin, end)                                                                  \
    name ": StridedSlice(" of ", " begin ", " end ", i1) T=int32 Index=int32 shrink_axis_mask=1\n"
#define BATCH "sh: Shape(conv) T=float out_type=int32\n" DIM("n", "sh", "i0", "i1")
#define FLATTEN BATCH "to: Pack(n, n1) T=int32 N=2\ny: Reshape(conv, to) T=float Tshape=int32\n"
#define MEAN                                                                                       \
    "ax: Const() dtype=int32 value=i[1,2]\nm: Mean(conv, ax) T=float Tidx=int32\n"                 \
    "sh: Shape(m) T=float out_type=int32\n" DIM("n", "sh", "i0", "i1")

static const PassCase cases[] = {
    { "flatten", CONV FLATTEN, "x:0", "y:0", 2, "_Reshape", 1, NULL },
    { "flatten nothing", CONV FLATTEN, "x:0", "y:0", 2, "_Reshape", 1, "0,3,3,1" },
    { "squeeze and excite",
      CONV MEAN "to: Pack(n, c1, c1, c2) T=int32 N=4\ny: Reshape(m, to) T=float Tshape=int32\n",
      "x:0", "y:0", 3, "Reshape", 1, NULL },
    { "sizes that may be wrong",
      CONV BATCH "to: Pack(n, c2) T=int32 N=2\ny: Reshape(conv, to) T=float Tshape=int32\n", "x:0",
      "y:0", 2, "_Reshape", 1, NULL },
    { "to what it is",
      CONV "sh: Shape(conv) T=float out_type=int32\ny: Reshape(conv, sh) T=float Tshape=int32\n"
           "z: Neg(y) T=float\n",
      "x:0", "z:0", 2, "Neg", 1, NULL },
    { "there and back",
      CONV "sh: Shape(conv) T=float out_type=int32\nto: Const() dtype=int32 value=i[-1,2]\n"
           "y: Reshape(conv, to) T=float Tshape=int32\ne: Reshape(y, sh) T=float Tshape=int32\n"
           "z: Neg(e) T=float\n",
      "x:0", "z:0", 2, "Neg", 1, NULL },
    { "there and not quite back",
      CONV FLATTEN
      "to2: Const() dtype=int32 value=i[2,3,3,2]\n"
      "e: Reshape(y, to2) T=float Tshape=int32\nz: Reshape(e, sh) T=float Tshape=int32\n",
      "x:0", "z:0", 5, "Reshape", 2, "2,4,3,1" },
    { "a number that is known",
      CONV "sh: Shape(conv) T=float out_type=int32\n"
           "i3: Const() dtype=int32 value=i[3]\ni4: Const() dtype=int32 value=i[4]\n" DIM(
               "n", "sh", "i3", "i4") "y: Mul(n, c2) T=int32\n",
      "x:0", "y:0", 0, NULL, 0, NULL },
    { "transposed twice",
      CONV "p: Const() dtype=int32 value=i[0,3,1,2]\nq: Const() dtype=int32 value=i[0,2,3,1]\n"
           "t: Transpose(conv, p) T=float Tperm=int32\nu: Transpose(t, q) T=float Tperm=int32\n"
           "z: Neg(u) T=float\n",
      "x:0", "z:0", 2, "Neg", 1, NULL },
    { "transposed twice, of any rank",
      CONV "p: Const() dtype=int32 value=i[0,3,1,2]\nq: Const() dtype=int32 value=i[0,2,3,1]\n"
           "w: Cos(x) T=float\nt: Transpose(w, p) T=float Tperm=int32\n"
           "u: Transpose(t, q) T=float Tperm=int32\nz: Neg(u) T=float\n",
      "x:0", "z:0", 3, "Transpose", 1, "2,3,4" },
    { "transposed by another",
      CONV "p: Const() dtype=int32 value=i[0,3,1,2]\n"
           "t: Transpose(conv, p) T=float Tperm=int32\nu: Transpose(t, p) T=float Tperm=int32\n",
      "x:0", "u:0", 2, "Transpose", 1, NULL },
    { "a feed is transposed to itself",
      "x: Placeholder() dtype=float\np: Const() dtype=int32 value=i[0,1,2]\n"
      "t: Transpose(x, p) T=float Tperm=int32\nz: Neg(t) T=float\n",
      "x:0", "z:0", 2, "Transpose", 1, NULL },
    { "what a Transpose would refuse",
      "x: Placeholder() dtype=float\np: Const() dtype=int32 value=i[0,1,2]\n"
      "t: Transpose(x, p) T=float Tperm=int32\nsh: Shape(t) T=float out_type=int32\n"
      "r: Shape(sh) T=int32 out_type=int32\n",
      "x:0", "r:0", 1, "Transpose", 1, NULL },
    { "squeezed and expanded",
      CONV "e: ExpandDims(conv, c1) T=float Tdim=int32\nq: Squeeze(e) T=float squeeze_dims=[1]\n"
           "z: Neg(q) T=float\n",
      "x:0", "z:0", 2, "Neg", 1, NULL },
    { "what may not be squeezed",
      CONV "q: Squeeze(conv) T=float squeeze_dims=[1]\ne: ExpandDims(q, c1) T=float Tdim=int32\n"
           "z: Neg(e) T=float\n",
      "x:0", "z:0", 4, "Squeeze", 1, NULL },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "2,3,3,1" });
}
