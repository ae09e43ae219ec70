"""Commands in processes of their own, forked from a server that has the program loaded: to load it takes longer than
most commands do. What a fresh Python does is proved by `test_readme.py` and `test_demo.py` of
`tests/end_to_end/`.

The server has one thread and touches no home. It, and the server from which readers and sealers are forked, last as
long as the tests.
"""

import atexit
import importlib
import json
import multiprocessing.forkserver
import os
import pkgutil
import runpy
import select
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
#: No command takes so long on the busiest machine.
SECONDS = 240
MOST = 1_000_000


@dataclass
class Running:
    """A command that was started; `wait` for it once."""

    words: Sequence[str]
    out: IO[bytes]
    err: IO[bytes]
    status: int

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Its exit code, minus the signal if one ended it, and all that it said. TimeoutError if it takes too long."""
        if not select.select([self.status], [], [], SECONDS)[0]:
            raise TimeoutError(f"still running: {self.words}")
        with os.fdopen(self.status) as told:
            code = int(told.read())
        said = []
        for stream in (self.out, self.err):
            stream.seek(0)
            said.append(stream.read().decode())
        self.out.close()
        self.err.close()
        return subprocess.CompletedProcess(self.words, code, *said)


def start(words: Sequence[str], *, script: str = "", cwd: Path = ROOT) -> Running:
    """Start `build.py` with these words, or a script as `python -c` would."""
    out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - closed when its end has been waited for
    ours, theirs = os.pipe()
    job = {"words": list(words), "script": script, "cwd": str(cwd), "environment": dict(os.environ)}
    socket.send_fds(_server(os.getpid()), [json.dumps(job).encode()], [out.fileno(), err.fileno(), theirs])
    os.close(theirs)
    return Running(words, out, err, ours)


def run(words: Sequence[str], *, script: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The same, and wait for its end."""
    return start(words, script=script, cwd=cwd).wait()


@cache
def _server(_process: int) -> socket.socket:
    """A line to the server of this very process: a fork of it has another, with what is then to be loaded."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST)
    words = [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())]
    server = subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
    )
    theirs.close()
    atexit.register(_end, ours, server)
    return ours


def _end(line: socket.socket, server: subprocess.Popen[bytes]) -> None:
    line.close()
    server.wait()


def _serve(line: socket.socket) -> dict[str, Any]:
    """Fork for each job that comes; returns in the fork, with the job. The server ends when nobody can ask any more."""
    while True:
        message, given, _, _ = socket.recv_fds(line, MOST, 3)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            line.close()
            return _fork_and_tell(json.loads(message), *given)
        for one in given:
            os.close(one)
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass  # what has ended is taken off the list; the server of readers is always left


def _fork_and_tell(job: dict[str, Any], out: int, err: int, status: int) -> dict[str, Any]:
    """Returns in a fork that speaks to `out` and `err`; this process waits for its end and tells how it was."""
    child = os.fork()
    if child == 0:
        os.dup2(out, 1)
        os.dup2(err, 2)
        for one in (out, err, status):
            os.close(one)
        return job
    os.close(out)
    os.close(err)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(status, str(code).encode())
    os._exit(0)


def _wait_for_own(pid: int, options: int) -> tuple[int, int]:
    """The server that readers are forked from is another process' child, and is still there."""
    try:
        return _waitpid(pid, options)
    except ChildProcessError:
        return 0, 0


def _run(job: dict[str, Any]) -> None:
    """Be the command."""
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.waitpid = _wait_for_own
    if not job["script"]:
        path = str(ROOT / "build.py")
        sys.argv = [path, *job["words"]]
        runpy.run_path(path, run_name="__main__")
        return
    sys.argv = ["-c", *job["words"]]
    sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(job["script"], "<string>", "exec"), sys.modules["__main__"].__dict__)  # noqa: S102 - a test's own


_waitpid = os.waitpid

if __name__ == "__main__":
    import etl.cli
    import etl.publish.__main__
    import etl.workflow
    import tests.support.quick  # noqa: F401 - changes what it loads
    from etl.rulebook.campaign import load_campaign
    from etl.system.processes import forks

    for room in (etl.cli, etl.workflow):  # loaded for whoever is forked
        for module in pkgutil.iter_modules(room.__path__):
            importlib.import_module(f"{room.__name__}.{module.name}")
    load_campaign(ROOT / "campaign")  # what reads it is made at the first reading

    forks()
    multiprocessing.forkserver.ensure_running()
    _run(_serve(socket.socket(fileno=int(sys.argv[1]))))
