"""One returned workbook, one child process: whatever a file does to its reader ends there, as one refused workbook."""

import multiprocessing
import resource
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from etl import sealing
from etl.campaign import Limits
from etl.read.cells import parse_workbook
from etl.read.guard import Refused
from etl.submission import Candidate, Problem, Submission


def take(path: Path, limits: Limits) -> bytes:
    """A file's bytes, at most one beyond what is allowed: enough to see that it is too large."""
    with path.open("rb") as handle:
        return handle.read(limits.file_bytes + 1)


def read_workbook(data: bytes, candidates: Sequence[Candidate], limits: Limits, *, allow_unsealed: bool) -> Submission:
    """Read a file in a child with limits on memory and time. Never raises for what the file holds."""
    if len(data) > limits.file_bytes:
        return _refused(Problem("F05", params={"limit": f"{limits.file_bytes // 1_000_000} MB"}))
    # Forked from a server that holds neither keys nor open databases, and has the parsers loaded.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["etl.read.worker"])
    receiver, sender = context.Pipe(duplex=False)
    passwords = [candidate.password for candidate in candidates]
    child = context.Process(target=_work, args=(sender, data, passwords, limits, allow_unsealed), daemon=True)
    child.start()
    sender.close()
    try:
        if not receiver.poll(limits.seconds):
            return _refused(Problem("F08"))
        result = receiver.recv()
    except (EOFError, OSError):  # the child died: memory, or worse
        return _refused(Problem("F08"))
    finally:
        child.kill()
        child.join()
        receiver.close()
    return result if isinstance(result, Submission) else _refused(Problem("F08"))


def _work(sender: Connection, data: bytes, passwords: list[str], limits: Limits, allow_unsealed: bool) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what must not leave memory
    sender.send(read_bytes(data, passwords, limits, allow_unsealed=allow_unsealed))


def read_bytes(data: bytes, passwords: list[str], limits: Limits, *, allow_unsealed: bool) -> Submission:
    """Unseal and parse, in this process. `opened_by` tells which password fitted."""
    try:
        plain, index = sealing.unseal(data, passwords, spin_count=limits.spin_count)
        return replace(parse_workbook(plain, limits), opened_by=index)
    except sealing.NotSealed as error:
        if not error.plain:
            return _refused(Problem("F01"))
        if not allow_unsealed:
            return _refused(Problem("F03"))
        return _unsealed(data, limits)
    except sealing.WrongPassword:
        return _refused(Problem("F02"))
    except sealing.BrokenSeal as error:
        return _refused(Problem("F04", params={"reason": str(error)}))
    except Refused as refused:
        return _refused(refused.problem)


def _unsealed(data: bytes, limits: Limits) -> Submission:
    try:
        return replace(parse_workbook(data, limits), problems=(Problem("F12"),))
    except Refused as refused:
        return _refused(refused.problem)


def _refused(problem: Problem) -> Submission:
    return Submission(problems=(problem,))
