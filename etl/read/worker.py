"""One returned workbook, one child process: whatever a file does to its reader ends there, as one refused workbook."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from etl import sealing
from etl.bounded import Broke, Exceeded, run_bounded
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
    passwords = [candidate.password for candidate in candidates]
    try:
        result = run_bounded(
            read_bytes, (data, passwords, limits, allow_unsealed), seconds=limits.seconds,
            memory_bytes=limits.memory_bytes, preload="etl.read.worker",
        )  # fmt: skip
    except Exceeded:
        return _refused(Problem("F08"))
    except Broke:
        return _refused(Problem("F01"))
    return result if isinstance(result, Submission) else _refused(Problem("F08"))


def read_bytes(data: bytes, passwords: list[str], limits: Limits, allow_unsealed: bool) -> Submission:
    """Unseal and parse, in this process. `opened_by` tells which password fitted, also where the rest is refused."""
    try:
        opened = sealing.unseal(data, passwords, spin_count=limits.spin_count)
    except sealing.NotSealed as error:
        if not error.plain:
            return _refused(Problem("F01"))
        return _parsed(data, limits, Problem("F12")) if allow_unsealed else _refused(Problem("F03"))
    except sealing.WrongPassword:
        return _refused(Problem("F02"))
    except sealing.BrokenSeal as error:
        return _refused(Problem("F04", params={"reason": str(error)}))
    notes = () if opened.is_intact else (Problem("F13"),)
    return replace(_parsed(opened.plain, limits, *notes), opened_by=opened.index)


def _parsed(plain: bytes, limits: Limits, *notes: Problem) -> Submission:
    try:
        return replace(parse_workbook(plain, limits), problems=notes)
    except Refused as refused:
        return _refused(refused.problem)


def _refused(problem: Problem) -> Submission:
    return Submission(problems=(problem,))
