/* SPDX-License-Identifier: Apache-2.0
 *
 * DType: one row a type.
 */
#include "model/tensor/dtype.h"

#include <string.h>

#include "model/base/bytes.h"
#include "model/base/cleanup.h"

typedef enum Class { PLAIN = 1, FLOATING = 2, INTEGER = 4 } Class;

static const struct {
    const char *name, *enum_name;
    unsigned char size; /* bytes of an element */
    unsigned char class;
} dtypes[] = {
    [DT_INVALID] = { "invalid", "DT_INVALID", 0, 0 },
    [DT_FLOAT] = { "float", "DT_FLOAT", 4, PLAIN | FLOATING },
    [DT_DOUBLE] = { "double", "DT_DOUBLE", 8, PLAIN | FLOATING },
    [DT_INT32] = { "int32", "DT_INT32", 4, PLAIN | INTEGER },
    [DT_UINT8] = { "uint8", "DT_UINT8", 1, PLAIN | INTEGER },
    [DT_INT16] = { "int16", "DT_INT16", 2, PLAIN | INTEGER },
    [DT_INT8] = { "int8", "DT_INT8", 1, PLAIN | INTEGER },
    [DT_STRING] = { "string", "DT_STRING", sizeof(Bytes), 0 },
    [DT_COMPLEX64] = { "complex64", "DT_COMPLEX64", 8, PLAIN },
    [DT_INT64] = { "int64", "DT_INT64", 8, PLAIN | INTEGER },
    [DT_BOOL] = { "bool", "DT_BOOL", 1, PLAIN },
    [DT_QINT8] = { "qint8", "DT_QINT8", 1, PLAIN },
    [DT_QUINT8] = { "quint8", "DT_QUINT8", 1, PLAIN },
    [DT_QINT32] = { "qint32", "DT_QINT32", 4, PLAIN },
    [DT_BFLOAT16] = { "bfloat16", "DT_BFLOAT16", 2, PLAIN | FLOATING },
    [DT_QINT16] = { "qint16", "DT_QINT16", 2, PLAIN },
    [DT_QUINT16] = { "quint16", "DT_QUINT16", 2, PLAIN },
    [DT_UINT16] = { "uint16", "DT_UINT16", 2, PLAIN | INTEGER },
    [DT_COMPLEX128] = { "complex128", "DT_COMPLEX128", 16, PLAIN },
    [DT_HALF] = { "half", "DT_HALF", 2, PLAIN | FLOATING },
    [DT_RESOURCE] = { "resource", "DT_RESOURCE", sizeof(void *), 0 },
    [DT_VARIANT] = { "variant", "DT_VARIANT", sizeof(void *), 0 },
    [DT_UINT32] = { "uint32", "DT_UINT32", 4, PLAIN | INTEGER },
    [DT_UINT64] = { "uint64", "DT_UINT64", 8, PLAIN | INTEGER },
};

_Static_assert(ARRAY_SIZE(dtypes) == DTYPE_MAX + 1, "a row for every type");

/* The row of a type; that of DT_INVALID for anything else. */
static size_t row_of(int number)
{
    return number > 0 && number <= DTYPE_MAX ? (size_t)number : DT_INVALID;
}

DType dtype_of_number(int number)
{
    return (DType)row_of(number > DTYPE_REF_OFFSET ? number - DTYPE_REF_OFFSET : number);
}

size_t dtype_size(DType dtype)
{
    return dtypes[row_of((int)dtype)].size;
}

bool dtype_is_plain(DType dtype)
{
    return (dtypes[row_of((int)dtype)].class & PLAIN) != 0;
}

bool dtype_is_floating(DType dtype)
{
    return (dtypes[row_of((int)dtype)].class & FLOATING) != 0;
}

bool dtype_is_integer(DType dtype)
{
    return (dtypes[row_of((int)dtype)].class & INTEGER) != 0;
}

const char *dtype_name(DType dtype)
{
    return dtypes[row_of((int)dtype)].name;
}

const char *dtype_enum_name(DType dtype)
{
    return dtypes[row_of((int)dtype)].enum_name;
}

DType dtype_of_name(const char *name)
{
    for (size_t i = 1; i < ARRAY_SIZE(dtypes); i++)
        if (strcmp(dtypes[i].name, name) == 0)
            return (DType)i;
    return DT_INVALID;
}
