"""Running notebooks: ours in the full sandbox beside a stock nbclient, alternating, and how it grows.

    python benchmarks/execution.py [--pairs N] [--class SIZE …] [--tier TIER]

Prints medians and ratios of one run; a machine under load slows both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import time
import warnings
from pathlib import Path

import nbformat.v4 as v4
from nbclient import NotebookClient

from grader.execution.client import Kernel
from grader.execution.hatchery import Zygote
from grader.execution.limits import Limits
from grader.execution.pool import Pool, start_zygote

ONE_CELL = ("1 + 1",)
NUMPY = (
    "import numpy as np\nrng = np.random.default_rng(0)",
    *("a = rng.normal(size=(50, 50)); (a @ a.T).sum()",) * 29,
)
FIGURE = (
    "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "frame = pd.DataFrame({'x': np.arange(50), 'y': np.arange(50) ** 2}); frame.describe()",
    "plt.plot(frame.x, frame.y); plt.title('growth')",
)
NOTEBOOKS = {"one cell": ONE_CELL, "30 numpy cells": NUMPY, "numpy + pandas + figure": FIGURE}
IMPORTS = {"one cell": ("numpy",), "30 numpy cells": ("numpy",)}
FIGURE_IMPORTS = ("numpy", "pandas", "matplotlib.pyplot")


def notebook(cells: tuple[str, ...]) -> bytes:
    document = {"cells": [{"cell_type": "code", "source": text} for text in cells], "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document).encode()


def stock_seconds(cells: tuple[str, ...]) -> float:
    document = v4.new_notebook(cells=[v4.new_code_cell(text) for text in cells])
    started = time.perf_counter()
    NotebookClient(document, timeout=120, kernel_name="python3").execute()
    return time.perf_counter() - started


def our_seconds(pool: Pool, source: bytes, cells: int) -> float:
    started = time.perf_counter()
    execution = pool.observe(source, seed=b"benchmark")
    seconds = time.perf_counter() - started
    shown = [cell for cell in json.loads(execution.notebook)["cells"] if cell["outputs"]]
    assert not execution.events, execution.events
    assert shown or cells == 0
    return seconds


def processor_seconds(pool: Pool) -> float:
    """Of this process and of all kernels that have ended."""
    pid = pool._zygote._process.pid  # type: ignore[union-attr]
    ticks = 0
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(path.name) == pid or int(fields[1]) == pid:
                ticks += sum(int(field) for field in fields[11:15])
    own = resource.getrusage(resource.RUSAGE_SELF)
    return ticks / os.sysconf("SC_CLK_TCK") + own.ru_utime + own.ru_stime


def against_stock(pairs: int, tier: str | None) -> None:
    print("notebook                   stock      ours      ratio   ours p95   CPU/notebook")
    for name, cells in NOTEBOOKS.items():
        with Pool(1, imports=IMPORTS.get(name, FIGURE_IMPORTS), tier=tier) as pool:
            source = notebook(cells)
            our_seconds(pool, source, len(cells))
            stock, ours, ratios = [], [], []
            for _ in range(pairs):
                stock.append(stock_seconds(cells))
                ours.append(our_seconds(pool, source, len(cells)))
                ratios.append(stock[-1] / ours[-1])
            before = processor_seconds(pool)
            for _ in range(20):
                ours.append(our_seconds(pool, source, len(cells)))
            cpu = (processor_seconds(pool) - before) / 20
        p95 = sorted(ours)[int(0.95 * (len(ours) - 1))]
        print(
            f"{name:24} {1000 * statistics.median(stock):7.0f} ms {1000 * statistics.median(ours):6.1f} ms"
            f" {statistics.median(ratios):7.1f}x {1000 * p95:7.1f} ms {1000 * cpu:7.1f} ms"
        )


def overheads(tier: str | None) -> None:
    """Start and stop without cells, one more cell, memory of an idle kernel, notice of a death."""
    empty, many = notebook(()), notebook(("pass",) * 100)
    with Pool(1, tier=tier) as pool:
        our_seconds(pool, empty, 0)
        times = [our_seconds(pool, empty, 0) for _ in range(40)]
        hundred = min(pool_seconds(pool, many) for _ in range(3))
        print(f"start and stop: median {1000 * statistics.median(times):.1f} ms, p95 {1000 * sorted(times)[37]:.1f} ms")
        print(f"per cell: {10 * (hundred - statistics.median(times)):.2f} ms")
        code = "print(open('/proc/self/smaps_rollup').read())"
        text = json.loads(pool.observe(notebook((code,)), seed=b"m").notebook)["cells"][0]["outputs"][0].get("text", "")
        private = [line for line in text.splitlines() if line.startswith("Private")]
        print(f"private memory of a kernel in its first cell: {sum(int(line.split()[1]) for line in private)} kB")
    print(f"death noticed after {1000 * asyncio.run(death_seconds(start_zygote(('numpy',), tier))):.1f} ms")


def pool_seconds(pool: Pool, source: bytes) -> float:
    started = time.perf_counter()
    pool.observe(source, seed=b"benchmark")
    return time.perf_counter() - started


async def death_seconds(zygote: Zygote) -> float:
    with zygote:
        kernel = Kernel(zygote.hatch(Limits(), 1), Limits())
        await kernel.open()
        kernel.execute("import os, time; print(time.time(), flush=True); os._exit(1)")
        said = ""
        while "text" not in said:
            message = await kernel.iopub_channel.get_msg()
            said = str(message["content"]) if message["msg_type"] == "stream" else ""
        await kernel.dead.wait()
        died = float(message["content"]["text"])
        seconds = time.time() - died
        await kernel.close()
    return seconds


def growth(sizes: list[int], tier: str | None) -> None:
    cells = (
        "import numpy as np\n" + "class Square:\n    def forward(self, x): return x * x",
        *("np.ones(3) * 2",) * 10,
    )
    source = notebook(cells)
    with Pool(os.cpu_count() or 1, tier=tier) as pool:
        pool.observe(source, seed=b"x")
        for size in sizes:
            started = time.perf_counter()
            for future in [pool.submit(source, seed=str(i).encode()) for i in range(size)]:
                future.result()
            seconds = time.perf_counter() - started
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(f"{size:5} notebooks: {seconds:6.1f} s, {size / seconds:5.1f} a second, peak {memory} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--class", dest="sizes", type=int, nargs="*", default=[60, 240, 960])
    parser.add_argument("--tier", default=None)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    os.environ["PYTHONWARNINGS"] = "ignore"
    against_stock(options.pairs, options.tier)
    overheads(options.tier)
    growth(options.sizes, options.tier)


if __name__ == "__main__":
    main()
