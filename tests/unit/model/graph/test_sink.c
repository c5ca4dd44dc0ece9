/* SPDX-License-Identifier: Apache-2.0
 *
 * Squeezes behind convolutions (pass_case.h).
 */
#include "model/base/cleanup.h"
#include "tests/support/pass_case.h"

#define CONV1D                                                                                     \
    "x: Placeholder() dtype=float\nv: Const() dtype=float value=f[0.5,-1,2,0.25,-0.75,1]\n"        \
    "s: Const() dtype=int32 value=i[1,3,1,2]\nf: Reshape(v, s) T=float Tshape=int32\n"             \
    "b: Const() dtype=float value=f[1,-1]\none: Const() dtype=int32 value=i(1)\n"                  \
    "e: ExpandDims(x, one) T=float Tdim=int32\n"                                                   \
    "conv: Conv2D(e, f) T=float strides=[1,1,1,1] padding='VALID'\n"
#define SQUEEZE(axis) "q: Squeeze(conv) T=float squeeze_dims=[" axis "]\n"

static const PassCase cases[] = {
    { "conv1d", CONV1D SQUEEZE("-3") "y: BiasAdd(q, b) T=float\nz: Relu(y) T=float\n", "x:0", "z:0",
      3, "_FusedConv2D", 1, NULL },
    { "two of them",
      CONV1D SQUEEZE(
          "1") "y: BiasAdd(q, b) T=float\nz: Relu(y) T=float\n"
               "e2: ExpandDims(z, one) T=float Tdim=int32\n"
               "f2: Const() dtype=float value=f[1,2]\ns2: Const() dtype=int32 value=i[1,1,2,1]\n"
               "g: Reshape(f2, s2) T=float Tshape=int32\n"
               "c2: Conv2D(e2, g) T=float strides=[1,1,1,1] padding='VALID'\n",
      "x:0", "c2:0", 3, "_FusedConv2D", 1, NULL },
    { "not one row", CONV1D SQUEEZE("2") "y: BiasAdd(q, b) T=float\n", "x:0", "y:0", 3,
      "_FusedConv2D", 1, NULL },
    { "channels are squeezed", CONV1D SQUEEZE("3") "y: AddV2(q, b) T=float\n", "x:0", "y:0", 4,
      "Squeeze", 1, NULL },
    { "the squeezed is wanted too", CONV1D SQUEEZE("1") "y: BiasAdd(q, b) T=float\n", "x:0",
      "y:0,q:0", 4, "BiasAdd", 1, NULL },
    { "a matrix is added",
      CONV1D SQUEEZE(
          "1") "ms: Const() dtype=int32 value=i[1,2]\nm: Reshape(b, ms) T=float Tshape=int32\n"
               "y: AddV2(q, m) T=float\n",
      "x:0", "y:0", 4, "AddV2", 1, NULL },
};

int main(void)
{
    return pass_cases_run(&(PassCases){ cases, ARRAY_SIZE(cases), "2,7,1" });
}
