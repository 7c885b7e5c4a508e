"""Tasks for the pool's tests: some end well, some do not."""

from __future__ import annotations

import os
import signal
import time


def run(value: dict[str, object], setup: object) -> object:
    match value["do"]:
        case "double":
            return 2 * int(str(value["n"]))
        case "raise":
            raise RuntimeError("on purpose")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(7)
        case "orphan":  # a child that outlives its parent and holds the pipe open
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            os.kill(os.getpid(), signal.SIGKILL)
        case "sleep":
            time.sleep(60)
        case "setup":
            return setup
    return None


def grade(value: dict[str, object], setting: dict[str, object]) -> object:
    """The real thing, but students called `killer…` end their worker, `unlucky…` the first time, `raiser…` raise."""
    from pathlib import Path

    from grader import job

    student = str(value["student"])
    mark = Path(str(value["root"])) / ".seen"
    if student.startswith("unlucky") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if student.startswith("killer"):
        os.kill(os.getpid(), signal.SIGKILL)
    if student.startswith("raiser"):
        raise RuntimeError("on purpose")
    if student.startswith("slow"):
        time.sleep(0.3)
    return job.grade(value, setting)
