/* SPDX-License-Identifier: Apache-2.0
 *
 * Fields of messages, and the ModelSpec, read along the wire.
 */
#include "server/service/spec.h"
#include "server/service/wire.h"
#include "tests/unit/server/service/request_fixture.h"

/* ---- fields ---------------------------------------------------------------------------------- */

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        Bytes wire;
        bool ok;
        uint32_t number;
        uint64_t value;
        size_t size, left;
    } cases[] = {
        { BYTES("\x08\x01"), true, 1, 1, 0, 0 },
        { BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true, 1, UINT64_MAX, 0, 0 },
        { BYTES("\x0d\x01\x02\x03\x04\x08"), true, 1, 0x04030201, 0, 1 },
        { BYTES("\x09\x01\x00\x00\x00\x00\x00\x00\x80"), true, 1, 0x8000000000000001, 0, 0 },
        { BYTES("\x12\x03"
                "abcd"),
          true, 2, 0, 3, 1 },
        { BYTES("\x12\x00"), true, 2, 0, 0, 0 },
        /* a group, with another in it, is read over whole */
        { BYTES("\x0b\x10\x05\x13\x14\x0c\x08"), true, 1, 0, 0, 1 },
        { BYTES("\xfa\xff\xff\xff\x0f\x01"
                "x"),
          true, (1u << 29) - 1, 0, 1, 0 },
        { BYTES("\x08"), false, 0, 0, 0, 0 },     /* no value */
        { BYTES("\x08\x80"), false, 0, 0, 0, 0 }, /* varint cut off */
        { BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false, 0, 0, 0, 0 },
        { BYTES("\x0d\x01\x02\x03"), false, 0, 0, 0, 0 }, /* three of four bytes */
        { BYTES("\x09\x01\x02\x03\x04\x05\x06\x07"), false, 0, 0, 0, 0 },
        { BYTES("\x12\x04"
                "abc"),
          false, 0, 0, 0, 0 },
        { BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                "abc"),
          false, 0, 0, 0, 0 },
        { BYTES("\x02\x00"), false, 0, 0, 0, 0 },                 /* field number 0 */
        { BYTES("\x82\x80\x80\x80\x10\x00"), false, 0, 0, 0, 0 }, /* 2^29 */
        { BYTES("\x0e\x00"), false, 0, 0, 0, 0 },                 /* type 6 */
        { BYTES("\x0c"), false, 0, 0, 0, 0 },                     /* an end without a group */
        { BYTES("\x0b\x10\x05"), false, 0, 0, 0, 0 },             /* a group without an end */
        { BYTES("\x0b\x14"), false, 0, 0, 0, 0 },                 /* another's end */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Bytes rest = cases[i].wire;
        WireField field;
        bool ok = wire_read(&rest, &field);
        if (ok != cases[i].ok)
            fail_msg("case %zu", i);
        if (!ok) {
            assert_ptr_equal(rest.data, cases[i].wire.data);
            continue;
        }
        assert_int_equal(field.number, cases[i].number);
        assert_int_equal(field.value, cases[i].value);
        assert_int_equal(field.bytes.size, cases[i].size);
        assert_int_equal(rest.size, cases[i].left);
    }
}

static void test_groups_that_nest_deep(void **state)
{
    (void)state;
    uint8_t wire[200000];
    memset(wire, 0x0b, sizeof(wire) / 2);
    memset(wire + sizeof(wire) / 2, 0x0c, sizeof(wire) / 2);
    Bytes rest = { wire, sizeof(wire) };
    WireField field;
    assert_false(wire_read(&rest, &field));
    rest = (Bytes){ wire + sizeof(wire) / 2 - 64, 128 };
    assert_true(wire_read(&rest, &field));
    assert_int_equal(rest.size, 0);
}

/* ---- ModelSpec ------------------------------------------------------------------------------- */

static void test_spec(void **state)
{
    (void)state;
    static const struct {
        Bytes wire;
        const char *name, *label, *signature;
        bool has_version, has_label;
        int64_t version;
    } cases[] = {
        { BYTES(""), "", "", "serving_default", false, false, 0 },
        { BYTES("\x0a\x01m"), "m", "", "serving_default", false, false, 0 },
        { BYTES("\x0a\x01m\x12\x00\x1a\x01s"), "m", "", "s", true, false, 0 },
        { BYTES("\x12\x02\x08\x07"), "", "", "serving_default", true, false, 7 },
        { BYTES("\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "", "", "serving_default",
          true, false, -1 },
        { BYTES("\x22\x01l"), "", "l", "serving_default", false, true, 0 },
        /* of the two halves of the oneof the last counts */
        { BYTES("\x22\x01l\x12\x02\x08\x07"), "", "l", "serving_default", true, false, 7 },
        { BYTES("\x12\x02\x08\x07\x22\x01l"), "", "l", "serving_default", false, true, 7 },
        /* a field twice: the last; a wrapper twice: merged, so that 7 stays */
        { BYTES("\x0a\x01m\x0a\x01n\x12\x02\x08\x07\x12\x00"), "n", "", "serving_default", true,
          false, 7 },
        /* unknown fields and types are read over */
        { BYTES("\x08\x05\x0a\x01m\x7a\x02zz"), "m", "", "serving_default", false, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ModelSpec spec = { 0 };
        assert_true(spec_read(cases[i].wire, &spec));
        assert_true(spec.is_there);
        assert_bytes(spec.name, cases[i].name);
        assert_bytes(spec_signature_name(&spec), cases[i].signature);
        assert_int_equal(spec.has_version, cases[i].has_version);
        assert_int_equal(spec.has_label, cases[i].has_label);
        if (spec.has_version)
            assert_int_equal(*spec_version(&spec), cases[i].version);
        else
            assert_null(spec_version(&spec));
        if (spec.has_label)
            assert_bytes(spec.label, cases[i].label);
    }
    ModelSpec spec = { 0 };
    assert_false(spec_read(BYTES("\x0a\x05m"), &spec));
    assert_false(spec_read(BYTES("\x12\x01\x08"), &spec));
}

/* What is judged before any model is looked for; the reader is not needed. */
static void test_spec_is_judged_first(void **state)
{
    (void)state;
    Handle handle = { 0 };
    ModelSpec spec = { 0 };
    assert_error(spec_acquire(&spec, NULL, &handle), ERROR_INVALID_ARGUMENT, "Missing ModelSpec");
    assert_true(spec_read(BYTES(""), &spec));
    assert_error(spec_acquire(&spec, NULL, &handle), ERROR_INVALID_ARGUMENT,
                 "ModelSpec has no name specified.");
    assert_null(handle.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_groups_that_nest_deep),
        cmocka_unit_test(test_spec),
        cmocka_unit_test(test_spec_is_judged_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
