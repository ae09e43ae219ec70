"""A step of the program that is killed with SIGKILL at one of its moments, in a forked process of its own.

A moment is what `tests/workflow/test_issue_crash.py` takes for one: everything that touches the home, a sync,
a statement.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

EVENTS = frozenset({"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.scandir", "os.listdir"})


def kill_before(home: Path, at: int, step: Callable[[], object]) -> int:
    """Run `step` in a fork that kills itself before moment `at`, 0 for never; how many moments it had if it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(_Moments(str(home), at), step, writing)
    os.close(writing)
    with os.fdopen(reading) as ended:
        said = ended.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return 0
    assert os.waitstatus_to_exitcode(status) == 0, said
    return int(said)


@dataclass
class _Moments:
    """Counts the moments of this process, and ends it before one of them."""

    home: str
    last: int
    count: int = 0

    def pass_one(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, given: tuple[Any, ...]) -> None:
        if event in EVENTS and isinstance(given[0], str | os.PathLike):
            path = os.fspath(given[0])
            if str(path).startswith(self.home) or not Path(os.fsdecode(path)).is_absolute():
                self.pass_one()

    def watch(self) -> None:
        connect, sync, wait = sqlcipher.connect, os.fsync, os.waitpid

        def watched(*given: Any, **named: Any) -> Any:
            connection = connect(*given, **named)
            connection.set_trace_callback(lambda _: self.pass_one())
            return connection

        def sync_watched(handle: Any) -> None:
            self.pass_one()
            sync(handle)

        def wait_for_own(pid: int, options: int) -> tuple[int, int]:
            """The server that reading processes are forked from is the parent's child, and is still there."""
            try:
                return wait(pid, options)
            except ChildProcessError:
                return 0, 0

        sqlcipher.connect, os.waitpid = watched, wait_for_own
        os.fsync = sync_watched  # type: ignore[assignment]
        sys.addaudithook(self.audit)


def _run(moments: _Moments, step: Callable[[], object], out: int) -> None:
    code = 1
    try:
        moments.watch()
        step()
        os.write(out, str(moments.count).encode())
        code = 0
    except BaseException as error:  # noqa: BLE001 - reported by the parent
        os.write(out, repr(error).encode())
    finally:
        os._exit(code)
