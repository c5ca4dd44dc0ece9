# SPDX-License-Identifier: Apache-2.0
"""Cases of ops on strings."""
import numpy as np

I32, I64, F32, F64 = np.int32, np.int64, np.float32, np.float64
MIXED = ["", " ", "a", "Hello, World!", "  both ends\t\n", "\v\f\r x", "ÄÖü ß Ω", "日本語", "a\0b",
         b"\xff\xfe bad", b"cut \xe6\x97", b"\x80\x80", "😀 smile", "x" * 70]


def texts(*values):
    return np.array([v.encode() if isinstance(v, str) else v for v in values], object)


def simple(cases):
    x = texts(*MIXED)
    for op in "StringLower StringUpper StringStrip StringLength".split():
        cases.add(op, [x])
        cases.add(op, [x.reshape(2, -1)])
        cases.add(op, [np.array([], object).reshape(0, 2)])
        cases.add(op, [cases.strings(40)])
        cases.add(op, [np.array(b"One", object)])
    for unit in ("BYTE", "UTF8_CHAR"):
        cases.add("StringLength", [x], unit=unit)


def substr(cases):
    x = texts("Hello", "日本語です", b"ab\x80\x80cd", "thirteen", "a😀b", "12345")
    for unit in ("BYTE", "UTF8_CHAR"):
        for pos in (0, 1, 3, 5, -1, -3, -5):
            for length in (0, 1, 2, 4, 100):
                for dtype in (I32, I64):
                    cases.add("Substr", [x, dtype(pos), dtype(length)], any_text=True, unit=unit)
        cases.add("Substr", [x, I32(6), I32(1)], any_text=True, unit=unit)
        cases.add("Substr", [x, I32(-7), I32(1)], any_text=True, unit=unit)
        cases.add("Substr", [x, np.array([0, 1, 2, 3, -1, -2], I32),
                             np.array([1, 2, 3, 4, 1, 9], I32)], unit=unit)
        cases.add("Substr", [x.reshape(2, 3), np.array([0, 1, -2], I32),
                             np.array([2, 1, 2], I32)], unit=unit)
        cases.add("Substr", [np.array(b"scalar", object), np.array([0, 1, -2], I32),
                             np.array([2, 1, 2], I32)], unit=unit)
        cases.add("Substr", [x.reshape(2, 3)[:, :1], np.array([[0], [1]], I32),
                             np.array([[2], [3]], I32)], unit=unit)
    cases.add("Substr", [x, np.array([0, 1], I32), np.array([0], I32)], any_text=True)
    cases.add("Substr", [np.array([], object), I32(0), I32(1)])
    cases.add("Substr", [texts("", "a"), I32(0), I32(5)])


def split(cases):
    x = texts("a b  c", " lead", "trail ", "", "  ", "one", "a,b,,c,", ",,", "x, y, z", "a\tb\nc")
    for sep in ("", " ", ",", ", ", "b", "abc", "aa"):
        for limit in (-1, 0, 1, 2, 5):
            cases.add("StringSplitV2", [x, sep.encode()], maxsplit=limit)
        for skip in (True, False):
            cases.add("StringSplit", [x, sep.encode()], skip_empty=skip)
    cases.add("StringSplitV2", [texts("aaaa", "aaa"), b"aa"])
    for op in ("StringSplit", "StringSplitV2"):
        cases.add(op, [np.array([], object), b" "])
        cases.add(op, [cases.strings(20), b""])
        cases.add(op, [x.reshape(2, 5), b" "], any_text=True)
        cases.add(op, [x, texts(" ", ",")], any_text=True)


def to_number(cases):
    numbers = ["0", "-0", "1", "-17", "+5", " 12 ", "\t7\n", "0123", "2147483647", "2147483648",
               "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
               "-9223372036854775808", "1.5", ".5", "5.", "-1.25e3", "1e-3", "1E+2", "1e400", "-1e400",
               "1e-400", "3.4028235e38", "3.5e38", "1e-45", "0.1", "inf", "-inf", "Infinity", "nan",
               "NaN", "-nan", "0x1F", "0x", "0x1.8p1", "", " ", "abc", "1 2", "1,5", "1_0", "--1", "+-1", "- 1", "1e",
               "1e+", "e5", ".", "1.5f", "nan(1)", "1\0", "123456789012345678901234567890",
               "0.1234567890123456789012345678901234567890", "infin"]
    for dtype in (F32, F64, I32, I64):
        for number in numbers:
            cases.add("StringToNumber", [texts(number)], any_text="\0" in number, out_type=dtype)
        cases.add("StringToNumber", [texts("1", "2", "3", "4").reshape(2, 2)], out_type=dtype)
        cases.add("StringToNumber", [np.array([], object)], out_type=dtype)


def hashes(cases):
    lengths = list(range(0, 70)) + [95, 96, 97, 127, 128, 129, 191, 192, 193, 255, 256, 1000, 4097]
    x = np.array([bytes(cases.rng.integers(0, 256, n).astype(np.uint8)) for n in lengths], object)
    for buckets in (1, 7, 1 << 62):
        cases.add("StringToHashBucket", [x], num_buckets=buckets)
        cases.add("StringToHashBucketFast", [x], num_buckets=buckets)
        cases.add("StringToHashBucketStrong", [x], num_buckets=buckets, key=[1234, -5678])
    cases.add("StringToHashBucketFast", [x[:4].reshape(2, 2)], num_buckets=10)
    cases.add("StringToHashBucketFast", [np.array([], object)], num_buckets=10)
    cases.add("StringToHashBucketStrong", [x[:2]], any_text=True, num_buckets=10, key=[1])


def regex(cases):
    # Without a vertical tab and bytes that are no UTF-8: model/op/regex.h tells what differs there.
    valid = [v for v in MIXED if isinstance(v, str) and "\v" not in v]
    x = texts(*valid, "aaa bbb", "Foo123bar45", "line one\nline two\n", "a.b.c", "((x))", "\\back")
    patterns = ["a", "a*", "", "[a-z]+", r"\d+", r"(\w+) (\w+)", "^", "$", "^a|b$", ".", r"\s+", "l+?",
                "(?i)HELLO", "(a|b)(c)?", r"\bb", "[^a-z]", "(?P<x>b+)", "[[:punct:]]", r"\.", "ß|Ω",
                "[日語]", r"\pL+", "(?s).+", "(?m)^line", r"\x61", "a{2}", "x{10,}",
                r'[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']', r"[^\x00-\x7f]"]
    for pattern in patterns:
        cases.add("StaticRegexFullMatch", [x], pattern=pattern)
        cases.add("RegexFullMatch", [x, pattern.encode()])
        for rewrite in ("", "<\\0>", "\\\\"):
            cases.add("StaticRegexReplace", [x], pattern=pattern, rewrite=rewrite)
        for everywhere in (True, False):
            cases.add("RegexReplace", [x, pattern.encode(), b"[\\0]"], replace_global=everywhere)
    for rewrite in (b"\\1-\\2", b"\\2\\1", b"\\3", b"\\x", b"end\\", b"a\\1\\q\\2"):
        for everywhere in (True, False):
            cases.add("RegexReplace", [x, rb"(\w+) (\w+)?", rewrite], replace_global=everywhere)
    for pattern in (b"(", b"[", b"a**", b"*", b"(*UTF)a", b"\\", b"(?z)"):
        cases.add("RegexReplace", [x, pattern, b""], any_text=True)
        cases.add("RegexFullMatch", [x, pattern], any_text=True)
    bad = texts(*(v for v in MIXED if isinstance(v, bytes)))
    for pattern in (b"bad", b".", b".+", b"[^a]+", rb"\w+", b"b.*"):
        cases.add("RegexReplace", [bad, pattern, b"<\\0>"])
        cases.add("RegexFullMatch", [bad, pattern])
    cases.add("RegexReplace", [x, texts("a", "b"), b""], any_text=True)
    cases.add("RegexReplace", [x, b"a", texts("a", "b")], any_text=True)
    cases.add("RegexReplace", [np.array([], object), b"a", b""])
    cases.add("RegexFullMatch", [x[:4].reshape(2, 2), b".*"])


def add_cases(cases):
    simple(cases)
    substr(cases)
    split(cases)
    to_number(cases)
    hashes(cases)
    regex(cases)
