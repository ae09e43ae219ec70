"""Processes that are given no key: what they get of the environment, and how they say what went wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

from etl.findings import FuxueError

#: The folder of the program, from which such processes import it.
ROOT = Path(__file__).resolve().parents[2]
#: All that a process without a key gets of the environment: above all no path of one.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def child_environment() -> dict[str, str]:
    """What a process that must not have a key gets of the environment."""
    return {name: os.environ[name] for name in PASSED_ON if name in os.environ}


def run_module(command: list[str], held: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a module, named with its arguments, in a process that gets no key but the locks `held`, until it has ended.

    Without the locks it could still be writing, once we are killed, when the next command has begun.
    """
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=child_environment(), pass_fds=held,
                          capture_output=True, text=True, check=False)  # fmt: skip


def report_error(error: FuxueError) -> int:
    """In such a process: say an error on stderr, for `error_of` to read; returns the exit code."""
    params = {key: str(value) for key, value in error.params.items()}
    print(json.dumps({"error": error.key, "params": params}, ensure_ascii=False), file=sys.stderr)
    return error.code


def error_of(stderr: str, code: int) -> FuxueError:
    """The error that such a process reported on its last line, or what it died of."""
    lines = stderr.strip().splitlines() or [""]
    try:
        said = json.loads(lines[-1])
        return FuxueError(said["error"], code=code, **said["params"])
    except (ValueError, KeyError, TypeError):
        return FuxueError("publish.failed", code=code, reason=lines[-1][:200])
