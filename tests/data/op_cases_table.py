# SPDX-License-Identifier: Apache-2.0
"""Cases of TF1's lookup tables, and of tables that change."""
import numpy as np
import tensorflow as tf

raw = tf.raw_ops
WORDS = np.array([b"a", b"bb", b"", b"d"], object)
NUMBERS = np.array([7, -1, 0, 2**40], np.int64)


def kind(x):
    return tf.string if x.dtype == object else tf.as_dtype(x.dtype)


def first_version(cases, keys, values):
    asked = keys[[2, 0, 1, 3, 3]]
    missing = values[0]
    types = {"key_dtype": kind(keys), "value_dtype": kind(values)}

    def static(asked, missing):
        t = raw.HashTable(shared_name="t", **types)
        init = raw.InitializeTable(table_handle=t, keys=tf.constant(keys[:3]), values=tf.constant(values[:3]))
        return [raw.LookupTableFind(table_handle=t, keys=asked, default_value=missing), raw.LookupTableSize(table_handle=t)], init

    def mutable(asked, missing):
        t = raw.MutableHashTable(shared_name="t", **types)
        init = raw.LookupTableImport(table_handle=t, keys=tf.constant(keys[:3]), values=tf.constant(values[:3]))
        with tf.control_dependencies([raw.LookupTableInsert(table_handle=t, keys=tf.constant(keys[1:4]),
                                                            values=tf.constant(values[[0, 0, 3]]))]):
            return [raw.LookupTableFind(table_handle=t, keys=asked, default_value=missing),
                    raw.LookupTableSize(table_handle=t)], init

    def export():
        t = raw.MutableHashTable(shared_name="t", **types)
        init = raw.LookupTableImport(table_handle=t, keys=tf.constant(keys[:1]), values=tf.constant(values[:1]))
        return list(raw.LookupTableExport(table_handle=t, Tkeys=types["key_dtype"], Tvalues=types["value_dtype"])), init

    find = ["LookupTableFind", "LookupTableSize"]
    cases.add_graph(["HashTable", "InitializeTable"] + find, static, [asked, missing])
    cases.add_graph(["HashTable", "InitializeTable"] + find, static, [asked[:4].reshape(2, 2), missing])
    cases.add_graph(["MutableHashTable", "LookupTableImport", "LookupTableInsert"] + find, mutable, [asked, missing])
    cases.add_graph(["MutableHashTable", "LookupTableImport", "LookupTableExport"], export)


def changes(cases, keys, values):
    types = {"key_dtype": kind(keys), "value_dtype": kind(values)}

    def build(asked, missing, added, removed):
        t = raw.MutableHashTableV2(shared_name="t", **types)
        init = raw.LookupTableImportV2(table_handle=t, keys=tf.constant(keys[:2]), values=tf.constant(values[:2]))
        with tf.control_dependencies([raw.LookupTableInsertV2(table_handle=t, keys=added, values=tf.constant(values[1:]))]):
            before = raw.LookupTableSizeV2(table_handle=t)
        with tf.control_dependencies([before]):
            remove = raw.LookupTableRemoveV2(table_handle=t, keys=removed)
        with tf.control_dependencies([remove]):
            return [before, raw.LookupTableFindV2(table_handle=t, keys=asked, default_value=missing),
                    raw.LookupTableSizeV2(table_handle=t)], init

    ops = ["MutableHashTableV2", "LookupTableInsertV2", "LookupTableRemoveV2"]
    for added, removed in ((keys[1:], keys[:1]), (keys[[1, 1, 1]], keys[3:]), (keys[1:], keys), (keys[1:], keys[:0])):
        cases.add_graph(ops, build, [keys, values[0], added, removed])
    cases.add_graph(ops, build, [keys, values[0], keys[:2], keys[:1]], any_text=True)


def add_cases(cases):
    for keys, values in ((WORDS, NUMBERS), (NUMBERS, WORDS), (WORDS, np.float32([1, 2, 3, 4])), (NUMBERS, NUMBERS[::-1].copy())):
        try:
            first_version(cases, keys, values)
            changes(cases, keys, values)
        except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as e:
            print("no table in TensorFlow:", kind(keys), kind(values), str(e).splitlines()[0][:80])
