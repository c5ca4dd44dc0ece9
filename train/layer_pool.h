/* SPDX-License-Identifier: Apache-2.0
 *
 * ReLU and max-pool 2x2, stride 2, VALID, in one: the larger of zero and the window's maximum. A
 * last row or column that fills no window is dropped, as TensorFlow does.
 */
#ifndef DIGIT_TRAIN_LAYER_POOL_H
#define DIGIT_TRAIN_LAYER_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_NOWHERE 4 /* no element of the window is above zero: no gradient goes through */

/* One image: z [size,size,32] -> out [size/2,size/2,32], whose rows begin `out_row` floats apart
 * (so that it may be the inside of a padded image). route [size/2,size/2,32] says which of the four
 * elements (0 1 above 2 3; the first of equals) gave the maximum, or POOL_NOWHERE. */
void pool_forward(const float *z, int size, float *out, size_t out_row, uint8_t *route);

/* d_z [size,size,32] = d_out [size/2,size/2,32] along the route, zero elsewhere. */
void pool_backward(const float *d_out, const uint8_t *route, int size, float *d_z);

#endif
