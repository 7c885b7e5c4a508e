"""Explicit node objects: `Add(a, b)` has a value; `backward(upstream)` returns one gradient per parent."""
# ruff: noqa: F821  (`student` is the hand-in's namespace, put there when this text is loaded beside it)
# mypy: ignore-errors

PAIRS = """
add=Add sub=Sub neg=Neg mul=Mul div=Div square=Square sqrt=Sqrt log=Log exp=Exp sin=Sin cos=Cos
tanh=Tanh sigmoid=Sigmoid relu=ReLU sum=Sum mean=Mean max=Max matmul=MatMul pow=Power
transpose=Transpose
"""
NAMES = dict(pair.split("=") for pair in PAIRS.split())
WATCHED = 100  # in longer programs only the gradients of the inputs are reported


def nodes():
    return {node: name in student for node, name in NAMES.items()}


def call(node, xs, g, *, prefill=None, same=False, **attrs):
    out = student[NAMES[node]](*[student["Variable"](x) for x in xs] * (2 if same else 1), **attrs)
    if g is None:
        return out.value, None
    gradients = out.backward(g)
    return out.value, [sum(gradients)] if same else gradients


def engine(expr, xs):
    values = [student["Variable"](x) for x in xs]
    for op, args, attrs in expr:
        build = student[attrs.pop("name") if op == "function" else NAMES[op]]
        values.append(build(*[values[i] for i in args], **attrs))
    student["backpropagate"](values[-1])
    watched = values if len(expr) < WATCHED else values[: len(xs)]
    return values[-1].value, [value.grad for value in watched]
