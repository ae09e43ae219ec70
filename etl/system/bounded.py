"""Untrusted files are read in child processes with limits of time, memory and output, so harm stays in the child."""

import os
import pickle
import resource
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

from etl.system.processes import end_with_parent, forks

#: A reader process is replaced after this many files, so that no leftovers of earlier files accumulate in it.
FILES_EACH = 200


class Exceeded(Exception):
    """The work reached a limit of time, memory or output, or its process died."""


class Broke(Exception):
    """The work raised an error: the file is damaged. The error itself is dropped, because it may contain names."""


@dataclass(frozen=True)
class Bounds:
    """Limits of one piece of work: seconds, bytes of address space, bytes of the pickled answer."""

    seconds: int
    memory_bytes: int
    answer_bytes: int


@dataclass
class _Reader:
    """A child process, our end of the pipe to it, and the number of files that it has read."""

    process: BaseProcess
    pipe: Connection
    files: int = 0


class Bounded:
    """A pool of reader processes, used as a context. Several threads may call `run`; each call has its own process.

    A process whose work failed or reached a limit is ended and not used again.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._context = forks()
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "Bounded":
        """Return the pool. Processes are started only when `run` needs them."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill the idle processes."""
        with self._lock:
            readers, self._idle = self._idle, []
        for reader in readers:
            _end(reader)

    def run(self, function: Callable[..., Any], arguments: Sequence[object]) -> Any:
        """Call `function` with `arguments` in a reader process; return its result. Raises Exceeded or Broke."""
        reader = self._take()
        is_sound = False
        try:
            outcome, result = self._ask(reader, function, arguments)
            is_sound = outcome == "done"
        except (EOFError, OSError):  # the process died, ran out of time, or sent more than `answer_bytes`
            raise Exceeded from None
        finally:
            reader.files += 1
            if is_sound and reader.files < FILES_EACH:
                with self._lock:
                    self._idle.append(reader)
            else:
                _end(reader)
        if is_sound:
            return result
        raise Exceeded if outcome == "exceeded" else Broke

    def _ask(self, reader: _Reader, function: Callable[..., Any], arguments: Sequence[object]) -> tuple[str, Any]:
        reader.pipe.send((function, arguments))
        if not reader.pipe.poll(self.bounds.seconds):
            raise EOFError
        outcome, result = pickle.loads(reader.pipe.recv_bytes(self.bounds.answer_bytes))  # noqa: S301 - our own process
        return outcome, result

    def _take(self) -> _Reader:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=answer_requests, args=(theirs, self.bounds), daemon=True)
        process.start()
        theirs.close()
        return _Reader(process, ours)


def _end(reader: _Reader) -> None:
    reader.process.kill()
    reader.process.join()
    reader.pipe.close()


def run_bounded(function: Callable[..., Any], arguments: Sequence[object], bounds: Bounds) -> Any:
    """Call `function` with `arguments` in a new process and return its result. Raises Exceeded or Broke."""
    with Bounded(bounds) as pool:
        return pool.run(function, arguments)


def answer_requests(pipe: Connection, bounds: Bounds) -> None:
    """The main function of a reader process: set its own limits, then answer requests until the pipe is closed."""
    end_with_parent()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # stdout and stderr are discarded: a traceback could show the content of cells
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would write children's data to the disk
    while True:
        try:
            function, arguments = pipe.recv()
        except EOFError:
            return
        _limit_processor(bounds.seconds)
        pipe.send_bytes(answer(function, arguments, bounds))


def _limit_processor(seconds: int) -> None:
    """Let the system kill this process after `seconds` more of processor time, should the parent be gone by then."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most = int(spent.ru_utime + spent.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def answer(function: Callable[..., Any], arguments: Sequence[object], bounds: Bounds) -> bytes:
    """Do one piece of work; return the pickled pair (``done``, ``exceeded`` or ``broke``; its result or None)."""
    try:
        done = pickle.dumps(("done", function(*arguments)))
    except MemoryError:
        return pickle.dumps(("exceeded", None))
    except BaseException:  # noqa: BLE001 - parsers written in Rust raise panics that are no Exception
        return pickle.dumps(("broke", None))
    return done if len(done) <= bounds.answer_bytes else pickle.dumps(("exceeded", None))
