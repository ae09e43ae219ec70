"""Returned workbooks are read in child processes: what a file does to its reader ends there, as one refused file."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from etl.exchange.submission import Candidate, Problem, Submission
from etl.read.cells import parse_workbook
from etl.read.kinds import READABLE, kind_of
from etl.read.marks import Refused
from etl.rulebook.limits import Limits
from etl.system import sealing
from etl.system.bounded import Bounded, Bounds, Broke, Exceeded

#: So many passwords are tried within one limit of time.
PORTION = 200


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


def readers(limits: Limits) -> Bounded:
    """A pool of reading processes, as a context: for many files."""
    return Bounded(Bounds(limits.seconds, limits.memory_bytes, limits.answer_bytes))


def read_workbook(
    data: bytes, candidates: Sequence[Candidate], limits: Limits, *, allow_unsealed: bool, pool: Bounded | None = None
) -> Submission:
    """Read a file in a bounded process, one of the pool's if one is given. Never raises for what the file holds."""
    if not data:  # as `take` gives it where there is nothing to read
        return _refused(Problem("F21"))
    if len(data) > limits.file_bytes:
        return _refused(Problem("F05", params={"limit": f"{limits.file_bytes // 1_000_000} MB"}))
    if pool is None:
        with readers(limits) as alone:
            return read_workbook(data, candidates, limits, allow_unsealed=allow_unsealed, pool=alone)
    # The first is the likeliest: a thousand passwords are tried only where it does not fit, and never all in one go.
    for start, end in [(0, 1), *((at, at + PORTION) for at in range(1, len(candidates), PORTION))]:
        passwords = [candidate.password for candidate in candidates[start:end]]
        result = _ask(pool, data, passwords, limits, allow_unsealed=allow_unsealed)
        if [problem.rule for problem in result.problems] != ["F02"]:
            return result if result.opened_by is None else replace(result, opened_by=result.opened_by + start)
    return result


def _ask(pool: Bounded, data: bytes, passwords: list[str], limits: Limits, *, allow_unsealed: bool) -> Submission:
    try:
        result = pool.run(read_bytes, (data, passwords, limits, allow_unsealed))
    except Exceeded:
        return _refused(Problem("F08"))
    except Broke:
        return _refused(Problem("F01"))
    return result if isinstance(result, Submission) else _refused(Problem("F08"))


def read_bytes(data: bytes, passwords: list[str], limits: Limits, allow_unsealed: bool) -> Submission:
    """Unseal and parse, in this process. `opened_by` tells which password fitted, also where the rest is refused."""
    try:
        opened = sealing.unseal(data, passwords, spin_count=limits.spin_count)
    except sealing.NotSealed:
        if kind_of(data)[0] in READABLE and not allow_unsealed:
            return _refused(Problem("F03"))
        return _parsed(data, limits, Problem("F12"))
    except sealing.WrongPassword:
        return _refused(Problem("F02"))
    except sealing.BrokenSeal as error:
        return _refused(Problem("F04", params={"reason": str(error)}))
    notes = () if opened.is_intact else (Problem("F13"),)
    return replace(_parsed(opened.plain, limits, *notes), opened_by=opened.index)


def _parsed(plain: bytes, limits: Limits, *notes: Problem) -> Submission:
    try:
        parsed = parse_workbook(plain, limits)
    except Refused as refused:
        return _refused(refused.problem)
    return replace(parsed, problems=(*notes, *parsed.problems))


def _refused(problem: Problem) -> Submission:
    return Submission(problems=(problem,))
