"""A scalar `Value` whose operators leave a closure `_backward` behind, parents in `_prev`, gradients added to `grad`."""

OPERATORS = {"add": "__add__", "sub": "__sub__", "mul": "__mul__", "div": "__truediv__", "neg": "__neg__", "pow": "__pow__"}
METHODS = ("relu", "tanh", "exp", "log", "sigmoid", "sin", "cos", "sqrt")
NAMES = OPERATORS | {name: name for name in METHODS}
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
    out.grad, waiting, done = float(g), [out], set()
    while waiting:  # an operator may be made of several nodes, such as a - b = a + (-b): a chain, each used once
        value = waiting.pop(0)
        if id(value) not in done and not done.add(id(value)):
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
