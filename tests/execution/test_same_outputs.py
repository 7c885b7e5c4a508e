"""What a cell shows here is what it shows in a stock kernel."""

from __future__ import annotations

import asyncio
import os
import re
import warnings

import nbformat.v4 as v4
import pytest
from cell_corpus import CELLS
from nbclient import NotebookClient

from grader.execution.client import CellClient, Kernel
from grader.execution.hatchery import WAYS, SandboxError
from grader.execution.limits import Limits
from grader.execution.pool import start_zygote

VOLATILE = re.compile(r"0x[0-9a-f]{6,}|/\S*ipykernel_\d+/\d+\.py")
IMPORTS = ("numpy", "pandas", "matplotlib.pyplot")
ENOUGH = 0.95  # some outputs depend on the time a stream is flushed


def _notebook():
    return v4.new_notebook(cells=[v4.new_code_cell(text) for text in CELLS])


def _normal(outputs):
    """Outputs with adjacent texts of one stream joined, and addresses and temporary names taken out."""
    joined = []
    for output in outputs:
        entry = {key: value for key, value in output.items() if key != "metadata"}
        if joined and output["output_type"] == "stream" and joined[-1].get("name") == output["name"]:
            joined[-1]["text"] += output["text"]
        else:
            joined.append(entry)
    return VOLATILE.sub("…", repr(joined))


async def _ours(zygote):
    limits = Limits(cell_seconds=60.0, notebook_seconds=120.0)
    kernel = Kernel(zygote.hatch(limits, 1), limits)
    await kernel.open()
    notebook = _notebook()
    try:
        await CellClient(notebook, km=kernel, allow_errors=True, timeout=None).async_execute()
    finally:
        await kernel.close()
    return notebook


@pytest.fixture(scope="module")
def stock():
    notebook = _notebook()
    test = os.environ.pop("PYTEST_CURRENT_TEST", "")  # under it a stock kernel leaves the descriptors alone
    with warnings.catch_warnings(action="ignore"):
        NotebookClient(notebook, allow_errors=True, timeout=120, kernel_name="python3").execute()
    os.environ["PYTEST_CURRENT_TEST"] = test
    return notebook


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tier", sorted({way.tier for way in WAYS}))
def test_outputs_equal_those_of_a_stock_kernel(tier, stock):
    try:
        zygote = start_zygote(IMPORTS, tier)
    except SandboxError as error:
        pytest.skip(f"not offered here: {error}")
    with zygote:
        ours = asyncio.run(_ours(zygote))
    different = [
        (cell.source, _normal(theirs.outputs), _normal(cell.outputs))
        for theirs, cell in zip(stock.cells, ours.cells, strict=True)
        if _normal(theirs.outputs) != _normal(cell.outputs)
    ]
    assert len(CELLS) >= 40
    assert len(different) <= (1 - ENOUGH) * len(CELLS), different
