"""The audit log of the staff instance, for its custodian: verify it, export it, move old entries out (M18)."""

import datetime as dt
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from etl.findings import FuxueError
from etl.report.staff_papers import build_looks
from etl.rulebook.campaign import BUREAU
from etl.system.disk import write_private
from etl.system.sealing import seal
from etl.vault.store.audit_log import Log, log_breaks, log_path, rotate, rotated_files
from etl.vault.store.chain import is_printed, printed
from etl.workflow.issuing import bureau_password
from etl.workflow.run import Run


@dataclass(frozen=True)
class Audited:
    """The result of verifying the log: the number of entries and files, the printed head, and the faults.

    `head` is empty if the log is; `breaks` are (file, key of a text, number of the entry).
    """

    entries: int
    files: int
    head: str
    breaks: list[tuple[str, str, int]]


def verify_log(run: Run, paper: str = "") -> Audited:
    """Verify the log and the files of older entries. A head from the custodian's `paper` may be in any of them."""
    files = [*rotated_files(run.home.staff), _path(run)]
    entries, found, on_paper, head = 0, list[tuple[str, str, int]](), not paper, (0, b"")
    for at, file in enumerate(files):
        with closing(Log(file, run.keys)) as log:
            if at and log.start() != head:
                found.append((file.name, "audit.gap", log.start()[0]))
            found += [(file.name, key, number) for key, number in log_breaks(log)]
            on_paper = on_paper or any(is_printed(paper, entry.seal) for entry in log.entries())
            on_paper = on_paper or is_printed(paper, log.start()[1])
            head = log.head()
            entries += head[0] - log.start()[0]
    if not on_paper:
        found.append((files[-1].name, "audit.paper", head[0]))
    return Audited(entries, len(files), printed(head[1]) if head[0] else "", found)


def export(run: Run, since: dt.date | None) -> tuple[Path, int]:
    """Write the entries since a day (None: all) to a sealed workbook for the bureau; return (file, entry count)."""
    files = [*rotated_files(run.home.staff), _path(run)]
    lines, head = list[list[str]](), b""
    for file in files:
        with closing(Log(file, run.keys)) as log:
            lines += _lines(log, since.isoformat() if since else "")
            head = log.head()[1]
    title = f"{run.campaign.recipient_name(BUREAU)}：查阅日志（{since.isoformat() if since else '全部'}起）"
    target = run.home.reports / f"audit-{run.day.isoformat()}.xlsx"
    with run.home.lock():
        write_private(target, seal(build_looks(title, lines, printed(head)), bureau_password(run)))
    return target, len(lines)


def _lines(log: Log, since: str) -> Iterator[list[str]]:
    for entry in log.entries(since):
        yield [str(entry.number), *map(str, astuple(replace(entry.look, query=entry.look.asked)))]


def rotate_log(run: Run, before: dt.date) -> Path | None:
    """Move the entries before a day into a file of their own; return its path, or None if there were none."""
    _path(run)
    with run.home.lock():
        return rotate(run.home.staff, run.keys, before, run.day)


def _path(run: Run) -> Path:
    """The log in use. FuxueError if the key is wrong or there is no log."""
    run.prove_key()
    path = log_path(run.home.staff)
    if not path.exists():
        raise FuxueError("audit.none")
    return path
