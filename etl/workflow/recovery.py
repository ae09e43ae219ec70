"""What an interrupted command left behind is ended or undone by the next one, before it begins its own work."""

import contextlib
import json
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from etl.findings import FuxueError
from etl.inspect.flags import find_flags
from etl.issue.outbox import put_issues_in_place
from etl.read import inbox
from etl.read.worker import take
from etl.system.disk import make_private, sync, write_private
from etl.system.home import Home
from etl.vault.record import issued, submissions
from etl.vault.scopes.scope_files import are_stale, build_scopes
from etl.vault.store import audit_log
from etl.vault.store.files import discard
from etl.vault.store.open import Vault
from etl.vault.upkeep import backup
from etl.vault.upkeep.purge import certificates, purged_issues, purged_workbooks
from etl.vault.upkeep.rekey import finish_rekey, rekeyed_path
from etl.workflow.run import Run

#: Beside a list's papers: keyed marks of each row that they ask about. In the folder of copies: where one is made.
ROWS, COPYING = ".rows.json", ".copying"


def staff_file(home: Home) -> Path:
    """Accounts of the staff instance: encrypted under the same master key."""
    return home.staff / "staff.db"


def staff_files(home: Home) -> list[tuple[Path, str]]:
    """All encrypted files of the staff instance that are there, with the purposes of their keys."""
    logs = [
        (path, audit_log.PURPOSE) for path in (*audit_log.rotated_files(home.staff), audit_log.log_path(home.staff))
    ]
    return [(path, purpose) for path, purpose in ((staff_file(home), "file:staff"), *logs) if path.exists()]


def recover_unless_busy(run: Run) -> None:
    """Recover now if something was left, unless another command is at work: it has done so, or will be told."""
    if _has_leftovers(run.home):
        with contextlib.suppress(FuxueError), run.home.lock(patience=0):
            recover(run)


def _has_leftovers(home: Home) -> bool:
    files = (home.vault, *(path for path, _ in staff_files(home)))
    return are_stale(home.scopes) or any(rekeyed_path(path).exists() for path in files)


def recover(run: Run) -> None:
    """End or undo what was left: a new key, a purge, scope files. The home is locked.

    Issues and releases that lie aside are put in place by the commands that make such.
    Nothing is done without the record, or under a key that does not open it: that is told when the record is wanted.
    """
    home = run.home
    try:
        run.open_vault().close()
    except FuxueError:
        return
    finish_rekey(home.vault, staff_files(home), run.keys)
    for left in home.private.glob(".*.restore"):
        discard(left)
    with run.open_vault() as vault:
        remove_decided_papers(home, vault)
        backup.place_copies(vault, home.backups)
        _end_copying(home)
        end_purges(run, vault)
        if are_stale(home.scopes):
            match_files_to_record(run, vault)


def match_files_to_record(run: Run, vault: Vault) -> None:
    """Make the home's files those of the record: returned ones that it does not know go back to the inbox.

    Scope files are built anew.
    """
    for folder in (run.home.received, run.home.refused):
        for path in list(inbox.files_of(folder)):
            with contextlib.suppress(OSError):  # the others come back all the same
                if on_record(run, vault, path) is None:
                    target = run.home.inbox / f"{path.parent.name}-{path.name}"
                    inbox.move_away(path, target)
    rebuild_scopes(run, vault)


def rebuild_scopes(run: Run, vault: Vault, done: Callable[[], None] = lambda: None) -> None:
    """Build the scope files of the record as it is now; `done` is called after each scope."""
    build_scopes(vault, run.campaign, run.home.scopes, find_flags, done)


def mark_rows(folder: Path, vault: Vault, rows: Iterable[Mapping[str, str]]) -> None:
    """Say of a folder of papers which rows of a list they ask about, by texts.

    What was on record before decides nothing: a second row of an issued child is asked about, too.
    """
    known = issued.marks_on_record(vault)
    marks = [sorted(mark.hex() for mark in issued.marks_of_row(vault.keys, texts) - known) for texts in rows]
    write_private(folder / ROWS, json.dumps(marks).encode())


def remove_decided_papers(home: Home, vault: Vault) -> None:
    """Papers go once each row that they ask about is on record: as they say, or from a list that was mended."""
    files = list(home.decisions.glob(f"*/{ROWS}"))
    known = {mark.hex() for mark in issued.marks_on_record(vault)} if files else set()
    for file in files:
        with contextlib.suppress(OSError, ValueError):  # the next command tries again
            if all(known & {*marks} for marks in json.loads(file.read_bytes())):
                for path in file.parent.iterdir():
                    if path != file:
                        path.unlink()
                file.unlink()
                file.parent.rmdir()


@contextlib.contextmanager
def copying(home: Home, target: Path) -> Iterator[None]:
    """While a copy is made somewhere, that is written down: a half-made one must not stay there unknown."""
    fresh = backup.draft_path(target.absolute())
    make_private(home.backups)
    _note_half_made(home, {*half_made(home), fresh})
    try:
        yield
    finally:
        if not fresh.exists():
            _note_half_made(home, {*half_made(home)} - {fresh})


def half_made(home: Home) -> list[Path]:
    """Copies elsewhere that a killed run may have left half made, and that nobody has seen since."""
    note = home.backups / COPYING
    return sorted(Path(name) for name in json.loads(note.read_bytes())) if note.exists() else []


def _note_half_made(home: Home, files: Collection[Path]) -> None:
    if files:
        write_private(home.backups / COPYING, json.dumps([str(file) for file in files]).encode())
    else:
        (home.backups / COPYING).unlink(missing_ok=True)


def _end_copying(home: Home) -> None:
    """Take away the half-made copies that killed runs left; one that is not there may come back with its disk."""
    noted = half_made(home)
    left = set(noted)
    for file in noted:
        with contextlib.suppress(OSError):
            if file.exists():
                discard(file)
                left.discard(file)
            elif file.parent.resolve() == home.backups.resolve() or file.with_name(file.name[1:-5]).exists():
                left.discard(file)  # it got to its place
    if left != {*noted}:
        _note_half_made(home, left)


def on_record(run: Run, vault: Vault, path: Path) -> submissions.Recorded | None:
    """What is on record of a file, None also of one that cannot be read: nobody knows what it is."""
    data = take(path, run.campaign.limits)
    return submissions.recorded(vault, data) if data or inbox.is_empty(path) else None


def certificate_file(home: Home, number: int) -> Path:
    """Where the certificate of a purge stands."""
    return home.certificates / f"purge-{number:04d}.json"


def certified(home: Home) -> set[int]:
    """The numbers of purges of which a certificate was written, also of those that the record no longer knows."""
    found = (re.fullmatch("purge-([0-9]+)[.]json", path.name) for path in home.certificates.glob("*.json"))
    return {int(one[1]) for one in found if one}


def end_purges(run: Run, vault: Vault) -> None:
    """What follows from a purge: files about the children go, and then, as the last thing, a certificate stands."""
    for number, certificate in certificates(vault):
        file = certificate_file(run.home, number)
        if not file.exists():
            run.home.prepare()  # an older home lacks some folders, an older certificate the copies
            _sweep(run, vault, certificate.get("copies", ()))
            file.parent.mkdir(exist_ok=True, mode=0o700)
            write_private(file, (json.dumps(certificate, ensure_ascii=False, indent=1) + "\n").encode())
            sync(file.parent)


def _sweep(run: Run, vault: Vault, copies: Collection[str]) -> None:
    """Files about individuals that the record no longer knows: handed out, sent back, reported, copied.

    Decision papers stay: those that lie here are of a list that is still open (`remove_decided_papers`).
    """
    home, gone = run.home, purged_issues(vault)
    recorded = issued.issues(vault)
    put_issues_in_place(home.outbox, recorded)  # what an interrupted issue left aside is on record, or goes
    stays = {*recorded} - gone
    for folder in (home.outbox, home.received, home.refused):
        for own in [path for path in folder.iterdir() if issued.ISSUE.fullmatch(path.name) and path.name not in stays]:
            shutil.rmtree(own, ignore_errors=True)  # also of an issue that a restored copy took back
        for draft in folder.rglob(".*.part"):
            draft.unlink()
    _sweep_loose(run, vault, gone)
    for path in home.reports.iterdir():  # made anew from the record whenever they are wanted
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (home.backups / name for name in copies):
        if path.resolve() != home.vault.resolve():
            path.unlink(missing_ok=True)
    for draft in (*home.private.glob(".*.part"), *home.backups.glob(".*.part")):
        draft.unlink()


def _sweep_loose(run: Run, vault: Vault, gone: set[str]) -> None:
    """Files sent back that lie in no issue's folder: they named none, or a killed load left them in the inbox."""
    nameless = purged_workbooks(vault)
    for path in inbox.files_of(run.home.refused / inbox.NAMELESS):
        if inbox.number_of(path) in nameless:
            path.unlink()
    for path in inbox.unheard(run.home.inbox):
        known = on_record(run, vault, path)
        if known is not None and (known.issue in gone or known.id in nameless):
            path.unlink()
