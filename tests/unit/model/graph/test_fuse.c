/* SPDX-License-Identifier: Apache-2.0
 *
 * Fusing: which chains become one step (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

#define CONV                                                                                       \
    "x: Placeholder() dtype=float\n"                                                               \
    "v: Const() dtype=float "                                                                      \
    "value=f[0.5,-1,2,0.25,-0.75,1,1.5,-2,0.1,0.2,-0.3,0.4,1,-1,0.6,-0.7,0.8,2]\n"                 \
    "s: Const() dtype=int32 value=i[3,3,1,2]\nf: Reshape(v, s) T=float Tshape=int32\n"             \
    "b: Const() dtype=float value=f[0.5,-1]\nc: Const() dtype=float value=f[2,-3]\n"               \
    "m: Const() dtype=float value=f[0.3,0.1]\nw: Const() dtype=float value=f[0.9,4]\n"             \
    "half: Const() dtype=float value=f(0.5)\n"                                                     \
    "conv: Conv2D(x, f) T=float strides=[1,1,1,1] padding='SAME'\n"
#define PRODUCT                                                                                    \
    "x4: Placeholder() dtype=float\nto2: Const() dtype=int32 value=i[-1,6]\n"                      \
    "x: Reshape(x4, to2) T=float Tshape=int32\n"                                                   \
    "v: Const() dtype=float value=f[0.5,-1,2,0.25,-0.75,1,1.5,-2,0.1,0.2,-0.3,0.4]\n"              \
    "s: Const() dtype=int32 value=i[6,2]\nw: Reshape(v, s) T=float Tshape=int32\n"                 \
    "st: Const() dtype=int32 value=i[2,6]\nwt: Reshape(v, st) T=float Tshape=int32\n"              \
    "b: Const() dtype=float value=f[0.5,-1]\nc: Const() dtype=float value=f[2,-3]\n"
#define NORM(in)                                                                                   \
    "n: FusedBatchNormV3(" in ", c, b, m, w) T=float U=float is_training=false epsilon=0.01\n"
#define PADDED(pad)                                                                                \
    "zero: Const() dtype=float value=f(0)\n"                                                       \
    "pv: Const() dtype=int32 value=i[0,0,1,0,2,1,0,0]\nps: Const() dtype=int32 value=i[4,2]\n"     \
    "pads: Reshape(pv, ps) T=int32 Tshape=int32\nq: " pad " T=float Tpaddings=int32\n"
#define POOL(in) "p: MaxPool(" in ") T=float ksize=[1,2,2,1] strides=[1,2,2,1] padding='SAME'\n"
#define HARD_SIGMOID                                                                               \
    "three: Const() dtype=float value=f(3)\nsix: Const() dtype=float value=f(6)\n"                 \
    "q: AddV2(conv, three) T=float\nz: Relu6(q) T=float\nh: RealDiv(z, six) T=float\n"
#define GELU(root)                                                                                 \
    "root: Const() dtype=float value=f(" root ")\na: Mul(half, conv) T=float\n"                    \
    "n1: Neg(conv) T=float\nz: Mul(n1, root) T=float\ne: Erfc(z) T=float\nr: Mul(a, e) T=float\n"

#define GELU_ERF                                                                                   \
    "root: Const() dtype=float value=f(1.4142135)\none: Const() dtype=float value=f(1)\n"          \
    "a: Mul(half, conv) T=float\nz: RealDiv(conv, root) T=float\ne: Erf(z) T=float\n"              \
    "g: AddV2(one, e) T=float\nr: Mul(a, g) T=float\n"
#define GELU_TANH(cubic, of)                                                                       \
    "k: Const() dtype=float value=f(" cubic ")\nroot: Const() dtype=float value=f(0.7978846)\n"    \
    "one: Const() dtype=float value=f(1)\nthree: Const() dtype=float value=f(3)\n"                 \
    "a: Mul(half, conv) T=float\np: Pow(" of ", three) T=float\nk3: Mul(k, p) T=float\n"           \
    "u: AddV2(conv, k3) T=float\nz: Mul(root, u) T=float\ne: Tanh(z) T=float\n"                    \
    "g: AddV2(one, e) T=float\nr: Mul(a, g) T=float\n"

static const PassCase cases[] = {
    { "bias", CONV "y: BiasAdd(conv, b) T=float\n", "x:0", "y:0", 1, "_FusedConv2D", 1, NULL },
    { "all of it", CONV "a: BiasAdd(conv, m) T=float\n" NORM("a") "r: Relu(n) T=float\n" POOL("r"),
      "x:0", "p:0", 1, "_FusedConv2D", 1, NULL },
    { "depthwise",
      CONV "k: DepthwiseConv2dNative(x, f) T=float strides=[1,1,1,1] padding='VALID'\n"
           "a: BiasAdd(k, m) T=float\n" NORM("a") "r: Relu6(n) T=float\n",
      "x:0", "r:0", 1, "_FusedDepthwiseConv2D", 1, NULL },
    { "computed twice",
      CONV "c2: Conv2D(x, f) T=float strides=[1,1,1,1] padding='SAME'\n"
           "k1: Const() dtype=int32 value=i[1,2]\nk2: Const() dtype=int32 value=i[1,2]\n"
           "m1: Mean(conv, k1) T=float keep_dims=true\nm2: Mean(c2, k2) T=float keep_dims=true\n"
           "y: Mul(m1, m2) T=float\n",
      "x:0", "y:0", 3, "Mean", 1, NULL },
    { "not quite computed twice",
      CONV "c2: Conv2D(x, f) T=float strides=[1,1,1,1] padding='VALID'\n"
           "k1: Const() dtype=int32 value=i[1,2]\nk2: Const() dtype=int32 value=i[2,1]\n"
           "m1: Mean(conv, k1) T=float\nm2: Mean(conv, k2) T=float\nm3: Mean(c2, k2) T=float\n"
           "y: Mul(m1, m2) T=float\nz: Mul(y, m3) T=float\n",
      "x:0", "z:0", 7, "Mean", 3, NULL },
    { "silu", CONV "s1: Sigmoid(conv) T=float\nr: Mul(s1, conv) T=float\n", "x:0", "r:0", 1,
      "_FusedConv2D", 1, NULL },
    { "silu with beta",
      CONV "one: Const() dtype=float value=f(1)\nt: Mul(one, conv) T=float\n"
           "s1: Sigmoid(t) T=float\nr: Mul(conv, s1) T=float\n",
      "x:0", "r:0", 1, "_FusedConv2D", 1, NULL },
    { "another's sigmoid",
      CONV "n1: Neg(conv) T=float\ns1: Sigmoid(n1) T=float\n"
           "r: Mul(s1, conv) T=float\n",
      "x:0", "r:0", 4, "Mul", 1, NULL },
    { "hard swish", CONV HARD_SIGMOID "r: Mul(conv, h) T=float\n", "x:0", "r:0", 1, "_FusedConv2D",
      1, NULL },
    { "hard sigmoid", CONV HARD_SIGMOID "r: Neg(h) T=float\n", "x:0", "r:0", 2, "_FusedConv2D", 1,
      NULL },
    { "silu before pool", CONV POOL("conv") "s1: Sigmoid(p) T=float\nr: Mul(p, s1) T=float\n",
      "x:0", "r:0", 2, "_Silu", 1, NULL },
    { "gelu", CONV GELU("0.70710677"), "x:0", "r:0", 1, "_FusedConv2D", 1, NULL },
    { "gelu of keras 2", CONV GELU_ERF, "x:0", "r:0", 1, "_FusedConv2D", 1, NULL },
    { "gelu by tanh", CONV GELU_TANH("0.044715", "conv"), "x:0", "r:0", 1, "_FusedConv2D", 1,
      NULL },
    { "another cubic", CONV GELU_TANH("0.04", "conv"), "x:0", "r:0", 8, "Pow", 1, NULL },
    { "not quite gelu", CONV GELU("0.7"), "x:0", "r:0", 6, "Erfc", 1, NULL },
    { "pool before activation", CONV NORM("conv") POOL("n") "r: Relu6(p) T=float\n", "x:0", "r:0",
      1, "_FusedConv2D", 1, NULL },
    { "pool before a leaky one", CONV POOL("conv") "r: LeakyRelu(p) T=float alpha=0.3\n", "x:0",
      "r:0", 1, "_FusedConv2D", 1, NULL },
    { "pool before one that falls", CONV POOL("conv") "r: LeakyRelu(p) T=float alpha=-0.3\n", "x:0",
      "r:0", 2, "_FusedConv2D", 1, NULL },
    { "arithmetic",
      CONV "a: Mul(conv, c) T=float\nd: AddV2(b, a) T=float\ne: Sub(d, half) T=float\n"
           "g: Mul(half, e) T=float\nh: Elu(g) T=float\n",
      "x:0", "h:0", 1, "_FusedConv2D", 1, NULL },
    { "subtracted from", CONV "a: Sub(b, conv) T=float\n", "x:0", "a:0", 2, "Sub", 1, NULL },
    { "norm after activation", CONV "r: Relu(conv) T=float\n" NORM("r"), "x:0", "n:0", 2,
      "FusedBatchNormV3", 1, NULL },
    { "statistics wanted too", CONV NORM("conv"), "x:0", "n:0,n:1", 2, "Conv2D", 1, NULL },
    { "two users",
      CONV "y: BiasAdd(conv, b) T=float\nr: Relu(y) T=float\nq: Neg(y) T=float\n"
           "z: Mul(r, q) T=float\n",
      "x:0", "z:0", 4, "_FusedConv2D", 1, NULL },
    { "the middle is wanted", CONV "y: BiasAdd(conv, b) T=float\nr: Relu(y) T=float\n", "x:0",
      "r:0,y:0", 2, "Relu", 1, NULL },
    { "bias is fed",
      "x: Placeholder() dtype=float\nim: Const() dtype=float value=f[1,2,3,4]\n"
      "is: Const() dtype=int32 value=i[1,2,2,1]\nimage: Reshape(im, is) T=float Tshape=int32\n"
      "v: Const() dtype=float value=f[1,2]\ns: Const() dtype=int32 value=i[1,1,1,2]\n"
      "f: Reshape(v, s) T=float Tshape=int32\nimage2: Mul(image, x) T=float\n"
      "conv: Conv2D(image2, f) T=float strides=[1,1,1,1] padding='SAME'\n"
      "b: Reshape(x, two) T=float Tshape=int32\ntwo: Const() dtype=int32 value=i[2]\n"
      "y: BiasAdd(conv, b) T=float\nr: Relu(y) T=float\n",
      "x:0", "r:0", 3, "_FusedConv2D", 1, "1,2,1,1" },
    { "a column is no bias",
      CONV "k: Const() dtype=int32 value=i[2,1]\n"
           "l: Reshape(b, k) T=float Tshape=int32\nt: Const() dtype=int32 value=i[-1,2,2,2]\n"
           "u: Reshape(conv, t) T=float Tshape=int32\ny: AddV2(u, l) T=float\n",
      "x:0", "y:0", 3, "AddV2", 1, NULL },
    { "residual", CONV "y: BiasAdd(conv, b) T=float\nz: AddV2(y, x) T=float\nr: Relu(z) T=float\n",
      "x:0", "r:0", 1, "_FusedConv2D", 1, NULL },
    { "residual of another's channels",
      CONV "q: Neg(conv) T=float\n"
           "c2: Conv2D(x, f) T=float strides=[1,1,1,1] padding='VALID'\n"
           "k1: Const() dtype=int32 value=i[1,2]\nm1: Mean(q, k1) T=float keep_dims=true\n"
           "a: BiasAdd(c2, m) T=float\nz: Add(m1, a) T=float\nr: Elu(z) T=float\n",
      "x:0", "r:0", 4, "_FusedConv2D", 1, NULL },
    { "shortcut is a convolution too",
      CONV
      "c2: Conv2D(x, f) T=float strides=[1,1,1,1] padding='SAME'\nq: BiasAdd(conv, b) T=float\n"
      "w2: Neg(x) T=float\nc3: Conv2D(w2, f) T=float strides=[1,1,1,1] padding='SAME'\n"
      "u: BiasAdd(c3, c) T=float\nz: AddV2(q, u) T=float\nr: Relu(z) T=float\n",
      "x:0", "r:0", 3, "_FusedConv2D", 2, NULL },
    { "added to itself", CONV "y: AddV2(conv, conv) T=float\n", "x:0", "y:0", 2, "AddV2", 1, NULL },
    { "two residuals",
      CONV "y: AddV2(conv, x) T=float\nz: AddV2(x, y) T=float\nr: Relu(z) T=float\n", "x:0", "r:0",
      3, "Relu", 1, NULL },
    { "affine behind a residual", CONV "y: AddV2(conv, x) T=float\nz: Mul(y, half) T=float\n",
      "x:0", "z:0", 2, "Mul", 1, NULL },
    { "residual of a depthwise one",
      CONV "k: DepthwiseConv2dNative(x, f) T=float strides=[1,1,1,1] padding='SAME'\n"
           "a: BiasAdd(k, m) T=float\nz: AddV2(a, x) T=float\nr: Relu6(z) T=float\n",
      "x:0", "r:0", 1, "_FusedDepthwiseConv2D", 1, NULL },
    { "residual of a product",
      PRODUCT "u: Neg(x) T=float\no: MatMul(u, w) T=float\ny: MatMul(x, w) T=float\n"
              "z: BiasAdd(y, b) T=float\na: AddV2(o, z) T=float\nr: Relu(a) T=float\n",
      "x4:0", "r:0", 4, "_FusedMatMul", 2, NULL },
    { "padded",
      CONV PADDED("Pad(x, pads)") "y: Conv2D(q, f) T=float strides=[1,2,2,1] padding='VALID'\n",
      "x:0", "y:0", 1, "Conv2D", 1, NULL },
    { "padded, and more",
      CONV PADDED("PadV2(x, pads, zero)") "y: DepthwiseConv2dNative(q, f) T=float "
                                          "strides=[1,2,2,1] padding='VALID'\nz: BiasAdd(y, b) "
                                          "T=float\nr: Relu(z) T=float\n",
      "x:0", "r:0", 1, "_FusedDepthwiseConv2D", 1, NULL },
    { "padded with another value",
      CONV PADDED(
          "PadV2(x, pads, half)") "y: Conv2D(q, f) T=float strides=[1,2,2,1] padding='VALID'\n",
      "x:0", "y:0", 2, "PadV2", 1, NULL },
    { "padded twice",
      CONV PADDED("Pad(x, pads)") "y: Conv2D(q, f) T=float strides=[1,2,2,1] padding='SAME'\n",
      "x:0", "y:0", 2, "Pad", 1, NULL },
    { "padded channels",
      CONV
      "pads: Const() dtype=int32 value=i[0,0,0,0,0,0,0,1]\nsh: Const() dtype=int32 value=i[4,2]\n"
      "pp: Reshape(pads, sh) T=int32 Tshape=int32\nf2: Reshape(v, s2) T=float Tshape=int32\n"
      "s2: Const() dtype=int32 value=i[3,3,2,1]\nq: Pad(x, pp) T=float Tpaddings=int32\n"
      "y: Conv2D(q, f2) T=float strides=[1,1,1,1] padding='VALID'\n",
      "x:0", "y:0", 2, "Pad", 1, NULL },
    { "the padded image is wanted too",
      CONV PADDED("Pad(x, pads)") "y: Conv2D(q, f) T=float strides=[1,1,1,1] padding='VALID'\n",
      "x:0", "y:0,q:0", 2, "Pad", 1, NULL },
    { "padded maximum",
      CONV PADDED("Pad(r, pads)") "r: Relu(conv) T=float\n"
                                  "y: MaxPool(q) T=float ksize=[1,3,3,1] strides=[1,2,2,1] "
                                  "padding='VALID'\n",
      "x:0", "y:0", 2, "MaxPool", 1, NULL },
    { "padded maximum of what may be negative",
      CONV PADDED("Pad(x, pads)") "y: MaxPool(q) T=float ksize=[1,3,3,1] strides=[1,2,2,1] "
                                  "padding='VALID'\n",
      "x:0", "y:0", 2, "Pad", 1, NULL },
    { "maximum of padding alone",
      CONV PADDED("Pad(r, pads)") "r: Relu(conv) T=float\n"
                                  "y: MaxPool(q) T=float ksize=[1,2,2,1] strides=[1,1,1,1] "
                                  "padding='VALID'\n",
      "x:0", "y:0", 3, "Pad", 1, NULL },
    { "a residual behind the activation",
      PRODUCT "y: MatMul(x, w) T=float\nz: BiasAdd(y, b) T=float\nr: Relu(z) T=float\n"
              "n1: Neg(x) T=float\no: MatMul(n1, w) T=float\np: BiasAdd(o, c) T=float\ne: AddV2(r, "
              "p) T=float\n",
      "x4:0", "e:0", 4, "_FusedMatMul", 2, NULL },
    { "product", PRODUCT "y: MatMul(x, w) T=float\nz: BiasAdd(y, b) T=float\nr: Relu(z) T=float\n",
      "x4:0", "r:0", 2, "_FusedMatMul", 1, NULL },
    { "transposed product",
      PRODUCT "y: MatMul(x, wt) T=float transpose_b=true\n"
              "z: Mul(y, c) T=float\na: AddV2(z, b) T=float\nr: Tanh(a) T=float\n",
      "x4:0", "r:0", 2, "_FusedMatMul", 1, NULL },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "2,6,6,1" });
}
