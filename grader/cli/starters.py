"""One small question of every kind to start from: its keys with a word each, and an answer that is right.

`{id}` stands for the question's id.  Each validates as it is; a test sees to that.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Starter:
    """A question's table without its brackets and id, what a student reads, and a right answer to one item."""

    table: str
    statement: str
    item: str = ""  # what follows the question's id: "", ".x1", …
    answer: str = ""


STARTERS = {
    "derivative": Starter(
        """\
kind = 'derivative'
points = 2                          # or a table of what is asked: {derivative = 2, dimension = 1}
title = 'A product'
symbols = {x = 'real'}              # names with domain or shape: 'positive', '[0, 1]', 'vector n', 'matrix MxN'
f = 'x^2 * exp(x)'                  # what is differentiated, by the first symbol unless `wrt` says otherwise
""",
        "$f(x) = x^2 e^x$ for real $x$. Find $f'(x)$.",
        "",
        "2*x*exp(x) + x^2*exp(x)",
    ),
    "matrix_derivative": Starter(
        """\
kind = 'matrix_derivative'
points = {gradient = 2, dimension = 1}
title = 'A quadratic form'
symbols = {x = 'vector n', A = 'matrix nxn'}   # n is any size: answers are compared at several
f = 'x^T*A*x'
wrt = 'x'
""",
        "$f(x) = x^\\top A x$ with $A \\in \\mathbb{R}^{n \\times n}$. Find $\\nabla_x f$ and its dimension.",
        ".gradient",
        "A*x + A^T*x",
    ),
    "chain_rule": Starter(
        """\
kind = 'chain_rule'
points = 3
title = 'Through an inner function'
symbols = {x = 'vector n', 'g(x)' = 'function (n) -> 1'}   # g is abstract: nothing but differentiable
f = 'log(g(x))'
wrt = 'x'
""",
        "$g$ is differentiable and positive. Find the gradient of $\\ln g(x)$.",
        "",
        "g_x(x)/g(x)",
    ),
    "graph": Starter(
        """\
kind = 'graph'
ask = 'decomposition'               # or 'drawing', 'partials'
points = 3
title = 'Single operations'
symbols = {a = 'positive', b = 'positive'}
f = 'log(a*b) + a*b'
""",
        "Decompose $f(a, b) = \\ln(ab) + ab$ into single operations; use intermediates again.",
        "",
        "t1 = a*b\nt2 = log(t1)\nt3 = t2 + t1",
    ),
    "rollout": Starter(
        """\
kind = 'rollout'
points = {x1 = 2, L = 1, lambda1 = 2, gradient = 3}
title = 'One step of a system'
step = ['x1^2 + x2*theta1', 'x1*theta2']   # the next state, entry by entry
start = [2, 3]
values = [-2, 1]                    # of the weights theta
steps = 1
loss = 'norm(x, 1)'                 # of the last state
mode = 'reverse'                    # adjoints; 'forward' asks for tangents
""",
        "$x_{n+1} = (x_{n,1}^2 + x_{n,2} \\theta_1, \\; x_{n,1} \\theta_2)$, $x_0 = (2, 3)$, $\\theta = (-2, 1)$, "
        "$L = \\|x_1\\|_1$. Find $x_1$, $L$, the adjoint $\\lambda_1$ and $\\nabla_\\theta L$.",
        ".lambda1",
        "[-1, 1]",
    ),
    "program": Starter(
        """\
kind = 'program'
points = 4
title = 'Nodes of an autograd program'
adapter = 'node_objects'            # how the hand-in's nodes are reached, see docs/autograd.md
nodes = ['add', 'mul']              # forward and backward pass of each
""",
        "Complete the forward and backward passes of the nodes for $+$ and $\\cdot$ in the notebook.",
    ),
    "modes": Starter(
        """\
kind = 'modes'
mode = 'reverse'                    # or 'forward'
points = 4
title = 'A table of reverse mode'
symbols = {x = 'real'}
steps = {a = 'x^2', b = 'sin(a)', c = 'a*b'}   # the intermediates in order; the last is the output
""",
        "$a = x^2$, $b = \\sin a$, $c = ab$. Write down the adjoints $\\bar b$, $\\bar a$, $\\bar x$ of reverse mode.",
    ),
    "count": Starter(
        """\
kind = 'count'
points = {formula = 1, reverse = 2}
title = 'Operations'
symbols = {x = 'real'}
steps = {a = 'x^2', b = 'exp(a)', c = 'a + b'}
formula = '2*x*(1 + b)'             # how the derivative is written
known = ['b']                       # what need not be computed again
""",
        "How many operations does $2x(1 + b)$ take when $b$ is known? How many the reverse sweep?",
    ),
    "update": Starter(
        """\
kind = 'update'
points = {w = 2}
title = 'Gradient descent'
symbols = {w = 'vector n', x = 'vector n', y = 'real'}   # the rate is called eta, see `rate`
cost = '(w^T*x - y)^2/2'
weights = {w = 'w'}                 # item = parameter
""",
        "One step of gradient descent on $(w^\\top x - y)^2/2$ with rate $\\eta$: the new $w$?",
        ".w",
        "w - eta*(w^T*x - y)*x",
    ),
    "optimiser": Starter(
        """\
kind = 'optimiser'
method = 'momentum'
points = {w1 = 1, w2 = 2}           # the weights after each step
title = 'Momentum'
objective = '(w - 3)^2'
start = [1]
rate = '1/10'
beta = '1/2'
steps = 2
""",
        "Two steps of momentum ($v \\leftarrow \\beta v + g$, $w \\leftarrow w - \\eta v$) on $(w - 3)^2$ "
        "from $w_0 = 1$, $\\eta = 1/10$, $\\beta = 1/2$.",
    ),
    "dynamics": Starter(
        """\
kind = 'dynamics'
points = 3
title = 'A step of Runge and Kutta'
state = ['x', 'v']
slope = ['v', '-k*x']               # the time derivatives of the state's entries
start = [1, 0]
constants = {k = 4}
dt = '1/10'
method = 'rk4'
places = 5                          # digits after the point that must be right
""",
        "One step of the classical Runge–Kutta method for $\\dot x = v$, $\\dot v = -4x$ from $(1, 0)$ with "
        "$\\Delta t = 1/10$, to five digits after the point.",
    ),
    "cost": Starter(
        """\
kind = 'cost'
points = {shape = 1, entries = 1}
title = 'Sizes of a network'
sizes = [784, 100, 10]              # units of each layer, the input first
""",
        "A network has 784 inputs, 100 hidden units $h$ and 10 outputs. Shape and number of entries of "
        "$\\partial h/\\partial W_1$, where the weights are one vector?",
    ),
    "minimiser": Starter(
        """\
kind = 'minimiser'
points = 4
title = 'Least squares'
symbols = {X = 'matrix nxp', w = 'vector p', y = 'vector n'}
f = 'norm(X*w - y)^2'
wrt = 'w'
""",
        "Which $w$ minimises $\\|Xw - y\\|^2$, if $X$ has full column rank?",
        "",
        "inv(X^T*X)*X^T*y",
    ),
    "convolution": Starter(
        """\
kind = 'convolution'
points = {output = 2, filter = 2}
title = 'A convolution by hand'
input = [[1, 2, 0], [0, 1, 3], [2, 0, 1]]
filter = [[1, 0], [0, -1]]
upstream = [[1, 0], [0, 1]]         # the gradient of the loss by the output
""",
        "Convolve (without turning the filter) by hand; then the gradient by the filter.",
    ),
    "primitive": Starter(
        """\
kind = 'primitive'
points = {vjp = 2, jvp = 1}
title = 'Rules of a primitive'
symbols = {x = 'vector n'}
f = 'sin(x)'
""",
        "Elementwise $\\sin$: its vector-Jacobian product with $g$ and its Jacobian-vector product with $v$.",
        ".vjp",
        "hadamard(g, cos(x))",
    ),
    "network": Starter(
        """\
kind = 'network'
points = 6
title = 'Backpropagation by hand'
activations = ['relu', 'identity']  # of each layer
loss = 'half_squares'
input = [1, 2]
target = [1]
weights = [[[1, -1], [2, 1]], [[1, 1]]]
offsets = [[0, 1], [0]]
""",
        "Run the network forward and backward by hand.",
    ),
    "prose": Starter(
        """\
kind = 'prose'
points = 2
title = 'In your own words'
asks = 'When is forward mode the better choice?'
""",
        "When is forward mode the better choice, when reverse mode?",
    ),
}


def question(kind: str, label: str) -> str:
    """The question's table in `problem.toml`."""
    return f"[[question]]\nid = '{label}'\n{STARTERS[kind].table}"


def statement(kind: str, label: str) -> str:
    """Its section in `statement.md`."""
    return f"## {label}\n{STARTERS[kind].statement}\n"


def case(kind: str, label: str) -> str:
    """Its row in `cases.toml`, "" if the starter has none."""
    one = STARTERS[kind]
    if not one.answer:
        return ""
    text = f"'''\n{one.answer}\n'''" if "\n" in one.answer else f"'{one.answer}'"
    return f"[[case]]\nitem = '{label}{one.item}'\nanswer = {text}\nnotation = 'plain'\nverdict = 'CORRECT'\n"
