"""Reading returned workbooks in child processes, so that a harmful file only ends its reader and is refused."""

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

#: How many passwords one request to a reader tries, within its time limit.
PORTION = 200


def take(path: Path, limits: Limits) -> bytes:
    """A file's bytes; of a file that is too large only the allowed number and one more, which shows that.

    Empty if it cannot be read or is no regular file, so that the other files are still read.
    """
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as handle:
            return handle.read(limits.file_bytes + 1)
    except OSError:
        return b""


def readers(limits: Limits) -> Bounded:
    """A pool of reader processes for many files, used as a context."""
    return Bounded(Bounds(limits.seconds, limits.memory_bytes, limits.answer_bytes))


def read_workbook(
    data: bytes, candidates: Sequence[Candidate], limits: Limits, *, allow_unsealed: bool, pool: Bounded | None = None
) -> Submission:
    """Read a file's bytes in a bounded process, from `pool` if it is given. A bad file gives problems, not errors.

    `candidates` give the passwords to try, the likeliest first; `allow_unsealed` accepts an unencrypted workbook.
    """
    if not data:  # `take` could not read the file, or it is empty
        return _refused(Problem("F21"))
    if len(data) > limits.file_bytes:
        return _refused(Problem("F05", params={"limit": f"{limits.file_bytes // 1_000_000} MB"}))
    if pool is None:
        with readers(limits) as alone:
            return read_workbook(data, candidates, limits, allow_unsealed=allow_unsealed, pool=alone)
    # First only the likeliest password is tried, then the others in portions, each with its own time limit.
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
    """Unseal and parse a workbook in this process. `opened_by` is the index of the password that opened it, if any.

    It is set even if the content is then refused.
    """
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
