/* SPDX-License-Identifier: Apache-2.0
 *
 * Equality of tensors.
 */
#include <string.h>

#include "model/tensor/tensor.h"

bool tensor_equal(const Tensor *a, const Tensor *b)
{
    if (a->dtype != b->dtype || !shape_equal(&a->shape, &b->shape))
        return false;
    if (a->n == 0 || a->data == b->data)
        return true;
    if (a->data == NULL || b->data == NULL)
        return false;
    if (a->dtype != DT_STRING)
        return memcmp(a->data, b->data, tensor_bytes(a)) == 0;
    for (int64_t i = 0; i < a->n; i++)
        if (!bytes_equal(((const Bytes *)a->data)[i], ((const Bytes *)b->data)[i]))
            return false;
    return true;
}
