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
