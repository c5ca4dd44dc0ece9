#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes op_defs.txt: the inputs and outputs of each op of model/op/*.def as TensorFlow's own
registry declares them, in the notation of ops.def, for tests/unit/model/op/test_registry.c.

The fused ops, whose names begin with '_', are not TensorFlow's. References of TF1 are written as op.h treats them: a reference input and the output of VariableV2 or a
table are handles, what Assign and its like give is a value.
"""
import os
import re

import tensorflow  # noqa: F401  fills the registry
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

HERE = os.path.dirname(os.path.abspath(__file__))
HANDLES = ("Variable", "VariableV2", "HashTable", "MutableHashTable")
OPS = os.path.join(HERE, "../../model/op")


def type_name(number):
    return types_pb2.DataType.Name(number)[3:].lower()


def arg_text(op, arg, is_input):
    if arg.type_list_attr:
        return f"{arg.name}*{arg.type_list_attr}"
    name = f"{arg.name}*{arg.number_attr}" if arg.number_attr else arg.name
    if arg.is_ref and (is_input or op.name in HANDLES):
        return f"{name}:=resource"
    if not arg.type_attr:
        return f"{name}:={type_name(arg.type)}"
    attr = next(a for a in op.attr if a.name == arg.type_attr)
    default = f"?{type_name(attr.default_value.type)}" if attr.HasField("default_value") else ""
    return f"{name}:{arg.type_attr}{default}"


def main():
    names = set()
    for file in os.listdir(OPS):
        if file.endswith(".def"):
            with open(os.path.join(OPS, file), encoding="utf-8") as f:
                names |= set(re.findall(r'^OP(?:_COMPILED)?\(\s*"([^_"]\w*)"', f.read(), re.M))
    with open(os.path.join(HERE, "op_defs.txt"), "w", encoding="utf-8") as f:
        for name in sorted(names):
            op = op_def_registry.get(name)
            ins = ",".join(arg_text(op, a, True) for a in op.input_arg)
            outs = ",".join(arg_text(op, a, False) for a in op.output_arg)
            f.write(f"{name}|{ins}|{outs}\n")


if __name__ == "__main__":
    main()
