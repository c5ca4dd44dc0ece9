/* SPDX-License-Identifier: Apache-2.0
 *
 * saved_model_read on a saved_model.pb. What it gives is packed, so that all of it is read.
 */
#include "model/base/message.h"
#include "model/bundle/saved_model.h"
#include "tests/fuzz/fuzz_directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Error *read_model(void)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 256 << 20);
    SavedModel model;
    TRY(saved_model_read(arena, fuzz_directory, (const char *[]){ "serve" }, 1, &model));
    _cleanup_(buf_done) Buf packed;
    buf_init(&packed, SIZE_MAX);
    return message_pack(&model.meta_graph->base, &packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_directory_write("saved_model.pb", data, size);
    error_free(read_model());
    return 0;
}
