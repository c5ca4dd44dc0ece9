/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine chains without a product in front (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

#define X                                                                                          \
    "x: Placeholder() dtype=float\na: Const() dtype=float value=f[0.5,-1,2]\n"                     \
    "b: Const() dtype=float value=f[1,0.25,-3]\nv: Const() dtype=float value=f[0.5,2,1]\n"         \
    "half: Const() dtype=float value=f(0.5)\nwide: Const() dtype=int32 value=i[1,1,1,3]\n"         \
    "aw: Reshape(a, wide) T=float Tshape=int32\nbw: Reshape(b, wide) T=float Tshape=int32\n"       \
    "two: Const() dtype=float value=f[1,2]\n"
/* conv has four dimensions, the last of them 3. */
#define CONV                                                                                       \
    X "fs: Const() dtype=int32 value=i[1,1,1,3]\nf: Reshape(a, fs) T=float Tshape=int32\n"         \
      "one: Const() dtype=int32 value=i[-1,2,3,1]\nimage: Reshape(x, one) T=float Tshape=int32\n"  \
      "conv: Conv2D(image, f) T=float strides=[1,1,1,1] padding='SAME'\nr: Relu(conv) T=float\n"

static const PassCase cases[] = {
    { "scale and shift", X "y: Mul(x, a) T=float\nz: AddV2(b, y) T=float\n", "x:0", "z:0", 1,
      "_FusedScale", 1, NULL },
    { "with an activation", X "y: Mul(x, a) T=float\nz: LeakyRelu(y) T=float alpha=0.3\n", "x:0",
      "z:0", 1, "_FusedScale", 1, NULL },
    { "images between -1 and 1",
      X "d: RealDiv(x, v) T=float\ns: Sub(d, half) T=float\nm: Mul(half, s) T=float\n", "x:0",
      "m:0", 1, "_FusedScale", 1, NULL },
    { "scalars only", X "d: RealDiv(x, half) T=float\ns: Sub(d, half) T=float\n", "x:0", "s:0", 1,
      "_FusedScale", 1, NULL },
    { "scalars of a scalar's kin", X "d: Mul(x, half) T=float\ns: AddV2(d, half) T=float\n", "x:0",
      "s:0", 1, "_FusedScale", 1, "1" },
    { "more dimensions than x", X "y: Mul(x, aw) T=float\nz: AddV2(b, y) T=float\n", "x:0", "z:0",
      1, "_FusedScale", 1, "4,3" },
    { "one channel, repeated",
      X "y: Mul(x, aw) T=float\nz: AddV2(bw, y) T=float\nr: Relu6(z) T=float\n", "x:0", "r:0", 1,
      "_FusedScale", 1, "2,2,2,1" },
    { "channels that do not fit", X "y: Mul(x, a) T=float\nz: AddV2(y, b) T=float\n", "x:0", "z:0",
      1, "_FusedScale", 1, "3,4" },
    { "nothing", X "y: Mul(x, a) T=float\nz: AddV2(b, y) T=float\n", "x:0", "z:0", 1, "_FusedScale",
      1, "0,3" },
    { "of two lengths", X "y: Mul(x, a) T=float\nz: AddV2(y, two) T=float\n", "x:0", "z:0", 2,
      "Mul", 1, NULL },
    { "one step alone", X "y: Mul(x, a) T=float\nz: Cos(y) T=float\n", "x:0", "z:0", 2, "Mul", 1,
      NULL },
    { "divided by x", X "y: RealDiv(a, x) T=float\nz: AddV2(y, b) T=float\n", "x:0", "z:0", 2,
      "RealDiv", 1, NULL },
    { "the middle is wanted", X "y: Mul(x, a) T=float\nz: AddV2(y, b) T=float\n", "x:0", "z:0,y:0",
      2, "AddV2", 1, NULL },
    { "batch normalisation before a convolution",
      CONV "n: FusedBatchNormV3(r, a, b, a, v) T=float U=float is_training=false epsilon=0.01\n"
           "z: Relu(n) T=float\n",
      "x:0", "z:0", 3, "_FusedScale", 1, NULL },
    { "of a shape that is not known",
      X "n: FusedBatchNormV3(x, a, b, a, v) T=float U=float is_training=false epsilon=0.01\n"
        "z: Relu(n) T=float\n",
      "x:0", "z:0", 2, "FusedBatchNormV3", 1, "2,2,2,3" },
    { "bias of channels that are known", CONV "q: BiasAdd(r, b) T=float\nz: Elu(q) T=float\n",
      "x:0", "z:0", 3, "_FusedScale", 1, NULL },
    { "bias of channels that are not known", X "q: BiasAdd(x, b) T=float\nz: Elu(q) T=float\n",
      "x:0", "z:0", 2, "BiasAdd", 1, "2,4" },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "4,2,3" });
}
