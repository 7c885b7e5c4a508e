"""The table of hostile notebooks, and what is asked of each afterwards."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from grader.execution.limits import MAX_CELLS, MIB, Limits
from grader.execution.probes import Probe, array_of, ndarray_of
from grader.model import Observation

TABLE = Path(__file__).parents[1] / "cases" / "hostile_notebooks" / "cases.toml"
LIMITS = Limits(
    cell_seconds=2.0,
    notebook_seconds=20.0,
    probe_seconds=1.0,
    probes_seconds=20.0,
    memory_bytes=400 * MIB,
    disk_bytes=8 * MIB,
    output_bytes=4 * MIB,
    text_bytes=64 * 1024,
    threads=32,
)
HONEST = """
import numpy as np
class Square:
    def forward(self, x): self.x = x; return x * x
    def backward(self, g): return 2 * self.x * g
class Exp:
    def forward(self, x): self.y = np.exp(x); return self.y
    def backward(self, g): return self.y * g
"""
EMPTY = """
import numpy as np
class Square:
    def forward(self, x): raise NotImplementedError
    def backward(self, g): raise NotImplementedError
class Exp:
    def forward(self, x): pass  # TODO
    def backward(self, g): pass  # TODO
"""
ADAPTER = """
CLASSES = {"square": Square, "exp": Exp}
def nodes():
    return list(CLASSES)
def call(node, xs, g, *, prefill=None, same=False, **attrs):
    one = CLASSES[node]()
    return one.forward(xs[0]), [one.backward(g)]
"""


def cases() -> list[dict[str, Any]]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))["case"]


def source(case: dict[str, Any], bait: str) -> bytes:
    """The notebook's bytes; the cells come before and again after the base."""
    if "raw" in case:
        return RAW[case["raw"]]()
    mine = [text.replace("BAIT", repr(bait)) for text in case["cells"]]
    base = {"honest": [HONEST], "empty": [EMPTY], "none": []}[case["base"]]
    after = [] if case["base"] == "none" or case["name"] in ONCE else mine
    return notebook([*mine, *base, *after], case.get("metadata"), case.get("kernelspec", "python3"))


# Cells that take their whole time would take it twice.
ONCE = {case["name"] for case in cases() if "endless" in case["family"] or case["family"] == "output floods"}


def notebook(texts: list[str], metadata: dict[str, Any] | None = None, kernelspec: str = "python3") -> bytes:
    cells = [
        {"cell_type": "code", "source": text, "metadata": metadata or {}, "outputs": [], "execution_count": None}
        for text in texts
    ]
    about = {"kernelspec": {"name": kernelspec, "display_name": kernelspec, "language": "python"}}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}).encode()


def probes(seed: int) -> tuple[Probe, ...]:
    """Two probes for each node, at inputs drawn from `seed`."""
    draw = np.random.default_rng(seed)
    return tuple(
        Probe(
            f"{node}{i}",
            node=node,
            inputs=(array_of(draw.uniform(-2, 2, shape)),),
            upstream=array_of(draw.normal(size=shape)),
        )
        for node in ("square", "exp")
        for i, shape in enumerate([(2, 3), (4,)])
    )


def right_nodes(asked: tuple[Probe, ...], seen: tuple[Observation, ...]) -> list[str]:
    """Nodes all of whose probes got the right value and gradient; computed here, where the truth is."""
    right = {"square": True, "exp": True}
    for probe, observation in zip(asked, seen, strict=True):
        x, g = ndarray_of(probe.inputs[0]), ndarray_of(probe.upstream)
        y, dx = (x * x, 2 * x * g) if probe.node == "square" else (np.exp(x), np.exp(x) * g)
        found = {name: ndarray_of(array) for name, array in observation.arrays if array is not None}
        good = observation.status == "returned" and all(
            name in found and found[name].shape == want.shape and np.allclose(found[name], want, rtol=1e-12, atol=0)
            for name, want in (("y", y), ("dx0", dx))
        )
        right[probe.node] = right[probe.node] and good
    return [node for node, good in right.items() if good]


RAW = {
    "wrong_cell_types": lambda: json.dumps(
        {
            "cells": [
                {"cell_type": "spreadsheet", "source": "1"},
                7,
                {"cell_type": "code"},
                {"cell_type": "markdown", "source": ["# a", 3]},
                {"cell_type": "code", "source": HONEST.splitlines(keepends=True), "outputs": "none", "metadata": []},
            ],
            "nbformat": "four",
        }
    ).encode(),
    "many_cells": lambda: notebook(["1"] * (MAX_CELLS + 1)),
    "not_json": lambda: b"%PDF-1.5 \x00\xff" * 1000,
    "empty": lambda: b"",
    "deep_json": lambda: b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "list_json": lambda: b'[{"cells": []}, null]',
    "surrogates": lambda: notebook([HONEST, "x = '\ud800'  # \ud800\0"]),
}
