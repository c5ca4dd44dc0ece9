/* SPDX-License-Identifier: Apache-2.0
 *
 * What lookup.c and lookup_file.c share.
 */
#ifndef DIGIT_OP_LOOKUP_H
#define DIGIT_OP_LOOKUP_H

#include "model/op/lookup_table.h"
#include "model/op/op.h"

/* The table whose handle input 0 is. Lent. INVALID_ARGUMENT when it is none. */
Error *lookup_get_table(const OpContext *c, LookupTable **ret_table) _warn_unused_result_;

#endif
