"""Commands in processes of their own, forked from a server that has the program loaded: to load it takes longer than
most commands do. What a fresh Python does is proved by `test_readme.py` and `test_demo.py` of
`tests/end_to_end/`.

The server has one thread and touches no home. It, and the server from which readers and sealers are forked, last as
long as the process of the tests that started it. Forked commands ask the same server for processes of their own.
"""

import atexit
import contextlib
import importlib
import json
import multiprocessing.forkserver
import os
import pkgutil
import runpy
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from etl.system.keyless import child_environment

ROOT = Path(__file__).resolve().parents[2]
#: No command takes so long on the busiest machine.
SECONDS = 240
MOST = 1_000_000
#: Where the server of this process listens; its forks have it from it. Empty: no server was started yet.
_address: list[str] = []


@dataclass
class Running:
    """A command that was started; `wait` for it once."""

    arguments: Sequence[str]
    out: IO[bytes]
    err: IO[bytes]
    status: int

    def wait(self) -> subprocess.CompletedProcess[str]:
        """Its exit code, minus the signal if one ended it, and all that it said. TimeoutError if it takes too long."""
        if not select.select([self.status], [], [], SECONDS)[0]:
            raise TimeoutError(f"still running: {self.arguments}")
        with os.fdopen(self.status) as ended:
            code = int(ended.read())
        said = []
        for stream in (self.out, self.err):
            stream.seek(0)
            said.append(stream.read().decode())
        self.out.close()
        self.err.close()
        return subprocess.CompletedProcess(self.arguments, code, *said)


def start(arguments: Sequence[str], *, script: str = "", cwd: Path = ROOT) -> Running:
    """Start `build.py` with these arguments, or a script as `python -c` would."""
    return _start(arguments, {"script": script, "cwd": str(cwd), "environment": dict(os.environ)})


def run(arguments: Sequence[str], *, script: str = "", cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The same, and wait for its end."""
    return start(arguments, script=script, cwd=cwd).wait()


def run_module(command: list[str], held: tuple[int, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The same as `run_module` of `etl/system/keyless.py`: a module, without a key, that shares the handles `held`."""
    module, *arguments = command
    job = {"module": module, "cwd": str(ROOT), "environment": child_environment()}
    return _start(arguments, job, held).wait()


def _start(arguments: Sequence[str], job: dict[str, Any], held: tuple[int, ...] = ()) -> Running:
    out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115 - closed when its end has been waited for
    ours, theirs = os.pipe()
    if not _address:
        _start_server()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST)
        line.connect(_address[0])
        message = json.dumps(job | {"arguments": list(arguments)}).encode()
        socket.send_fds(line, [message], [theirs, out.fileno(), err.fileno(), *held])
    os.close(theirs)
    return Running(arguments, out, err, ours)


def _start_server() -> None:
    """Start the server of this process. It ends when the pipe that it is given ends, and so with this process."""
    folder = tempfile.mkdtemp()
    _address.append(f"{folder}/server")
    ends, stays = os.pipe()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(_address[0])
    listener.listen()
    arguments = [sys.executable, "-m", "tests.support.warm", _address[0], str(listener.fileno()), str(ends)]
    server = subprocess.Popen(
        arguments, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[listener.fileno(), ends]
    )
    listener.close()
    os.close(ends)
    atexit.register(_end, os.getpid(), stays, server, folder)


def _end(process: int, stays: int, server: subprocess.Popen[bytes], folder: str) -> None:
    if os.getpid() == process:  # not a fork of it
        os.close(stays)
        server.wait()
        shutil.rmtree(folder)


def _serve(listener: socket.socket, ends: int) -> dict[str, Any]:
    """Fork for each job that comes; returns in the fork, with the job. The server ends when `ends` does."""
    while True:
        if ends in select.select([listener.fileno(), ends], [], [])[0]:
            os._exit(0)
        line, _ = listener.accept()
        with line:
            message, given, _, _ = socket.recv_fds(line, MOST, 16)
        if os.fork() == 0:
            listener.close()
            os.close(ends)
            return _fork_and_report(json.loads(message), *given)
        for one in given:
            os.close(one)
        with contextlib.suppress(ChildProcessError):  # what has ended is taken off the list
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _fork_and_report(job: dict[str, Any], status: int, out: int, err: int, *held: int) -> dict[str, Any]:
    """Returns in a fork that prints to `out` and `err`; this process waits and writes the exit code to `status`."""
    child = os.fork()
    if child == 0:
        os.dup2(out, 1)
        os.dup2(err, 2)
        for one in (out, err, status):
            os.close(one)
        return job
    for one in (out, err, *held):
        os.close(one)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.write(status, str(code).encode())
    os._exit(0)


def _wait_for_own(pid: int, options: int) -> tuple[int, int]:
    """The server that readers are forked from is another process' child, and is still there."""
    if pid == multiprocessing.forkserver._forkserver._forkserver_pid:  # type: ignore[attr-defined]
        return 0, 0
    return _waitpid(pid, options)


def _run(job: dict[str, Any]) -> None:
    """Run the command in this process."""
    os.chdir(job["cwd"])
    os.environ.clear()
    os.environ.update(job["environment"])
    os.waitpid = _wait_for_own
    if "module" in job:
        sys.argv[1:] = job["arguments"]
        runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
        return
    if not job["script"]:
        path = str(ROOT / "build.py")
        sys.argv = [path, *job["arguments"]]
        runpy.run_path(path, run_name="__main__")
        return
    sys.argv = ["-c", *job["arguments"]]
    sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(job["script"], "<string>", "exec"), sys.modules["__main__"].__dict__)  # noqa: S102 - a test's own


_waitpid = os.waitpid

if __name__ == "__main__":
    import etl.cli
    import etl.proof.prove
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
    sys.modules["tests.support.warm"]._address.append(sys.argv[1])
    listening, ending = map(int, sys.argv[2:])
    _run(_serve(socket.socket(fileno=listening), ending))
