"""What student code may use.  Every number that bounds it stands here or in `probes`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Tier = Literal["namespaces", "landlock", "none"]
TIERS: tuple[Tier, ...] = get_args(Tier)  # strongest first

MIB = 1024 * 1024
MAX_SOURCE_BYTES = 16 * MIB  # of one notebook or module as handed in
MAX_JSON_DEPTH = 200
MAX_CELL_BYTES = 1 * MIB  # of one cell's source
MAX_CELLS = 2000
MAX_FILES_BYTES = 32 * MIB  # of a package handed in beside the notebook
MAX_FRAME_BYTES = 72 * MIB  # of one message from the kernel: one reply with its arrays in base64
MAX_CELL_MESSAGES = 20_000  # from the kernel, while one cell runs
FUSE_FACTOR = 3.0  # wall-clock seconds allowed for each second of a limit; what waits or sleeps ends by them
INTERRUPT_GRACE_SECONDS = 0.5  # between the interrupt and the kill
START_SECONDS = 20.0  # for a forked kernel to report
ZYGOTE_SECONDS = 120.0  # for a zygote to import what the problem declares
PROBE_BATCH = 32  # requests under way at once
SHORTEST_WAIT_SECONDS = 0.02  # before the clocks are read again
DEAD_CHECK_SECONDS = 0.02
# Libraries that take derivatives by themselves: hidden unless the problem declares them, and looked out for.
WATCHED = frozenset(
    (
        *("torch", "tensorflow", "jax", "jaxlib", "autograd", "sympy", "casadi", "theano"),
        *("pytensor", "aesara", "tinygrad", "mxnet", "paddle", "numdifftools", "micrograd", "minitorch"),
        *("chainer", "cupy", "autodidact", "algopy", "adolc", "pyadolc", "ad", "adipy"),
        *("uncertainties", "mygrad", "keras", "flax"),
    )
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one hand-in.  Seconds are the kernel's processor time, and FUSE_FACTOR times as many by the wall clock.

    Where another process's processor clock cannot be read (not Linux), they are wall-clock seconds.
    """

    cell_seconds: float = 10.0
    notebook_seconds: float = 60.0  # all cells together, reruns included
    probe_seconds: float = 5.0
    probes_seconds: float = 60.0  # all probes together, reruns of the cells included
    memory_bytes: int = 1024 * MIB  # address space beyond that of an idle kernel
    disk_bytes: int = 64 * MIB
    text_bytes: int = 256 * 1024  # of printed text kept per cell; the rest is dropped with a remark
    output_bytes: int = 32 * MIB  # everything the kernel sends while cells run; more ends it
    threads: int = 64
    open_files: int = 256
    restarts: int = 8  # fresh kernels after a cell or a probe killed one

    @property
    def lifetime_seconds(self) -> float:
        """Wall-clock: nothing of one kernel lives longer than this, whoever forgets about it."""
        return FUSE_FACTOR * self.processor_seconds

    @property
    def processor_seconds(self) -> float:
        """No kernel uses more than this, all its threads together."""
        return self.notebook_seconds + self.probes_seconds + 10.0
