#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes op_cases_NAME.bin for each op_cases_NAME.py beside it (or those named as arguments), whose
function add_cases(cases) runs ops in TensorFlow. op_cases.py says the format."""
import glob
import importlib
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def main():
    import op_cases
    names = sys.argv[1:] or sorted(os.path.basename(p)[len("op_cases_"):-len(".py")]
                                   for p in glob.glob(os.path.join(HERE, "op_cases_*.py")))
    for name in names:
        cases = op_cases.Cases()
        importlib.import_module(f"op_cases_{name}").add_cases(cases)
        cases.save(os.path.join(HERE, f"op_cases_{name}.bin"))


if __name__ == "__main__":
    main()
