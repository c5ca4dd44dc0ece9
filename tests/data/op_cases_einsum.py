# SPDX-License-Identifier: Apache-2.0
"""Cases of Einsum, and of BatchMatMulV3."""
import numpy as np

from op_cases import BFLOAT16

F32 = np.float32
ONE = [("ab->ba", (2, 3)), ("ab->ab", (2, 3)), ("abc->cab", (2, 3, 4)), ("ab->a", (2, 3)), ("ab->", (2, 3)),
       ("abc->b", (2, 3, 4)), ("aa->a", (3, 3)), ("aa->", (3, 3)), ("aba->ab", (2, 3, 2)), ("abcb->ca", (2, 3, 4, 3)),
       ("...a->a...", (2, 3, 4)), ("a...->...", (2, 3, 4)), ("...ab->...ba", (2, 3)), ("a->aa", (3,)),
       ("ab->aab", (2, 3)), ("ab->bab", (2, 3)), ("aa->aa", (2, 2)), ("ab->ba", (0, 3)), ("ab->b", (0, 3)),
       ("->", ()), ("...->...", (2, 3)), ("a...b->b...", (2, 1, 2, 3))]
TWO = [("ab,bc->ac", (2, 3), (3, 4)), ("ab,cb->ac", (2, 3), (4, 3)), ("ba,bc->ac", (3, 2), (3, 4)),
       ("ab,bc->ca", (2, 3), (3, 4)), ("abc,cde->abde", (2, 3, 4), (4, 2, 5)), ("abcd,cde->abe", (2, 3, 2, 4), (2, 4, 5)),
       ("aecd,abcd->acbe", (2, 3, 2, 4), (2, 5, 2, 4)), ("acbe,aecd->abcd", (2, 2, 5, 3), (2, 3, 2, 4)),
       ("abc,bd->acd", (2, 3, 4), (3, 2)), ("ab,cd->abcd", (2, 3), (2, 2)), ("ab,ab->", (2, 3), (2, 3)),
       ("ab,ab->ab", (2, 3), (2, 3)), ("a,b->ab", (2,), (3,)), ("a,a->", (5,), (5,)), (",->", (), ()),
       (",ab->ba", (), (2, 3)), ("ab,c->b", (2, 3), (4,)), ("abc,bd->d", (2, 3, 4), (3, 2)), ("aab,bc->ac", (2, 2, 3), (3, 4)),
       ("ab,bc->aac", (2, 3), (3, 4)), ("...ab,...bc->...ac", (2, 1, 2, 3), (4, 3, 2)), ("...ab,bc->...ac", (2, 3, 4), (4, 2)),
       ("ab,...bc->...ac", (2, 3), (2, 3, 4)), ("...ab,...bc->ac...", (2, 2, 3), (2, 3, 4)),
       ("...,...->...", (2, 1, 3), (4, 1)), ("...a,a...->...", (2, 3), (3, 2)), ("a...b,b...->a...", (2, 1, 3), (3, 4)),
       ("ab,bc->ac", (0, 3), (3, 4)), ("ab,bc->ac", (2, 0), (0, 4)), ("...ab,...bc->...ac", (0, 2, 3), (1, 3, 2)),
       ("BTNH,BSNH->BNTS", (1, 3, 2, 4), (1, 5, 2, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
       ("ijk,kl->lij", (2, 3, 4), (4, 2)), ("abcd,efcd->abef", (2, 2, 2, 3), (2, 1, 2, 3)), ("abcdef,fg->abcdeg", (1, 2, 1, 2, 1, 2), (2, 3))]
WRONG = [("ab,bc->ac", [(2, 3), (4, 5)]), ("abc->a", [(2, 3)]), ("aa->a", [(2, 3)]), ("a...->a", [(2, 3)]), ("...abc->a", [(2, 3)]), ("...b->b", [(2, 2)])]
WRONG_IN_OTHER_WORDS = [("...b,...c->...bc", [(2, 3), (3, 4)]), ("a,b,c->abc", [(2,), (3,)]), ("ab->a", [(2, 3), (3,)]),
                        ("ab->ba->", [(2, 3)]), ("ab", [(2, 3)]), ("ab,bc->ac", [(2, 3)])]


def whole(cases, dtype, *shape):
    return cases.random(np.int32, *shape).astype(dtype)


def einsum(cases):
    for equation, shape in ONE:
        cases.add("Einsum", [cases.random(F32, *shape)], equation=equation)
    for equation, x, y in TWO:
        cases.add("Einsum", [cases.random(F32, *x), cases.random(F32, *y)], equation=equation)
    for dtype in (np.float64, np.int32, np.int64, np.float16, BFLOAT16):
        # Whole numbers, since TensorFlow rounds each step of a sum of 16-bit floats.
        for equation, x, y in TWO[:10]:
            cases.add("Einsum", [whole(cases, dtype, *x), whole(cases, dtype, *y)],
                      equation=equation)
        for equation, shape in ONE[:6]:
            cases.add("Einsum", [whole(cases, dtype, *shape)], equation=equation)
    for equation, shapes in WRONG:
        cases.add("Einsum", [cases.random(F32, *s) for s in shapes], equation=equation)
    for equation, shapes in WRONG_IN_OTHER_WORDS:
        cases.add("Einsum", [cases.random(F32, *s) for s in shapes], any_text=True, equation=equation)
    cases.add("Einsum", [np.array([[1, np.inf], [np.nan, 2]], F32)], equation="ab->a")


def batch_matmul(cases):
    for dtype in (np.float32, np.float64, np.int32, np.int64):
        t = {"Tout": dtype}
        for x, y in [((2, 3), (3, 4)), ((2, 1, 3, 4), (5, 4, 2)), ((0, 3, 4), (0, 4, 5)), ((2, 3, 0), (2, 0, 5))]:
            cases.add("BatchMatMulV3", [cases.random(dtype, *x), cases.random(dtype, *y)], **t)
        cases.add("BatchMatMulV3", [cases.random(dtype, 2, 4, 3), cases.random(dtype, 1, 5, 4)], adj_x=True, adj_y=True, **t)
    cases.add("BatchMatMulV3", [cases.random(F32, 2, 3, 4), cases.random(F32, 2, 5, 6)], any_text=True, Tout=F32)


def add_cases(cases):
    einsum(cases)
    batch_matmul(cases)
