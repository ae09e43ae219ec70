"""One returned workbook, one child process: whatever a file does to its reader ends there, as one refused workbook."""

import multiprocessing
import os
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
    """A file's bytes, at most one beyond what is allowed: enough to see that it is too large.

    Nothing if it cannot be read or is no ordinary file: then it is no workbook, and no reason to stop the others.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as handle:
            return handle.read(limits.file_bytes + 1)
    except OSError:
        return b""


def read_workbook(data: bytes, candidates: Sequence[Candidate], limits: Limits, *, allow_unsealed: bool) -> Submission:
    """Read a file in a child with limits on memory and time. Never raises for what the file holds."""
    if len(data) > limits.file_bytes:
        return _refused(Problem("F05", params={"limit": f"{limits.file_bytes // 1_000_000} MB"}))
    # Forked from a server that holds neither keys nor open databases, and has the parsers loaded.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["etl.read.worker"])
    receiver, sender = context.Pipe(duplex=False)
    passwords = [candidate.password for candidate in candidates]
    child = context.Process(target=work, args=(sender, data, passwords, limits, allow_unsealed), daemon=True)
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


def work(sender: Connection, data: bytes, passwords: list[str], limits: Limits, allow_unsealed: bool) -> None:
    """What the child does: bound itself, fall silent, read, send one Submission."""
    _fall_silent()
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold what must not leave memory
    try:
        result = read_bytes(data, passwords, limits, allow_unsealed=allow_unsealed)
    except MemoryError:
        result = _refused(Problem("F08"))
    except BaseException:  # noqa: BLE001 - parsers panic past Exception; a file that they choke on is a damaged file
        result = _refused(Problem("F01"))
    sender.send(result)


def _fall_silent() -> None:
    """A traceback or a parser's last words could hold what stands in the cells."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def read_bytes(data: bytes, passwords: list[str], limits: Limits, *, allow_unsealed: bool) -> Submission:
    """Unseal and parse, in this process. `opened_by` tells which password fitted."""
    try:
        opened = sealing.unseal(data, passwords, spin_count=limits.spin_count)
        problems = () if opened.is_intact else (Problem("F13"),)
        return replace(parse_workbook(opened.plain, limits), opened_by=opened.index, problems=problems)
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
