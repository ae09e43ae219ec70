"""Work on strangers' files in processes of their own, with limits: what a file does to its reader ends there."""

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

#: So many files and a reader is replaced, whatever they were: nothing gathers in it.
FILES_EACH = 200


class Exceeded(Exception):
    """The work was stopped at a limit of time, memory or output, or its process died."""


class Broke(Exception):
    """The work raised: the file is damaged. What it raised is not told, since it may hold names."""


@dataclass(frozen=True)
class Bounds:
    """What one piece of work may take: seconds, bytes of address space, bytes of answer."""

    seconds: int
    memory_bytes: int
    answer_bytes: int


@dataclass
class _Reader:
    process: BaseProcess
    line: Connection
    files: int = 0


class Bounded:
    """A pool as a context: `run` may be called from several threads, each call has a process to itself.

    A process whose work exceeded or raised is not used again.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._context = forks()
        self._idle: list[_Reader] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "Bounded":
        """Nothing is started before it is needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        with self._lock:
            readers, self._idle = self._idle, []
        for reader in readers:
            _end(reader)

    def run(self, function: Callable[..., Any], arguments: Sequence[object]) -> Any:
        """What `function` returns within the bounds. Raises Exceeded or Broke."""
        reader = self._take()
        is_sound = False
        try:
            outcome, result = self._ask(reader, function, arguments)
            is_sound = outcome == "done"
        except (EOFError, OSError):  # the process died, was silent too long, or said too much
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
        reader.line.send((function, arguments))
        if not reader.line.poll(self.bounds.seconds):
            raise EOFError
        outcome, result = pickle.loads(reader.line.recv_bytes(self.bounds.answer_bytes))  # noqa: S301 - our own process
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
    reader.line.close()


def run_bounded(function: Callable[..., Any], arguments: Sequence[object], bounds: Bounds) -> Any:
    """What `function` returns in a process of its own. Raises Exceeded or Broke."""
    with Bounded(bounds) as pool:
        return pool.run(function, arguments)


def answer_requests(line: Connection, bounds: Bounds) -> None:
    """What such a process does: bound itself, fall silent, and answer until nobody asks."""
    end_with_parent()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # a traceback or a parser's last words could hold what stands in the cells
        os.dup2(nowhere, stream)
    resource.setrlimit(resource.RLIMIT_AS, (bounds.memory_bytes, bounds.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what must not leave memory
    while True:
        try:
            function, arguments = line.recv()
        except EOFError:
            return
        _limit_processor(bounds.seconds)
        line.send_bytes(answer(function, arguments, bounds))


def _limit_processor(seconds: int) -> None:
    """The asker stops us when time is up; should it be gone, the system does, so many seconds of work from now."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    most = int(spent.ru_utime + spent.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def answer(function: Callable[..., Any], arguments: Sequence[object], bounds: Bounds) -> bytes:
    """The pickled outcome of one piece of work, `done`, `exceeded` or `broke`, with what it returned."""
    try:
        done = pickle.dumps(("done", function(*arguments)))
    except MemoryError:
        return pickle.dumps(("exceeded", None))
    except BaseException:  # noqa: BLE001 - parsers panic past Exception
        return pickle.dumps(("broke", None))
    return done if len(done) <= bounds.answer_bytes else pickle.dumps(("exceeded", None))
