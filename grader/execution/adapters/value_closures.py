"""A scalar `Value` whose operators leave a closure `_backward` behind; parents in `_prev`, gradients in `grad`."""
# ruff: noqa: F821, B905  (`student` is the hand-in's namespace, put there when this text is loaded beside it)
# mypy: ignore-errors

PAIRS = """
add=__add__ sub=__sub__ mul=__mul__ div=__truediv__ neg=__neg__ pow=__pow__ relu=relu tanh=tanh
exp=exp log=log sigmoid=sigmoid sin=sin cos=cos sqrt=sqrt
"""
NAMES = dict(pair.split("=") for pair in PAIRS.split())
WATCHED = 100
scalar = accumulates = True


def nodes():
    return {node: hasattr(student["Value"], name) for node, name in NAMES.items()}


def call(node, xs, g, *, prefill=None, same=False, **attrs):
    leaves = [student["Value"](float(x)) for x in xs]
    for leaf, held in zip(leaves, prefill or ()):
        leaf.grad = float(held)
    out = getattr(leaves[0], NAMES[node])(*(leaves if same else leaves[1:]), *attrs.values())
    if g is None:
        return out.data, None
    out.grad, waiting, done = float(g), [out], []
    while waiting:  # an operator may be a chain of values, such as a - b = a + (-b)
        value = waiting.pop(0)
        if value not in done:
            done.append(value)
            value._backward()
            waiting.extend(value._prev)
    return out.data, [leaf.grad for leaf in leaves]


def engine(expr, xs):
    values = [student["Value"](float(x)) for x in xs]
    for op, args, attrs in expr:
        values.append(getattr(values[args[0]], NAMES[op])(*[values[i] for i in args[1:]], *attrs.values()))
    values[-1].backward()
    watched = values if len(expr) < WATCHED else values[: len(xs)]
    return values[-1].data, [value.grad for value in watched]
