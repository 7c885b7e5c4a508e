"""Plain functions: `affine_forward(x, w, b) → (out, cache)` and `affine_backward(dout, cache) → gradients`."""
# ruff: noqa: F821, B905  (`student` is the hand-in's namespace, put there when this text is loaded beside it)
# mypy: ignore-errors

PAIRS = """
dense=affine relu=relu sigmoid=sigmoid tanh=tanh softmax=softmax mul=mul cross_entropy=cross_entropy
squared_error=squared_error sum=sum mean=mean add=add
"""
NAMES = dict(pair.split("=") for pair in PAIRS.split())


def nodes():
    return {node: f"{name}_forward" in student for node, name in NAMES.items()}


def call(node, xs, g, *, prefill=None, same=False, labels=None, **attrs):
    more = [] if labels is None else [list(labels)]
    out, cache = student[f"{NAMES[node]}_forward"](*xs * (2 if same else 1), *more, **attrs)
    if g is None:
        return out, None
    gradients = student[f"{NAMES[node]}_backward"](g, cache)
    return out, [sum(gradients)] if same else gradients


def engine(expr, xs):
    values, caches = list(xs), []
    for op, args, attrs in expr:
        out, cache = student[f"{NAMES[op]}_forward"](*[values[i] for i in args], **attrs)
        values.append(out)
        caches.append(cache)
    adjoints = [0.0] * (len(values) - 1) + [values[-1] * 0 + 1]
    for (op, args, _), cache, g in reversed(list(zip(expr, caches, range(len(xs), len(values))))):
        gradients = student[f"{NAMES[op]}_backward"](adjoints[g], cache)
        for i, d in zip(args, gradients if isinstance(gradients, (tuple, list)) else (gradients,)):
            adjoints[i] = adjoints[i] + d
    return values[-1], adjoints[: len(xs)]
