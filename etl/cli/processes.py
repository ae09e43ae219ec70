"""Other processes: how many, what they are given, what they died of, and that they end with their parent."""

import json
import multiprocessing
import multiprocessing.connection
import os
import threading

from etl.findings import FuxueError


def workers() -> int:
    """How many things are done at once: one per processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_with_parent() -> None:
    """In a child: end as soon as the parent is gone, however it went. Children hold passwords and names."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        multiprocessing.connection.wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def child_environment() -> dict[str, str]:
    """What a process that must not have a key gets of the environment."""
    return {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}


def error_of(stderr: str, code: int) -> FuxueError:
    """The error that such a process reported on its last line, or what it died of."""
    lines = stderr.strip().splitlines() or [""]
    try:
        said = json.loads(lines[-1])
        return FuxueError(said["error"], code=code, **said["params"])
    except (ValueError, KeyError, TypeError):
        return FuxueError("publish.failed", code=code, reason=lines[-1][:200])
