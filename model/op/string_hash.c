/* SPDX-License-Identifier: Apache-2.0
 *
 * StringToHashBucket, -Fast and -Strong: the bucket of each string. The hashes are in farmhash.c.
 */
#include "model/op/farmhash.h"
#include "model/op/kernels.h"

typedef struct HashBucketKernel {
    uint64_t n_buckets;
    uint64_t key[2]; /* of the strong form */
} HashBucketKernel;

Error *hash_bucket_prepare(OpPrepare *prepare)
{
    HashBucketKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    int64_t n_buckets = 0;
    TRY(attrs_int(prepare->attrs, "num_buckets", &n_buckets));
    if (n_buckets < 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Value for attr 'num_buckets' of %lld must be at least minimum 1",
                         (long long)n_buckets);
    kernel->n_buckets = (uint64_t)n_buckets;
    prepare->kernel = kernel;
    return NULL;
}

Error *hash_bucket_strong_prepare(OpPrepare *prepare)
{
    TRY(hash_bucket_prepare(prepare));
    HashBucketKernel *kernel = prepare->kernel;
    size_t n = 0;
    const int64_t *key = NULL;
    TRY(attrs_ints(prepare->attrs, "key", &n, &key));
    if (n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "Key must have 2 elements");
    kernel->key[0] = (uint64_t)key[0];
    kernel->key[1] = (uint64_t)key[1];
    return NULL;
}

static uint64_t hash_fast(_unused_ const HashBucketKernel *kernel, Bytes text)
{
    return farmhash_fingerprint64(text);
}

static uint64_t hash_strong(const HashBucketKernel *kernel, Bytes text)
{
    return siphash(kernel->key, text);
}

static uint64_t hash_plain(_unused_ const HashBucketKernel *kernel, Bytes text)
{
    return murmurhash64(text);
}

static Error *hash_bucket(OpContext *c, uint64_t (*hash)(const HashBucketKernel *, Bytes))
{
    const HashBucketKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_INT64, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        ((int64_t *)y->data)[i] =
            (int64_t)(hash(kernel, ((const Bytes *)x->data)[i]) % kernel->n_buckets);
    return NULL;
}

Error *hash_bucket_fast_run(OpContext *c)
{
    return hash_bucket(c, hash_fast);
}

Error *hash_bucket_strong_run(OpContext *c)
{
    return hash_bucket(c, hash_strong);
}

Error *hash_bucket_run(OpContext *c)
{
    return hash_bucket(c, hash_plain);
}
