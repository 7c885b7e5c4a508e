"""Words of mathematics every sheet shares: functions, constants, words of prose."""

from __future__ import annotations

# spelling → canonical function.  A vocabulary's own names come first.
FUNCTIONS: dict[str, str] = {
    name: name
    for name in (
        "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp log sqrt cbrt sign diag trace det inv "
        "relu sigmoid softplus softmax logsumexp norm dot outer hadamard transpose mean vec kron eye ones zeros "
        "log10 log2 log1p expm1 square pow matmul heaviside reciprocal silu "
        "logsigmoid diff grad array"
    ).split()
}
FUNCTIONS |= {
    "ln": "ln", "lg": "log10", "lb": "log2", "ld": "log2", "tg": "tan", "ctg": "cot", "cosec": "csc", "sh": "sinh",
    "ch": "cosh", "th": "tanh", "arcsin": "arcsin", "asin": "arcsin", "arccos": "arccos", "acos": "arccos",
    "arctan": "arctan", "atan": "arctan", "arctg": "arctan", "arccot": "arccot", "acot": "arccot",
    "arcsec": "arcsec", "arccsc": "arccsc", "asec": "arcsec", "acsc": "arccsc",
    "arsinh": "arcsinh", "arcsinh": "arcsinh", "asinh": "arcsinh", "arcosh": "arccosh", "arccosh": "arccosh",
    "acosh": "arccosh", "artanh": "arctanh", "arctanh": "arctanh", "atanh": "arctanh", "arcoth": "arccoth",
    "arccoth": "arccoth", "arcsech": "arcsech", "arcsch": "arccsch", "arccsch": "arccsch",
    "abs": "abs", "Abs": "abs", "fabs": "abs", "absolute": "abs", "sgn": "sign", "signum": "sign", "Sign": "sign",
    "Diag": "diag", "diagonal": "diag", "diagflat": "diag", "tr": "trace", "Tr": "trace", "Trace": "trace",
    "Det": "det", "ReLU": "relu", "Relu": "relu", "logistic": "sigmoid", "expit": "sigmoid", "Sigmoid": "sigmoid",
    "Softmax": "softmax", "LSE": "logsumexp", "lse": "logsumexp", "inner": "dot", "multiply": "hadamard",
    "maximum": "max", "minimum": "min", "max": "max", "min": "min", "Max": "max", "Min": "min", "sum": "sum",
    "prod": "prod", "product": "prod", "Matrix": "array", "matrix": "array", "tensor": "array", "Array": "array",
    "asarray": "array", "vector": "array", "column_stack": "array", "ImmutableMatrix": "array",
    "Rational": "rational", "Integer": "identity", "Float": "identity", "float": "identity", "power": "pow",
    "Derivative": "diff", "Heaviside": "heaviside", "identity": "eye", "Identity": "eye", "Sum": "Sum",
    "LN": "ln", "Sin": "sin", "Cos": "cos", "Exp": "exp", "Log": "log", "Ln": "ln", "Sqrt": "sqrt", "Tanh": "tanh",
    "softplus": "softplus", "Swish": "silu", "swish": "silu", "multi_dot": "matmul", "linalg.norm": "norm",
    "factorial": "factorial", "binom": "binom", "binomial": "binom", "SiLU": "silu", "divide": "divide",
    "subtract": "subtract", "add": "add", "negative": "negative",
}  # fmt: skip

CONSTANTS = {"pi": "pi", "e": "e", "E": "e"}

# Functions that may stand without brackets before their argument.
BARE = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp log ln log10 log2 sqrt arcsin arccos arctan arccot "
    "arcsec arccsc arcsinh arccosh arctanh arccoth arcsech arccsch sign trace det diag relu sigmoid softplus softmax "
    "abs max min logsumexp".split()
)

PREFIXES = ("np.linalg.", "numpy.linalg.", "torch.nn.functional.", "jax.numpy.", "np.", "numpy.", "sympy.", "sp.",
            "math.", "torch.", "jnp.", "F.", "scipy.special.", "tf.math.", "tf.", "cmath.", "mpmath.", "linalg.",
            "sym.")  # fmt: skip

# Words that begin an annotation after an answer.
PROSE = frozenset(
    "for with where if when and or since because as so then thus hence therefore all any is are the of to on in by we "
    "get have let otherwise else sonst für fuer mit wobei falls wenn und oder also dann where wegen provided "
    "such that which using from assuming given constant const holds true elementwise componentwise dimension dim shape "
    "every each some real numbers diagonal row column vector".split()
) - {"a", "vector", "diagonal"}
CONNECTIVES = frozenset("and und or oder so thus hence therefore also then dann".split())
OTHERWISE = frozenset("otherwise else sonst".split())
