/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters: declared first, laid out once. Trainable tensors come first in the vector, each at a
 * multiple of a cache line; what lies between is zero, has zero gradients, and stays zero.
 */
#include "train/parameters.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "train/floats.h"

#define ALIGN_FLOATS (ARENA_ALIGNMENT / sizeof(float))

void parameter_name(char name[PARAMETER_NAME_BYTES], const char *kind, int i, const char *tensor)
{
    if (i == 0)
        snprintf(name, PARAMETER_NAME_BYTES, "%s/%s", kind, tensor);
    else
        snprintf(name, PARAMETER_NAME_BYTES, "%s_%d/%s", kind, i, tensor);
}

void parameters_add(Parameters *parameters, const char *name, bool trainable, Shape shape)
{
    assert(parameters->n < PARAMETERS_MAX && strlen(name) < PARAMETER_NAME_BYTES);
    Parameter *item = &parameters->items[parameters->n++];
    snprintf(item->name, sizeof(item->name), "%s", name);
    item->shape = shape;
    item->trainable = trainable;
    item->n = 1;
    for (int d = 0; d < shape.rank; d++)
        item->n *= (size_t)shape.dims[d];
}

static size_t place(Parameters *parameters, bool trainable, size_t offset)
{
    for (size_t i = 0; i < parameters->n; i++) {
        Parameter *item = &parameters->items[i];
        if (item->trainable != trainable)
            continue;
        item->offset = offset;
        offset += (item->n + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    }
    return offset;
}

Error *parameters_allocate(Parameters *parameters, Arena *arena)
{
    parameters->n_trainable = place(parameters, true, 0);
    parameters->n_floats = place(parameters, false, parameters->n_trainable);
    parameters->values = floats_new(arena, parameters->n_floats, 1);
    parameters->gradients = floats_new(arena, parameters->n_trainable, 1);
    if (parameters->values == NULL || parameters->gradients == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < parameters->n; i++) {
        Parameter *item = &parameters->items[i];
        item->value = parameters->values + item->offset;
        item->gradient = item->trainable ? parameters->gradients + item->offset : NULL;
    }
    return NULL;
}

Parameter *parameters_get(Parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->n; i++)
        if (strcmp(parameters->items[i].name, name) == 0)
            return &parameters->items[i];
    assert(!"no parameter of this name");
    return NULL;
}

size_t parameters_count(const Parameters *parameters)
{
    size_t count = 0;
    for (size_t i = 0; i < parameters->n; i++)
        count += parameters->items[i].n;
    return count;
}
