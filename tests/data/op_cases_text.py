# SPDX-License-Identifier: Apache-2.0
"""Cases of ops that join, recode and read texts."""
import numpy as np

I32, I64, F32, F64 = np.int32, np.int64, np.float32, np.float64
MIXED = ["", "a", "Hello, World!", "ÄÖü ß Ω", "日本語", "a\0b\n\x1f", b"\xff\xfe bad", b"cut \xe6\x97",
         b"\x80\x80", "😀 smile", b"\xed\xa0\x80 surrogate", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xe0\x80\xaf",
         b"\xf0\x9f\x98", b"\xf0\x9fx", b"\xe6\x97\xe6\x97\xa5", b"\xf8\x88\x80\x80\x80", b"\xef\xbb\xbfbom"]


def texts(*values):
    return np.array([v.encode() if isinstance(v, str) else v for v in values], object)


def reduce_join(cases):
    x = texts(*"abcdefghijkl").reshape(2, 3, 2)
    for axes in ([], [0], [1], [2], [-1], [0, 1], [1, 0], [2, 0], [0, 1, 2], [2, 1, 0]):
        for keep in (False, True):
            cases.add("ReduceJoin", [x, I32(axes)], keep_dims=keep, separator="-")
    cases.add("ReduceJoin", [x, I32(1)])
    cases.add("ReduceJoin", [x[:, :0], I32([1])])
    cases.add("ReduceJoin", [x[:0], I32([1])])
    cases.add("ReduceJoin", [x, I32([3])], any_text=True)
    cases.add("ReduceJoin", [x, I32([1, -2])], any_text=True)
    for ids in ([0, 2, 0], [1, 1, 1], [-1, 0, 2]):
        for dtype in (I32, I64):
            cases.add("UnsortedSegmentJoin", [texts("a", "", "c"), dtype(ids), I32(3)], separator=", ")
    cases.add("UnsortedSegmentJoin", [x[0], I64([1, 0, 1]), I64(2)], separator="")
    cases.add("UnsortedSegmentJoin", [texts("a"), I32([3]), I32(3)], any_text=True)
    cases.add("UnsortedSegmentJoin", [texts("a", "b"), I32([0]), I32(3)], any_text=True)


def ngrams(cases):
    data = texts("a", "bb", "c", "d", "", "f")
    for splits in ([0, 4, 6], [0, 0, 1, 6], [0, 2, 2, 5, 6]):
        for dtype in (I32, I64):
            for widths in ([1], [2], [3], [2, 3], [1, 5], [7]):
                for pad in (0, -1, 1):
                    for short in (False, True) if pad >= 0 else (False,):
                        cases.add("StringNGrams", [data, dtype(splits)], separator="|", ngram_widths=widths,
                                  left_pad="L", right_pad="R", pad_width=pad, preserve_short_sequences=short)
    options = {"separator": " ", "ngram_widths": [2], "left_pad": "", "right_pad": "", "pad_width": 0,
               "preserve_short_sequences": False}
    cases.add("StringNGrams", [texts(), I64([0, 0, 0])], **options)
    cases.add("StringNGrams", [texts(), I64([0])], **options)
    for splits in ([1, 6], [0, 7], [0, 4, 3, 6], [0, 5], [0, -1, 6]):
        cases.add("StringNGrams", [data, I64(splits)], any_text=True, **options)
    cases.add("StringNGrams", [data, I64([0, 6])], any_text=True, **{**options, "ngram_widths": [0]})


def unicode(cases):
    x = texts(*MIXED)
    good = texts(*(v for v in MIXED if isinstance(v, str)))
    for errors in ("replace", "ignore"):
        for control in (False, True):
            for replacement in (0xFFFD, 0x3F):
                options = {"errors": errors, "replace_control_characters": control,
                           "replacement_char": replacement}
                for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
                    cases.add("UnicodeTranscode", [x], input_encoding="UTF-8", output_encoding=encoding,
                              **options)
                cases.add("UnicodeDecodeWithOffsets", [x], input_encoding="UTF-8", **options)
                cases.add("UnicodeDecode", [x.reshape(-1)], input_encoding="utf8", Tsplits=I32, **options)
    for name in ("UTF-16-BE", "utf-16le", "UTF-32-BE", "UTF-32LE", "US-ASCII", "ISO-8859-1"):
        coded = [v.decode().encode(name, "ignore") for v in good]
        coded += [b"\xd8", b"\xd8\x3d", b"\xd8\x3d\x00", b"\xd8\x3d\x00a", b"\xdc\x00\x00a", b"\0\0\xd8\0", b"\0\x11\0\0",
                  b"\0\0\0", b"a\xe9\x80"]
        cases.add("UnicodeTranscode", [texts(*coded)], input_encoding=name, output_encoding="UTF-8")
        cases.add("UnicodeDecodeWithOffsets", [texts(*coded)], input_encoding=name)
    for bad in ("a", b"\xff"):
        for op, more in (("UnicodeDecode", {}), ("UnicodeTranscode", {"output_encoding": "UTF-8"})):
            cases.add(op, [texts(bad)], any_text=True, input_encoding="UTF-8", errors="strict", **more)
            cases.add(op, [texts("\x01")], any_text=True, input_encoding="UTF-8", errors="strict",
                      replace_control_characters=True, **more)
    codes = I32([97, 0xE4, 0x65E5, 0x1F600, 0, 0x10FFFF, 0xFFFD])
    wild = I32([97, -1, 0x110000, 98, 0xD800, 99])
    for encoding in ("UTF-8", "UTF-16-BE", "UTF-32-BE"):
        for splits in ([0, 7], [0, 0, 3, 3, 7]):
            for dtype in (I32, I64):
                cases.add("UnicodeEncode", [codes, dtype(splits)], output_encoding=encoding)
        for errors in ("replace", "ignore", "strict"):
            cases.add("UnicodeEncode", [wild, I64([0, 6])], any_text=True, errors=errors, output_encoding=encoding)
    for splits in ([1, 7], [0, 8], [0, 5, 3, 7], []):
        cases.add("UnicodeEncode", [codes, I64(splits)], any_text=True, output_encoding="UTF-8")
    cases.add("UnicodeEncode", [I32([]), I64([0])], output_encoding="UTF-8")


def base64(cases):
    x = np.array([bytes(cases.rng.integers(0, 256, n).astype(np.uint8)) for n in range(12)], object)
    for pad in (False, True):
        cases.add("EncodeBase64", [x], pad=pad)
        cases.add("EncodeBase64", [x.reshape(3, 4)], pad=pad)
    good = texts("", "YQ", "YQ==", "YWI", "YWI=", "YWJj", "-_-_", "AAAAAAAA")
    for text in good:
        cases.add("DecodeBase64", [texts(text)], any_text=True)
    for text in ("Y", "YQ=", "YWJjZ", "a+b/", "YW J", "====", "=", "YQ==YQ==", "YQ===", "YR", "YWJ", "\0\0", "é", "Y===", "==",
                 "YWJj=", "YWJj=="):
        cases.add("DecodeBase64", [texts(text)], any_text=True)


def csv(cases):
    def add(records, types, defaults, any_text=False, **options):
        inputs = [np.array(d, object if t == "string" else t).reshape(-1) for t, d in zip(types, defaults)]
        cases.add("DecodeCSV", [texts(*records)] + inputs, any_text=any_text, OUT_TYPE=types, **options)

    types = ["string", I32, F32, I64, F64]
    none = [[b"x"], [1], [.5], [2], [.25]]
    required = [[]] * 5
    good = ["a,1,1.5,2,2.5", '"quoted, ""text""",-1,1e3,9223372036854775807,-0.5', ",,,,", "b, 7 ,8.5,9,10",
            "\n\rc,1,2,3,4", "\xe4,1,2,3,4", "NA,NA,NA,NA,NA", '"",1,2,3,4', '"a\nb",1,2,3,4', 'a,"1","2","3","4"']
    for record in good:
        add([record], types, none, any_text=True)
        add([record], types, required, any_text=True)
        add([record], types, none, any_text=True, na_value="NA")
        add([record], types, none, any_text=True, use_quote_delim=False)
    add(good[:4], types, none)
    for record in ("", "a", "a,1,2,3", "a,1,2,3,4,5", "a,1,2,3,4,", 'a"b,1,2,3,4', '"a"b,1,2,3,4', '"a,1,2,3,4', '"',
                   'a,1,2,3,"', "a\nb,1,2,3,4", "a,x,2,3,4", "a,1,2,3.5,4", "a,2147483648,2,3,4", '"a"', '""'):
        add([record], types, none, any_text=True)
    add(["1;2", "3;4"], [I32, I32], [[], []], field_delim=";")
    for record in ("1,2,3,4", "1,2", "1,,3", '1,2,"3', "1,2,3,", "1,2,"):
        add([record], [I32, I32], [[], [9]], any_text=True, select_cols=[0, 2])
    add(["a", "b,"], ["string"], [[]], any_text=True)
    add(["1"], [I32], [[1, 2]], any_text=True)
    x = texts("1,a", "2,b", "3,c", "4,d").reshape(2, 2)
    cases.add("DecodeCSV", [x, I32([0]), texts("")], OUT_TYPE=[I32, "string"])


def padded_raw(cases):
    x = texts("", "a", "abcdefgh", "0123456789", b"\xff\x01")
    for dtype in (np.uint8, np.int16, I32, F32, I64, F64, np.int8):
        for little in (True, False):
            cases.add("DecodePaddedRaw", [x, I32(8)], out_type=dtype, little_endian=little)
    for length in (0, -4, 3):
        cases.add("DecodePaddedRaw", [x, I32(length)], any_text=True, out_type=I32)
    cases.add("DecodePaddedRaw", [texts(), I32(4)], out_type=I32)


def format_(cases):
    numbers = np.arange(24, dtype=I32)
    for x in (numbers[:0], numbers[:5], numbers[:6], numbers[:7], numbers.reshape(2, 12), numbers.reshape(2, 3, 4),
              numbers.reshape(8, 3), I64(-7), numbers[:0].reshape(2, 0), numbers[:0].reshape(0, 2)):
        for summarize in (-1, 0, 1, 3):
            cases.add("StringFormat", [x], template="<{}>", placeholder="{}", summarize=summarize)
    for dtype in (np.int8, np.uint8, np.int16, np.uint64, np.bool_, F32, F64, np.float16):
        cases.add("StringFormat", [dtype([0, 1, 100])], template="{}", placeholder="{}")
    for dtype in (F32, F64):
        x = np.array([.1, 1e10, 1e-7, 123456789, 1 / 3, -0.0, np.nan, np.inf, 16777216, 100000, 1e6], dtype)
        cases.add("StringFormat", [x], template="{}", placeholder="{}", summarize=-1)
    cases.add("StringFormat", [texts(*MIXED, "q\"'\\ \t\r\x7f")], template="{}", placeholder="{}", summarize=-1)
    cases.add("StringFormat", [np.array(b"scalar", object)])
    cases.add("StringFormat", [], template="none", placeholder="{}", T=[])
    cases.add("StringFormat", [I32(1), F32([2])], template="a {} b {}{", placeholder="{}")
    cases.add("StringFormat", [I32(1)], any_text=True, template="a", placeholder="{}")


def add_cases(cases):
    format_(cases)
    reduce_join(cases)
    ngrams(cases)
    unicode(cases)
    base64(cases)
    csv(cases)
    padded_raw(cases)
