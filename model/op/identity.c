/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops that pass their inputs on, or do nothing: what is left of a training graph at inference. No
 * element is copied.
 */
#include "model/op/kernels.h"

Error *op_prepare_nothing(_unused_ OpPrepare *prepare)
{
    return NULL;
}

Error *no_op_run(_unused_ OpContext *context)
{
    return NULL;
}

Error *identity_run(OpContext *context)
{
    for (int i = 0; i < context->n_inputs; i++)
        TRY(op_output_alias(context, i, i, &op_input(context, i)->shape));
    return NULL;
}
