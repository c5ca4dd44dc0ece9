/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions of a list: each keeps what it was, whichever others are made of it and in which order
 * they are read. The oracle is a plain copy of every version.
 */
#include "model/op/list.h"

#include <string.h>

#include "tests/support/check.h"

enum { MAX_ELEMENTS = 40, N_STEPS = 400 };

/* A version, and what it must be: the values of its elements, 0 for one that is not set. */
typedef struct Version {
    TensorList *list;
    int64_t n;
    float values[MAX_ELEMENTS];
} Version;

static Arena *arena;

static int setup(_unused_ void **state)
{
    arena = arena_new(1 << 16, 0);
    return arena == NULL;
}

static int teardown(_unused_ void **state)
{
    arena = arena_free(arena);
    return 0;
}

static Version make(int64_t n)
{
    const Shape scalar = shape_of();
    Version version = { .n = n };
    assert_ok(list_new(arena, DT_FLOAT, &scalar, n, &version.list));
    return version;
}

static void assert_version(Version *version)
{
    const Tensor *const *elements = NULL;
    assert_int_equal(version->list->n, version->n);
    assert_ok(list_elements(arena, version->list, &elements));
    for (int64_t i = 0; i < version->n; i++) {
        if (version->values[i] == 0) {
            assert_null(elements[i]);
            continue;
        }
        assert_non_null(elements[i]);
        assert_true(*(const float *)elements[i]->data == version->values[i]);
    }
}

/* `index` may be the number of elements: then the version is longer by one. */
static Version set(const Version *from, int64_t index, float value)
{
    const Shape scalar = shape_of();
    const Tensor item = tensor_view(DT_FLOAT, &scalar, &value);
    Version version = *from;
    assert_ok(list_set(arena, from->list, index, value == 0 ? NULL : &item, &version.list));
    version.values[index] = value;
    version.n += index == from->n;
    return version;
}

static Version pop(const Version *from)
{
    Version version = *from;
    assert_ok(list_pop(arena, from->list, &version.list));
    version.values[--version.n] = 0;
    return version;
}

static Version resize(const Version *from, int64_t n)
{
    Version version = { .n = n };
    assert_ok(list_resize(arena, from->list, n, &version.list));
    for (int64_t i = 0; i < n && i < from->n; i++)
        version.values[i] = from->values[i];
    return version;
}

static void test_older_versions_stay(_unused_ void **state)
{
    Version a = make(2), b = set(&a, 0, 1), c = set(&b, 1, 2), d = set(&c, 0, 3), e = pop(&d);
    Version *const all[] = { &e, &a, &d, &c, &b, &a, &e };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        assert_version(all[i]);
}

/* Two lists made of one: neither sees what the other is given. */
static void test_branches(_unused_ void **state)
{
    Version root = make(3), left = root, right = root;
    for (int i = 0; i < 3; i++) {
        left = set(&left, i, (float)(i + 1));
        right = set(&right, 2 - i, (float)(-i - 1));
    }
    assert_version(&left);
    assert_version(&right);
    assert_version(&root);
}

/* An element that was taken away and given anew is another one. */
static void test_pop_and_push(_unused_ void **state)
{
    Version empty = make(0), one = set(&empty, 0, 1), two = set(&one, 1, 2), popped = pop(&two);
    Version other = set(&popped, 1, 5), gone = set(&other, 1, 0);
    Version *const all[] = { &two, &popped, &other, &gone, &one, &empty };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        assert_version(all[i]);
}

/* A loop that sets one element after the other uses one array: no copies of it. */
static void test_newest_is_set_in_place(_unused_ void **state)
{
    Version version = make(MAX_ELEMENTS);
    const ListArray *array = version.list->array;
    for (int i = 0; i < MAX_ELEMENTS; i++)
        version = set(&version, i, (float)i + 1);
    assert_ptr_equal(version.list->array, array);
    assert_version(&version);
}

/* The item is copied: what becomes of its memory does not matter. */
static void test_items_are_copied(_unused_ void **state)
{
    float value = 7;
    const Shape scalar = shape_of();
    const Tensor item = tensor_view(DT_FLOAT, &scalar, &value);
    const Tensor *const *elements = NULL;
    TensorList *list = NULL;
    assert_ok(list_set(arena, make(1).list, 0, &item, &list));
    value = 8;
    assert_ok(list_elements(arena, list, &elements));
    assert_true(*(const float *)elements[0]->data == 7);
}

static uint32_t draw(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % n;
}

/* Any version may be changed or read at any time. */
static void test_random_versions(_unused_ void **state)
{
    static Version versions[N_STEPS];
    uint32_t seed = 1;
    versions[0] = make(5);
    for (uint32_t i = 1; i < N_STEPS; i++) {
        const Version *from = &versions[draw(&seed, 2) == 0 ? i - 1 : draw(&seed, i)];
        uint32_t what = draw(&seed, 8), room = from->n < MAX_ELEMENTS;
        if (what == 0 && from->n > 0)
            versions[i] = pop(from);
        else if (what == 1)
            versions[i] = resize(from, draw(&seed, MAX_ELEMENTS));
        else if (from->n + room > 0)
            versions[i] = set(from, draw(&seed, (uint32_t)from->n + room),
                              draw(&seed, 9) == 0 ? 0 : (float)i);
        assert_version(&versions[draw(&seed, i + 1)]);
    }
    for (uint32_t i = 0; i < N_STEPS; i++)
        assert_version(&versions[i]);
}

static void test_limits(_unused_ void **state)
{
    const Shape scalar = shape_of(), vector = shape_of(3);
    float values[3] = { 0 };
    const Tensor item = tensor_view(DT_FLOAT, &vector, values);
    TensorList *list = NULL;
    assert_error(list_new(arena, DT_FLOAT, &scalar, -1, &list), ERROR_INVALID_ARGUMENT,
                 "must be a non negative number, but got -1");
    assert_error(list_new(arena, DT_FLOAT, &scalar, LIST_MAX_ELEMENTS + 1, &list),
                 ERROR_RESOURCE_EXHAUSTED, "longer than the limit");
    assert_error(list_set(arena, make(1).list, 0, &item, &list), ERROR_INVALID_ARGUMENT,
                 "Incompatible shapes of list elements: [] and [3]");
    _cleanup_(arena_freep) Arena *small = arena_new(1 << 10, 1 << 12);
    assert_error(list_new(small, DT_FLOAT, &scalar, 1 << 20, &list), ERROR_RESOURCE_EXHAUSTED, "");
}

static void test_merge_shapes(_unused_ void **state)
{
    const Shape any = { .rank = SHAPE_UNKNOWN_RANK }, half = shape_of(-1, 3),
                other = shape_of(2, -1), third = shape_of(2, 4), scalar = shape_of();
    Shape merged;
    assert_ok(list_merge_shapes(&half, &other, &merged));
    assert_true(merged.rank == 2 && merged.dims[0] == 2 && merged.dims[1] == 3);
    assert_ok(list_merge_shapes(&any, &half, &merged));
    assert_true(merged.rank == 2 && merged.dims[0] == -1 && !list_shape_is_known(&merged));
    assert_ok(list_merge_shapes(&scalar, &any, &merged));
    assert_true(merged.rank == 0 && list_shape_is_known(&merged));
    assert_false(list_shape_is_known(&any));
    assert_error(list_merge_shapes(&half, &third, &merged), ERROR_INVALID_ARGUMENT,
                 "Incompatible shapes of list elements");
    assert_error(list_merge_shapes(&half, &scalar, &merged), ERROR_INVALID_ARGUMENT,
                 "Incompatible shapes of list elements");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_older_versions_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_branches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pop_and_push, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_is_set_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_merge_shapes, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
