# SPDX-License-Identifier: Apache-2.0
"""Cases of the ops that give what they are given."""
import numpy as np

import op_cases


def add_cases(cases):
    for dtype in op_cases.PLAIN:
        for op in ("Identity", "PreventGradient", "Snapshot", "StopGradient"):
            cases.add(op, [cases.random(dtype, 2, 3)])
        cases.add("PlaceholderWithDefault", [cases.random(dtype, 2, 3)], shape=[None, 3])
    for op in ("Identity", "PreventGradient", "Snapshot", "StopGradient"):
        cases.add(op, [np.float32([1, np.nan, np.inf, -0.0])])
        cases.add(op, [cases.random(np.float32, 0, 4)])
        cases.add(op, [np.int64(7)])
        cases.add(op, [cases.strings(2, 3)])
    cases.add("PlaceholderWithDefault", [cases.strings(4)], shape=[4])
    cases.add("PlaceholderWithDefault", [cases.random(np.float32, 0, 4)], shape=None)
    cases.add("IdentityN", [cases.random(d, 2) for d in op_cases.PLAIN] + [cases.strings(2)])
    cases.add("IdentityN", [np.float32(1)])
    cases.add("IdentityN", [cases.random(np.float32, 3, 0)] * 2)
    cases.add("NoOp", [])
