"""Gradient evaluation beside hand-written numpy and the engines a user would pick, on the same cases in one run.

    python benchmarks/engine.py [--quick]

CPU seconds.  New input in, value and gradient out; eager engines trace again every time, ours and jit-compiled ones
are built once.
Engines that are not installed are skipped with a line.  Every engine's gradient is compared with ours to 1e-12 per
component (chaotic system: 1e-12 times its condition number).  Exit code 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reference import expression as E
from reference.compiled import compile_gradient, compile_values
from reference.derivation import evaluate as evaluate_steps
from reference.modes import jacobian
from reference.network import Network, forward_pass
from reference.rollout import System, rk4
from reference.unrolled import compile_system

Run = Callable[[], Any]
TOLERANCE = 1e-12
BARS = {"small": 8.0, "T = 10,000": 5.0, "network": 1.3}
GROWTH_BAR = 115.0
ROUNDS = 9
HAND, OURS = "numpy by hand", "reference"
EAGER = ("autograd", "jax eager", "torch", "micrograd")


@dataclass
class Case:
    """One gradient; `runs` are closures that give the gradient as a flat list of numbers when `flatten` is applied."""

    name: str
    bar: str
    runs: dict[str, Run] = field(default_factory=dict)
    condition: float = 1.0


def optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


anp, agrad, torch, jax, micrograd = (
    optional(n) for n in ("autograd.numpy", "autograd", "torch", "jax", "micrograd.engine")
)
jnp = optional("jax.numpy") if jax else None
if jax:
    jax.config.update("jax_enable_x64", True)
if torch:
    torch.set_num_threads(1)


def flat(value: Any) -> np.ndarray:
    if isinstance(value, tuple | list):
        return np.concatenate([flat(v) for v in value]) if value else np.zeros(0)
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    return np.atleast_1d(np.asarray(value, dtype=float)).reshape(-1)


def with_engines(case: Case, f: Callable[..., Any], args: tuple[Any, ...], jit: bool = True) -> None:
    """Add the array engines for a function f(xp, *args) that gives a number."""
    many = tuple(range(len(args)))
    if agrad is not None:
        grad = agrad.grad(lambda *a: f(anp, *a), many)
        case.runs["autograd"] = lambda: grad(*args)
    if jax is not None:
        jargs = tuple(jnp.asarray(a, dtype="float64") for a in args)
        eager = jax.grad(lambda *a: f(jnp, *a), many)
        case.runs["jax eager"] = lambda: jax.block_until_ready(eager(*jargs))
        if jit:
            compiled = jax.jit(eager)
            case.runs["jax jit"] = lambda: jax.block_until_ready(compiled(*jargs))
    if torch is not None:

        def torch_run() -> Any:
            leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in args]
            f(torch, *leaves).backward()
            return tuple(leaf.grad for leaf in leaves)

        case.runs["torch"] = torch_run


def value_class() -> Any:
    """micrograd's Value with the operations these cases need besides its own."""
    base = micrograd.Value

    def unary(x: Any, y: float, slope: float) -> Any:
        out = base(y, (x,), "f")

        def back() -> None:
            x.grad += slope * out.grad

        out._backward = back
        return out

    return {
        "exp": lambda x: unary(x, math.exp(x.data), math.exp(x.data)),
        "log": lambda x: unary(x, math.log(x.data), 1 / x.data),
        "sqrt": lambda x: unary(x, math.sqrt(x.data), 0.5 / math.sqrt(x.data)),
        "cos": lambda x: unary(x, math.cos(x.data), -math.sin(x.data)),
        "value": base,
    }


def with_micrograd(case: Case, f: Callable[..., Any], numbers: list[float]) -> None:
    if micrograd is None:
        return
    tools = value_class()

    def run() -> list[float]:
        sys.setrecursionlimit(1_000_000)
        leaves = [tools["value"](v) for v in numbers]
        f(tools, leaves).backward()
        return [leaf.grad for leaf in leaves]

    case.runs["micrograd"] = run


def one_dimensional() -> Case:
    case = Case("1a  cos(x^3) ln(x^4/11)", "small")
    x = E.symbol("x")
    ours = compile_gradient(E.cos(x**3) * E.log(x**4 / 11), [x])
    point = 1.3

    def hand() -> float:
        x3 = point * point * point
        return float(-3 * point * point * np.sin(x3) * np.log(x3 * point / 11) + 4 * np.cos(x3) / point)

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours(point)[1]
    with_engines(case, lambda xp, x: xp.cos(x**3) * xp.log(x**4 / 11), (point,))
    with_micrograd(case, lambda m, v: m["cos"](v[0] ** 3) * m["log"](v[0] ** 4 / 11), [point])
    return case


def jacobian_case() -> Case:
    case = Case("1d  Jacobian R^3 -> R^2", "small")
    x = E.symbol("x", (3,))
    f = E.stack([E.sqrt(x[0] ** 2 - x[2]), E.exp(x[1]) * E.cos(4 * x[2])])
    ours = compile_values([jacobian(f, x)], [x])
    point = np.array([1.5, 0.3, 0.2])

    def hand() -> np.ndarray:
        a, b, c = point.tolist()
        r, e = math.sqrt(a * a - c), math.exp(b)
        return np.array([[a / r, 0, -0.5 / r], [0, e * math.cos(4 * c), -4 * e * math.sin(4 * c)]])

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours(point)[0]
    if agrad is not None:
        jac = agrad.jacobian(lambda x: anp.array([anp.sqrt(x[0] ** 2 - x[2]), anp.exp(x[1]) * anp.cos(4 * x[2])]))
        case.runs["autograd"] = lambda: jac(point)
    if jax is not None:
        eager = jax.jacrev(lambda x: jnp.stack([jnp.sqrt(x[0] ** 2 - x[2]), jnp.exp(x[1]) * jnp.cos(4 * x[2])]))
        jit, jpoint = jax.jit(eager), jnp.asarray(point)
        case.runs["jax eager"] = lambda: jax.block_until_ready(eager(jpoint))
        case.runs["jax jit"] = lambda: jax.block_until_ready(jit(jpoint))
    if torch is not None:

        def torch_run() -> Any:
            p = torch.tensor(point)
            return torch.autograd.functional.jacobian(
                lambda x: torch.stack([torch.sqrt(x[0] ** 2 - x[2]), torch.exp(x[1]) * torch.cos(4 * x[2])]), p
            )

        case.runs["torch"] = torch_run
    return case


def equation_a() -> Case:
    case = Case("equation A", "small")
    a, b, c = (E.symbol(n) for n in "abc")
    u = a + b + c**2
    ours = compile_gradient(E.sqrt(u) + E.log(u) + u / (b * c**2), [a, b, c])
    p = (1.0, 2.0, 3.0)

    def hand() -> tuple[float, ...]:
        x, y, z = p
        c2 = z * z
        u = x + y + c2
        r, bc = np.sqrt(u), y * c2
        common = 0.5 / r + 1 / u + 1 / bc
        return common, common - u / (y * bc), 2 * z * common - 2 * u / (bc * z)

    def f(xp: Any, a: Any, b: Any, c: Any) -> Any:
        u = a + b + c**2
        return xp.sqrt(u) + xp.log(u) + u / (b * c**2)

    def scalar(m: Any, v: list[Any]) -> Any:
        u = v[0] + v[1] + v[2] ** 2
        return m["sqrt"](u) + m["log"](u) + u / (v[1] * v[2] ** 2)

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours(*p)[1:]
    with_engines(case, f, p)
    with_micrograd(case, scalar, list(p))
    return case


def equation_b(quick: bool) -> Case:
    case = Case("equation B, N = 1000", "small")
    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=1000), rng.normal(size=1000), np.array([0.5, -1.0])
    sw, sx, sy = E.symbol("w", (2,)), E.symbol("x", (1000,)), E.symbol("y", (1000,))
    ours = compile_gradient(E.sum((sw[0] + sw[1] * sx - sy) ** 2), [sw], [sw, sx, sy])

    def hand() -> tuple[float, float]:
        r = w[0] + w[1] * x - y
        return 2 * np.add.reduce(r), 2 * (r @ x)

    def scalar(m: Any, v: list[Any]) -> Any:
        total = 0
        for a, b in zip(x.tolist(), y.tolist(), strict=True):
            total = (v[0] + v[1] * a - b) ** 2 + total
        return total

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours(w, x, y)[1]
    if torch is not None:
        tx, ty = torch.tensor(x), torch.tensor(y)

    def f(xp: Any, w: Any) -> Any:
        a, b = (tx, ty) if xp is torch else (x, y)
        return xp.sum((w[0] + w[1] * a - b) ** 2)

    with_engines(case, f, (w,))
    if not quick:
        with_micrograd(case, scalar, w.tolist())
    return case


def controlled() -> System:
    x, th = E.symbol("x", (3,)), E.symbol("theta", (3,))
    step = E.stack(
        [x[0] ** 2 + x[1] + x[0] * th[0], -x[0] + x[1] / 2 + x[1] * th[1], -(x[1] ** 2) + x[2] + x[2] * th[2]]
    )
    return System(x, step, (th,), E.norm(x, "squared"), accumulated=True)


def hand_controlled(theta: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
    """Reverse mode by hand with numpy arrays, as a careful person writes it."""
    states = np.empty((steps + 1, 3))
    states[0] = start
    for t in range(steps):
        x = states[t]
        states[t + 1] = (
            x[0] * x[0] + x[1] + x[0] * theta[0],
            -x[0] + 0.5 * x[1] + x[1] * theta[1],
            -x[1] * x[1] + x[2] + x[2] * theta[2],
        )
    bar, grad = np.zeros(3), np.zeros(3)
    for t in range(steps - 1, -1, -1):
        x = states[t]
        bar = bar + 2 * states[t + 1]
        grad += bar * x
        bar = np.array(
            [
                bar[0] * (2 * x[0] + theta[0]) - bar[1],
                bar[0] + bar[1] * (0.5 + theta[1]) - 2 * bar[2] * x[1],
                bar[2] * (1 + theta[2]),
            ]
        )
    return grad


def controlled_case(steps: int, quick: bool) -> Case:
    bar = "small" if steps <= 100 else "T = 10,000"
    case = Case(f"controlled system, T = {steps:,}", bar, condition=max(1.0, steps / 100))
    ours = compile_system(controlled())
    theta, start = np.array([-0.1, -0.499, -0.1]), np.array([0.1, 0.1, 0.1])
    case.runs[HAND] = lambda: hand_controlled(theta, start, steps)
    case.runs[OURS] = lambda: ours.gradient(start, (theta,), steps).parameters[0]

    def f(xp: Any, th: Any) -> Any:
        a, b, c = 0.1, 0.1, 0.1
        total = 0.0
        for _ in range(steps):
            a, b, c = a * a + b + a * th[0], -a + 0.5 * b + b * th[1], -b * b + c + c * th[2]
            total = total + a * a + b * b + c * c
        return total

    if steps <= 100 or not quick:
        if steps <= 100 or jax is None:
            with_engines(case, f, (theta,), jit=steps <= 2)
        else:  # tracing 10,000 steps one by one is not how anybody uses jax
            with_engines(case, f, (theta,), jit=False)
            case.runs.pop("jax eager", None)
        with_micrograd(case, lambda m, v: f(None, v), theta.tolist())
    if jax is not None:

        def scanned(th: Any) -> Any:
            def body(s: Any, _: Any) -> Any:
                n = jnp.stack(
                    [
                        s[0] * s[0] + s[1] + s[0] * th[0],
                        -s[0] + 0.5 * s[1] + s[1] * th[1],
                        -s[1] * s[1] + s[2] + s[2] * th[2],
                    ]
                )
                return n, jnp.sum(n * n)

            return jnp.sum(jax.lax.scan(body, jnp.full(3, 0.1), None, length=steps)[1])

        jit = jax.jit(jax.grad(scanned))
        case.runs["jax jit (scan)"] = lambda: jax.block_until_ready(jit(theta))
    return case


def network_case() -> Case:
    # sums of 16,384 products cancel, so their last digits depend on the order of summation
    case = Case("network 16384-100-100-1", "network", condition=100.0)
    sizes = (16384, 100, 100, 1)
    network = Network(sizes, ("tanh", "tanh", "identity"), "half_squares")
    ours = compile_gradient(evaluate_steps(forward_pass(network))["C"], network.parameters)
    rng = np.random.default_rng(0)
    env = {s.name: rng.normal(size=s.shape) * (0.01 if s.name.startswith("W") else 1.0) for s in ours.inputs}
    values = [env[s.name] for s in ours.inputs]
    params = [env[p.name] for p in network.parameters]
    x, y = env["a_0"], env["y"]

    def hand() -> tuple[np.ndarray, ...]:
        w1, b1, w2, b2, w3, b3 = params
        a1 = np.tanh(w1 @ x + b1)
        a2 = np.tanh(w2 @ a1 + b2)
        d3 = w3 @ a2 + b3 - y
        d2 = (w3.T @ d3) * (1 - a2 * a2)
        d1 = (w2.T @ d2) * (1 - a1 * a1)
        return d1[:, None] * x, d1, d2[:, None] * a1, d2, d3[:, None] * a2, d3

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours(*values)[1:]
    if torch is not None:
        tx, ty = torch.tensor(x), torch.tensor(y)

    def f(xp: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
        a, b = (tx, ty) if xp is torch else (x, y)
        e = w3 @ xp.tanh(w2 @ xp.tanh(w1 @ a + b1) + b2) + b3 - b
        return 0.5 * xp.sum(e * e)

    with_engines(case, f, tuple(params))
    return case


def lorenz_case(quick: bool) -> Case:
    s, p = E.symbol("s", (3,)), E.symbol("p", (3,))
    slope = E.stack([p[0] * (s[1] - s[0]), s[0] * (p[1] - s[2]) - s[1], s[0] * s[1] - p[2] * s[2]])
    system = System(s, rk4(s, slope, Fraction(1, 100))["next"], (p,), E.norm(s, "squared"))
    ours = compile_system(system)
    p0, s0 = np.array([10.0, 28.0, 8 / 3]), np.array([1.0, 1.0, 1.0])
    case = Case("Lorenz RK4, 800 steps", "small", condition=1e4)

    def slope_of(x: np.ndarray, q: np.ndarray) -> np.ndarray:
        return np.array([q[0] * (x[1] - x[0]), x[0] * (q[1] - x[2]) - x[1], x[0] * x[1] - q[2] * x[2]])

    def pull(x: np.ndarray, q: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b, c = g
        return (
            np.array([-q[0] * a + (q[1] - x[2]) * b + x[1] * c, q[0] * a - b + x[0] * c, -x[0] * b - q[2] * c]),
            np.array([(x[1] - x[0]) * a, x[0] * b, -x[2] * c]),
        )

    def hand() -> np.ndarray:
        h, q, x, tape = 0.01, p0, s0, []
        for _ in range(800):
            k1 = slope_of(x, q)
            x2 = x + h / 2 * k1
            k2 = slope_of(x2, q)
            x3 = x + h / 2 * k2
            k3 = slope_of(x3, q)
            x4 = x + h * k3
            tape.append((x, x2, x3, x4))
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + slope_of(x4, q))
        bar, grad = 2 * x, np.zeros(3)
        for x1, x2, x3, x4 in reversed(tape):
            g4, q4 = pull(x4, q, h / 6 * bar)
            g3, q3 = pull(x3, q, h / 3 * bar + h * g4)
            g2, q2 = pull(x2, q, h / 3 * bar + h / 2 * g3)
            g1, q1 = pull(x1, q, h / 6 * bar + h / 2 * g2)
            bar = bar + g1 + g2 + g3 + g4
            grad += q1 + q2 + q3 + q4
        return grad

    case.runs[HAND] = hand
    case.runs[OURS] = lambda: ours.gradient(s0, (p0,), 800).parameters[0]

    def f(xp: Any, q: Any) -> Any:
        h, x = 0.01, (1.0, 1.0, 1.0)

        def slope(x: Any) -> Any:
            return (q[0] * (x[1] - x[0]), x[0] * (q[1] - x[2]) - x[1], x[0] * x[1] - q[2] * x[2])

        def ahead(x: Any, k: Any, d: float) -> Any:
            return tuple(a + d * b for a, b in zip(x, k, strict=True))

        for _ in range(800):
            k1 = slope(x)
            k2 = slope(ahead(x, k1, h / 2))
            k3 = slope(ahead(x, k2, h / 2))
            k4 = slope(ahead(x, k3, h))
            x = tuple(a + h / 6 * (b + 2 * c + 2 * d + e) for a, b, c, d, e in zip(x, k1, k2, k3, k4, strict=True))
        return x[0] * x[0] + x[1] * x[1] + x[2] * x[2]

    if not quick:
        with_engines(case, f, (p0,), jit=False)
        case.runs.pop("jax eager", None)
        with_micrograd(case, lambda m, v: f(None, v), p0.tolist())
    return case


def seconds(runs: dict[str, Run], budget: float) -> dict[str, float]:
    """Least CPU time of one call of each engine; all take turns, so that a busy machine hits them alike."""
    calls: dict[str, int] = {}
    best: dict[str, float] = {}
    for engine, run in runs.items():
        run()
        begin = time.process_time()
        run()
        once = max(time.process_time() - begin, 1e-8)
        best[engine], calls[engine] = once, max(1, min(20_000, int(budget / ROUNDS / once)))
    for _ in range(ROUNDS):
        for engine, run in runs.items():
            if best[engine] > budget:
                continue
            begin = time.process_time()
            for _ in range(calls[engine]):
                run()
            best[engine] = min(best[engine], (time.process_time() - begin) / calls[engine])
    return best


def deviation(case: Case, engine: str) -> float:
    """Largest relative deviation per component from our gradient."""
    a, b = flat(case.runs[OURS]()), flat(case.runs[engine]())
    scale = np.maximum(np.abs(a), 1e-300)
    wrong = np.abs(a - b) / scale
    return float(np.max(np.where(a == b, 0.0, wrong)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what takes an engine more than a second")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    options = parser.parse_args()
    for name, module in (("autograd", agrad), ("micrograd", micrograd), ("torch", torch), ("jax", jax)):
        if module is None:
            print(f"{name} is not installed: skipped", file=sys.stderr)
    cases = [one_dimensional(), jacobian_case(), equation_a(), equation_b(options.quick)]
    cases += [controlled_case(2, options.quick), controlled_case(100, options.quick)]
    cases += [controlled_case(10_000, options.quick), network_case(), lorenz_case(options.quick)]
    missed: list[str] = []
    table: dict[str, dict[str, float]] = {}
    for case in cases:
        row = seconds(case.runs, 0.4)
        table[case.name] = row
        missed += judge(case, row)
        print(show(case, row), file=sys.stderr if options.json else sys.stdout, flush=True)
    names = [f"controlled system, T = {t:,}" for t in (100, 10_000)]
    growth = {e: table[names[1]][e] / table[names[0]][e] for e in table[names[1]] if e in table[names[0]]}
    if growth[OURS] > GROWTH_BAR:
        missed.append(f"growth {growth[OURS]:.0f} > {GROWTH_BAR:.0f}")
    print(
        "cost(T = 10,000) / cost(T = 100): " + ", ".join(f"{e} {g:.0f}" for e, g in growth.items()),
        file=sys.stderr if options.json else sys.stdout,
    )
    if options.json:
        print(json.dumps({"seconds": table, "growth": growth, "missed": missed}))
    for line in missed:
        print(f"MISSED {line}", file=sys.stderr)
    return 1 if missed else 0


def judge(case: Case, row: dict[str, float]) -> list[str]:
    """The bars this case misses."""
    missed = []
    ratio = row[OURS] / row[HAND]
    if ratio > BARS[case.bar]:
        missed.append(f"{case.name}: {ratio:.1f}x numpy by hand, bar {BARS[case.bar]}")
    slower = [e for e in EAGER if e in row and row[e] < row[OURS]]
    if slower and case.bar == "small":
        missed.append(f"{case.name}: slower than {', '.join(slower)}")
    for engine in row:
        found = deviation(case, engine)
        if found > TOLERANCE * case.condition:
            missed.append(f"{case.name}: {engine} deviates by {found:.1e}")
    return missed


def show(case: Case, row: dict[str, float]) -> str:
    hand = row[HAND]
    parts = [f"{engine} {time_ / hand:.3g}x" for engine, time_ in row.items() if engine != HAND]
    return f"{case.name:32} {HAND} {hand * 1e6:9.2f} us | " + " | ".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
