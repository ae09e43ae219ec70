"""Loading returned workbooks: read, check, record, and move them out of the inbox."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from etl.check.acceptance import check_submission, refuse_rivals
from etl.exchange.checked import Checked
from etl.exchange.submission import Candidate
from etl.issue.outbox import put_issues_in_place
from etl.issue.receipts import shown
from etl.read import inbox
from etl.read.worker import read_workbook, readers, take
from etl.system.disk import make_private, write_private
from etl.system.file_names import shown_name
from etl.system.processes import workers
from etl.vault.record import evidence, issued, submissions
from etl.vault.store.open import Vault
from etl.workflow import recovery
from etl.workflow.run import Run
from etl.workflow.writing import writing

#: The rule that refuses two files of one unit in one load. Both stay where they are until a person removes one.
RIVALS = "F15"


@dataclass(frozen=True)
class Loaded:
    """The result for one file: `outcome` is accepted, refused, known or superseded.

    `is_left` says that the file could not be moved out of the inbox or copied.
    """

    checked: Checked
    outcome: str
    is_left: bool = False


def check_files(run: Run, paths: Sequence[Path], *, allow_unsealed: bool = False) -> list[Checked]:
    """Read and check files without recording anything."""
    with run.open_vault() as vault:
        contents = {path: take(path, run.campaign.limits) for path in paths}
        return check_contents(run, vault, contents, allow_unsealed=allow_unsealed)


def check_contents(run: Run, vault: Vault, contents: Mapping[Path, bytes], *, allow_unsealed: bool,
                   names: Mapping[Path, str] | None = None) -> list[Checked]:  # fmt: skip
    """Check files, given as content by path; the results are in the same order.

    `names` are their original names, if these differ from the paths' names.
    """
    handed = issued.issued(vault, run.campaign)
    marks = issued.fingerprints(vault)
    police = evidence.police_refs(vault)
    done = run.bar("读取核对", len(contents))
    newest = [Candidate(i, u, run.keys.password(i, u)) for i, u in sorted(handed, reverse=True)]
    files = {key: bundle.file for key, bundle in handed.items()}

    def one(path: Path) -> Checked:
        name = (names or {}).get(path) or shown_name(path)
        mark = run.file_mark(contents[path])
        if mark in marks:  # unchanged since it was handed out: one finding says so, instead of one for every cell
            done()
            finding = run.campaign.finding("F16", name, fingerprint=shown(mark))
            return Checked(name, *marks[mark], True, (), {}, (finding,))
        # The file's name only decides which passwords are tried first; seal and manifest decide what the file is.
        candidates = sorted(newest, key=lambda c: (files[c.issue, c.unit] != name, c.unit not in name))
        submission = read_workbook(
            contents[path], candidates, run.campaign.limits, allow_unsealed=allow_unsealed, pool=pool
        )
        checked = check_submission(name, submission, candidates, handed, run.campaign, run.is_genuine, run.day, police)
        done()
        return checked

    # The threads wait for child processes, which read the files, and check the results.
    with readers(run.campaign.limits) as pool, ThreadPoolExecutor(workers()) as threads:
        return list(threads.map(one, contents))


def load_files(
    run: Run, paths: Sequence[Path] = (), *, allow_unsealed: bool = False, again: bool = False
) -> list[Loaded]:
    """Check and record files, by default all of the inbox; each is accepted or refused whole, in its own transaction.

    Recorded files are moved out of the inbox; files from elsewhere are copied. A file on record that a newer one has
    replaced is loaded only if `again`. The result has one entry for each file.
    """
    with writing(run) as vault:
        put_issues_in_place(run.home.outbox, issued.issues(vault))
        content = {path: take(path, run.campaign.limits) for path in paths or inbox.not_loaded(run.home.inbox)}
        skipped = _skipped(vault, content, again=again)
        fresh = {path: data for path, data in content.items() if path not in skipped}
        results = check_contents(run, vault, fresh, allow_unsealed=allow_unsealed)
        checked = dict(zip(fresh, refuse_rivals(results, run.campaign), strict=True))
        above = inbox.highest_number(run.home.received, run.home.refused)
        for path, one in checked.items():
            submissions.record_workbook(vault, run.campaign, one, content[path], run.day, above)
        # Files are moved only now, so that after an interruption the next run finds rivals of one unit together again.
        stay = {path for path, one in checked.items() if any(finding.rule == RIVALS for finding in one.findings)}
        left = {path for path, data in content.items() if path not in stay and not _put_away(run, vault, path, data)}
    return [_loaded(run, path, checked.get(path), skipped.get(path, ""), is_left=path in left) for path in content]


def _skipped(vault: Vault, content: Mapping[Path, bytes], *, again: bool) -> dict[Path, str]:
    """The outcome of files that are not checked: known (current, or a second copy), or superseded by a newer one.

    Unreadable files (empty content) are not copies of each other. A file that was refused before is checked again,
    because the reason may have been removed.
    """
    first: dict[bytes, Path] = {}
    skipped = {path: "known" for path, data in content.items() if data and first.setdefault(data, path) is not path}
    for path, data in content.items():
        on_record = submissions.recorded(vault, data)
        if path not in skipped and on_record is not None and on_record.is_accepted:
            if on_record.is_current:
                skipped[path] = "known"
            elif not again:
                skipped[path] = "superseded"
    return skipped


def _put_away(run: Run, vault: Vault, path: Path, data: bytes) -> bool:
    """Move or copy a file that is on record to its place; others stay. False if that failed."""
    on_record = submissions.recorded(vault, data)
    if on_record is None or not (data or inbox.is_empty(path)):
        return True
    folder = run.home.received if on_record.is_accepted else run.home.refused
    target = inbox.place_of(folder, on_record.issue, on_record.unit, on_record.id, on_record.received, path.suffix)
    if path.resolve() == target.resolve():
        return True
    try:
        if path.parent.resolve().is_relative_to(run.home.inbox.resolve()):
            inbox.move_away(path, target)
        else:
            make_private(target.parent)
            write_private(inbox.free_place(target, data), data)
    except OSError:  # the file is on record, so the next load tries again; the other files go on
        return False
    return True


def _loaded(run: Run, path: Path, checked: Checked | None, skipped: str, *, is_left: bool) -> Loaded:
    """The result for one file: what checking it gave, or the outcome why it was `skipped`."""
    if checked is not None:
        return Loaded(checked, "accepted" if checked.accepted else "refused", is_left)
    name = shown_name(path)
    finding = run.campaign.finding("F11" if skipped == "known" else "F22", name)
    return Loaded(Checked(name, "", "", True, (), {}, (finding,)), skipped, is_left)


def never_loaded(run: Run, vault: Vault) -> list[Path]:
    """Files in the inbox that are not on record."""
    return [path for path in inbox.not_loaded(run.home.inbox) if recovery.on_record(run, vault, path) is None]
