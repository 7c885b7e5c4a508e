"""Static `forward(ctx, …)` and `backward(ctx, d_output)`; `apply` on `Tensor`s, whose `backward()` runs the graph."""
# ruff: noqa: F821  (`student` is the hand-in's namespace, put there when this text is loaded beside it)
# mypy: ignore-errors

PAIRS = """
add=Add sub=Sub neg=Neg mul=Mul div=Div exp=Exp log=Log relu=ReLU sigmoid=Sigmoid tanh=Tanh
matmul=MatMul sum=Sum mean=Mean square=Square
"""
NAMES = dict(pair.split("=") for pair in PAIRS.split())
WATCHED = 100


def nodes():
    return {node: name in student for node, name in NAMES.items()}


def call(node, xs, g, *, prefill=None, same=False, **attrs):
    function, ctx = student[NAMES[node]], student["Context"]()
    y = function.forward(ctx, *xs * (2 if same else 1), *attrs.values())
    if g is None:
        return y, None
    gradients = function.backward(ctx, g)
    if not isinstance(gradients, (tuple, list)):
        gradients = (gradients,)
    return y, [sum(gradients)] if same else gradients[: len(xs)]


def engine(expr, xs):
    values = [student["Tensor"](x) for x in xs]
    for op, args, attrs in expr:
        values.append(student[NAMES[op]].apply(*[values[i] for i in args], *attrs.values()))
    values[-1].backward()
    watched = values if len(expr) < WATCHED else values[: len(xs)]
    return values[-1].data, [value.grad for value in watched]
