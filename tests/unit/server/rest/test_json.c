/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON in both directions. Words and offsets of errors are RapidJSON's, which TensorFlow Serving shows
 * its users.
 */
#include <float.h>
#include <math.h>

#include "server/rest/json_base64.h"
#include "server/rest/json_read.h"
#include "server/rest/json_write.h"
#include "tests/support/arena_fixture.h"

static Error *check(Arena *arena, const char *text, Json *ret_json)
{
    return json_check(arena, text, strlen(text), ret_json);
}

static Json checked(Arena *arena, const char *text)
{
    Json json = NULL;
    assert_ok(check(arena, text, &json));
    return json;
}

/* ---- documents ------------------------------------------------------------------------------- */

/* A good document, and what is behind its first value. */
static const char *const good[][2] = {
    { "{}", "" },
    { " [ ] x", " x" },
    { "[1,2.5,-3e-2,0]", "" },
    { "[NaN,Inf,Infinity,-Inf,-Infinity]", "" },
    { "{\"a\":{\"b\":[{},[],\"\\u00e9\\ud83d\\ude00\\n\"]},\"c\":null,\"d\":[true,false]}rest",
      "rest" },
    { "\xef\xbb\xbf\"bom\"", "" },
    { "1.7976931348623157e308", "" },
    { "\"]}\\\"\\\\\" , 2", " , 2" },
    { "1{\"a", "{\"a" },
    { "null[", "[" },
};

static void test_good(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_string_equal(json_end(checked(*state, good[i][0])), good[i][1]);
}

static const char *const bad[][2] = {
    { "", "JSON Parse error: The document is empty" },
    { "  ", "JSON Parse error: The document is empty. at offset: 2" },
    { "x", "JSON Parse error: Invalid value. at offset: 0" },
    { "nul", "JSON Parse error: Invalid value. at offset: 3" },
    { "[1,]", "JSON Parse error: Invalid value. at offset: 3" },
    { "[1 2]", "JSON Parse error: Missing a comma or ] after an array element. at offset: 3" },
    { "[1", "JSON Parse error: Missing a comma or ] after an array element. at offset: 2" },
    { "{1:2}", "JSON Parse error: Missing a name for object member. at offset: 1" },
    { "{\"a\":1,}", "JSON Parse error: Missing a name for object member. at offset: 7" },
    { "{\"a\" 1}",
      "JSON Parse error: Missing a colon after a name of object member. at offset: 5" },
    { "{\"a\":1]", "JSON Parse error: Missing a comma or } after an object member. at offset: 6" },
    { "\"a", "JSON Parse error: Missing a closing quotation mark in string. at offset: 2" },
    { "\"\n\"", "JSON Parse error: Invalid encoding in string. at offset: 1" },
    { "\"\\x\"", "JSON Parse error: Invalid escape character in string. at offset: 1" },
    { "\"\\u12g4\"", "Incorrect hex digit after \\u escape in string. at offset: 1" },
    { "\"\\ud800x\"", "The surrogate pair in string is invalid. at offset: 1" },
    { "\"\\udc00\"", "The surrogate pair in string is invalid. at offset: 1" },
    { "[1e400]", "JSON Parse error: Number too big to be stored in double. at offset: 1" },
    { "[1.]", "JSON Parse error: Miss fraction part in number. at offset: 3" },
    { "[1e+]", "JSON Parse error: Miss exponent in number. at offset: 4" },
    { "[-]", "JSON Parse error: Invalid value. at offset: 2" },
    { "[+1]", "JSON Parse error: Invalid value. at offset: 1" },
    { "[01]", "Missing a comma or ] after an array element. at offset: 2" },
    { "[Nan]", "JSON Parse error: Invalid value. at offset: 1" },
    { "\"\\", "JSON Parse error: Invalid escape character in string. at offset: 1" },
};

static void test_bad(void **state)
{
    Json json;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_error(check(*state, bad[i][0], &json), ERROR_INVALID_ARGUMENT, bad[i][1]);
}

/* A NUL inside the document does not end it. */
static void test_nul_inside(void **state)
{
    Json json;
    static const char text[] = "[1,\0002]";
    assert_error(json_check(*state, text, sizeof(text) - 1, &json), ERROR_INVALID_ARGUMENT,
                 "Invalid value. at offset: 3");
}

/* Nesting takes memory of the arena and no stack. */
static void test_deep(void **state)
{
    enum { DEPTH = 2000000 };
    char *text = malloc(DEPTH * 2 + 1);
    assert_non_null(text);
    memset(text, '[', DEPTH);
    memset(text + DEPTH, ']', DEPTH);
    text[DEPTH * 2] = '\0';
    Json json = checked(*state, text);
    assert_ptr_equal(json_end(json), text + DEPTH * 2);
    assert_int_equal(json_count(json, NULL), 1);
    text[DEPTH] = '\0';
    assert_error(check(*state, text, &json), ERROR_INVALID_ARGUMENT, "at offset: 2000000");
    free(text);
}

static void test_members(void **state)
{
    Json json = checked(*state, " { \"a\" : [1, {\"b\":2}] , \"\\u0062\":\"x\",\"a\":3 } "), value;
    assert_ok(json_find(*state, json, bytes_of_text("a"), &value));
    assert_int_equal(json_type(value), JSON_ARRAY);
    assert_int_equal(json_count(value, NULL), 2);
    assert_ok(json_find(*state, json, bytes_of_text("b"), &value));
    assert_string_equal(json_type_name(value), "String");
    assert_ok(json_find(*state, json, bytes_of_text("c"), &value));
    assert_null(value);
    assert_ok(json_find(*state, checked(*state, "{ }"), bytes_of_text("c"), &value));
    assert_null(value);
}

static void test_strings(void **state)
{
    static const char text[] =
        "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20ac\\ud83d\\ude00z\"";
    static const char expected[] = "a\"\\/\b\f\n\r\t\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z";
    const char *end;
    Bytes string;
    assert_ok(json_string(*state, checked(*state, text), &string, &end));
    assert_int_equal(string.size, sizeof(expected) - 1);
    assert_memory_equal(string.data, expected, string.size);
    assert_int_equal(*end, '\0');
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Against strtod, which rounds correctly, on numbers that take every way through json_number. */
static void test_numbers(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "1",
        "123456789",
        "9007199254740993",
        "0.1",
        "1e22",
        "1e23",
        "-1.5e-10",
        "123456789012345678901234567890",
        "1e-400",
        "5e-324",
        "1E5",
        "0.000001e+300",
        "3.141592653589793238462643383279",
        "1e0022",
        "2.5E-22",
        "1.0e308",
        "18446744073709551616",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        JsonNumber number;
        const char *end = json_number(checked(*state, texts[i]), &number);
        assert_int_equal(*end, '\0');
        assert_true(number.value == strtod(texts[i], NULL));
    }
}

static void test_special_numbers(void **state)
{
    JsonNumber number;
    json_number(checked(*state, "NaN"), &number);
    assert_true(isnan(number.value) && !number.is_integer);
    json_number(checked(*state, "-Infinity"), &number);
    assert_true(isinf(number.value) && number.value < 0 && !number.is_integer);
    assert_int_equal(*json_number(checked(*state, "Inf"), &number), '\0');
    assert_true(isinf(number.value) && number.value > 0);
}

static void test_integers(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max, value;
        bool fits;
    } integers[] = {
        { "127", -128, 127, 127, true },
        { "128", -128, 127, 0, false },
        { "-128", -128, 127, -128, true },
        { "-129", -128, 127, 0, false },
        { "-0", 0, 255, 0, true },
        { "2.0", 0, 255, 0, false },
        { "1e1", 0, 255, 0, false },
        { "9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX, true },
        { "9223372036854775808", INT64_MIN, INT64_MAX, 0, false },
        { "-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN, true },
        { "-9223372036854775809", INT64_MIN, INT64_MAX, 0, false },
        { "99999999999999999999", INT64_MIN, INT64_MAX, 0, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(integers); i++) {
        JsonNumber number;
        int64_t value = 0;
        json_number(checked(*state, integers[i].text), &number);
        assert_int_equal(json_integer(&number, integers[i].min, integers[i].max, &value),
                         integers[i].fits);
        assert_int_equal(value, integers[i].value);
    }
}

static void test_floats_are_short_and_read_back(void **state)
{
    static const struct {
        float value;
        const char *text;
    } floats[] = {
        { 3, "3.0" },
        { -0.0f, "-0.0" },
        { 0.1f, "0.1" },
        { 999999, "999999.0" },
        { 1e6f, "1e+06" },
        { 16777216, "16777216.0" },
        { 0.333333343f, "0.333333343" },
        { 1e-10f, "1e-10" },
        { FLT_MAX, "3.40282347e+38" },
        { FLT_TRUE_MIN, "1.4013e-45" },
        { NAN, "NaN" },
        { INFINITY, "Infinity" },
        { -INFINITY, "-Infinity" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(floats); i++) {
        Buf buf;
        JsonNumber number;
        buf_init(&buf, 100);
        assert_ok(json_write_float(&buf, floats[i].value));
        assert_string_equal(buf_text(&buf), floats[i].text);
        json_number(checked(*state, buf_text(&buf)), &number);
        assert_true((float)number.value == floats[i].value || isnan(floats[i].value));
        buf_done(&buf);
    }
}

/* Bit patterns spread over all floats: each reads back as the same bits. */
static void test_any_float_reads_back(void **state)
{
    (void)state;
    Buf buf;
    buf_init(&buf, 100);
    for (uint64_t bits = 0; bits < (uint64_t)1 << 32; bits += 104729) {
        float value;
        uint32_t pattern = (uint32_t)bits;
        memcpy(&value, &pattern, sizeof(value));
        buf.size = 0;
        assert_ok(json_write_float(&buf, value));
        JsonNumber number;
        json_number(buf_text(&buf), &number);
        float back = (float)number.value;
        assert_true(memcmp(&back, &value, sizeof(value)) == 0 || isnan(value));
    }
    buf_done(&buf);
}

static void test_doubles(void **state)
{
    (void)state;
    static const double values[] = { 0.1, 1.0 / 3, DBL_MAX, 4.9e-324, -2, 1e15 };
    static const char *const texts[] = {
        "0.1", "0.33333333333333331", "1.7976931348623157e+308", "4.94066e-324", "-2.0", "1e+15"
    };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        Buf buf;
        buf_init(&buf, 100);
        assert_ok(json_write_double(&buf, values[i]));
        assert_string_equal(buf_text(&buf), texts[i]);
        buf_done(&buf);
    }
}

static void test_write_string(void **state)
{
    (void)state;
    static const char text[] = "a\"\\/\b\f\n\r\t\x01\0\xc3\xa9\x7f";
    Buf buf;
    buf_init(&buf, 100);
    assert_ok(json_write_string(&buf, (Bytes){ (const uint8_t *)text, sizeof(text) - 1 }));
    assert_string_equal(buf_text(&buf), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u0000\xc3\xa9\x7f\"");
    buf_done(&buf);
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static void test_base64(void **state)
{
    static const char *const pairs[][2] = {
        { "", "" },        { "f", "Zg==" },        { "fo", "Zm8=" },
        { "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "\xff\xef\xbe", "/+++" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        Buf buf;
        Bytes bytes;
        buf_init(&buf, 100);
        assert_ok(json_write_base64(&buf, bytes_of_text(pairs[i][0])));
        assert_memory_equal(buf_text(&buf) + 1, pairs[i][1], strlen(pairs[i][1]));
        assert_int_equal(buf.size, strlen(pairs[i][1]) + 2);
        assert_ok(json_read_base64(*state, checked(*state, buf_text(&buf)), &bytes));
        assert_int_equal(bytes.size, strlen(pairs[i][0]));
        assert_memory_equal(bytes.data, pairs[i][0], bytes.size);
        buf_done(&buf);
    }
}

static void test_base64_of_others(void **state)
{
    Bytes bytes;
    assert_ok(json_read_base64(*state, checked(*state, "\" Zm\\n9 v Yg\""), &bytes));
    assert_int_equal(bytes.size, 4);
    assert_memory_equal(bytes.data, "foob", 4);
    static const char *const wrong[] = { "\"Z\"",     "\"Zh\"",   "\"Zg=\"",
                                         "\"Zg==x\"", "\"Z-_v\"", "\"Zg===\"" };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        assert_error(json_read_base64(*state, checked(*state, wrong[i]), &bytes),
                     ERROR_INVALID_ARGUMENT, "Unable to base64 decode");
}

static void test_shown(void **state)
{
    Json json = checked(*state, "{\"a\":[1,\"x,]\"], \"b\" : {},\"c\":[]}");
    assert_string_equal(json_shown(*state, json),
                        "{\n    \"a\": [\n        1,\n        \"x,]\"\n    ],\n    \"b\": {},\n    "
                        "\"c\": []\n}");
    char text[1000] = "[\"";
    memset(text + 2, 'x', 900);
    memcpy(text + 902, "\"]", 3);
    assert_int_equal(strlen(json_shown(*state, checked(*state, text))), 256 + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul_inside),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_special_numbers),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_floats_are_short_and_read_back),
        cmocka_unit_test(test_any_float_reads_back),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_write_string),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_of_others),
        cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
