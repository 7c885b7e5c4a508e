"""Operators with `compute(*arrays)` and `gradient(out_grad, node)`, which returns nodes; `gradients(y, nodes)`."""
# ruff: noqa: F821  (`student` is the hand-in's namespace, put there when this text is loaded beside it)
# mypy: ignore-errors

import numpy as np

PAIRS = """
add=Add sub=Sub neg=Neg mul=Mul div=Div exp=Exp log=Log relu=ReLU matmul=MatMul sum=Sum
transpose=Transpose reshape=Reshape pow=Power tanh=Tanh
"""
NAMES = dict(pair.split("=") for pair in PAIRS.split())


def nodes():
    return {node: name in student for node, name in NAMES.items()}


def leaf(value):
    return student["Node"].constant(np.asarray(value))


def call(node, xs, g, *, prefill=None, same=False, **attrs):
    out = student[NAMES[node]](**attrs)(*[leaf(x) for x in xs] * (2 if same else 1))
    if g is None:
        return out.value, None
    found = out.op.gradient(leaf(g), out)
    gradients = [one.value for one in (found if isinstance(found, (tuple, list)) else (found,))]
    return out.value, [sum(gradients)] if same else gradients


def engine(expr, xs):
    values = [leaf(x) for x in xs]
    for op, args, attrs in expr:
        values.append(student[NAMES[op]](**attrs)(*[values[i] for i in args]))
    return values[-1].value, [one.value for one in student["gradients"](values[-1], values[: len(xs)])]
