"""Processes that must not hold a key: their environment, how they are run, and how they report errors."""

import json
import os
import subprocess
import sys

from etl.findings import FuxueError
from etl.system.home import ROOT

#: The only environment variables that are passed on. The path of the key file is not among them.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def child_environment() -> dict[str, str]:
    """The environment variables for a process that must not have a key."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def run_module(command: list[str], held: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``python -m`` with `command` (a module and its arguments) in a process without a key; wait until it ends.

    `held` are file handles of locks to share with it. If we are killed, the process keeps the home locked until it has
    ended, so that no other command starts while it still writes.
    """
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=child_environment(), pass_fds=held,
                          capture_output=True, text=True, check=False)  # fmt: skip


def report_error(error: FuxueError) -> int:
    """Called in such a process: print an error on stderr, for `error_of` to parse; return the exit code."""
    params = {key: str(value) for key, value in error.params.items()}
    print(json.dumps({"error": error.key, "params": params}, ensure_ascii=False), file=sys.stderr)
    return error.code


def error_of(stderr: str, code: int) -> FuxueError:
    """The error that such a process reported on its last line of stderr; if none, an error that quotes that line."""
    lines = stderr.strip().splitlines() or [""]
    try:
        reported = json.loads(lines[-1])
        return FuxueError(reported["error"], code=code, **reported["params"])
    except (ValueError, KeyError, TypeError):
        return FuxueError("publish.failed", code=code, reason=lines[-1][:200])
