"""Recovery: before its own work, each command finishes or undoes what an interrupted command left."""

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

#: A file beside decision workbooks: keyed marks of each row that they ask about.
ROWS = ".rows.json"
#: A file in the folder of copies: the paths of drafts of copies that are being written.
COPYING = ".copying"


def staff_file(home: Home) -> Path:
    """The encrypted file with the accounts of the staff instance."""
    return home.staff / "staff.db"


def staff_files(home: Home) -> list[tuple[Path, str]]:
    """The existing encrypted files of the staff instance, each as (path, purpose of its key)."""
    logs = [
        (path, audit_log.PURPOSE) for path in (*audit_log.rotated_files(home.staff), audit_log.log_path(home.staff))
    ]
    return [(path, purpose) for path, purpose in ((staff_file(home), "file:staff"), *logs) if path.exists()]


def recover_unless_busy(run: Run) -> None:
    """Call `recover` if an interrupted command left something; do nothing if another command holds the lock.

    Errors are ignored here, because the next command that writes meets them again.
    """
    if _has_leftovers(run.home):
        with contextlib.suppress(FuxueError), run.home.lock(patience=0):
            recover(run)


def _has_leftovers(home: Home) -> bool:
    files = (home.vault, *(path for path, _ in staff_files(home)))
    return are_stale(home.scopes) or any(rekeyed_path(path).exists() for path in files)


def recover(run: Run) -> None:
    """Finish or undo an interrupted rekey, restoration, copy or purge, and rebuild stale scope files.

    The caller has locked the home. Draft folders of issues and releases are left to the commands that make them.
    Nothing is done if the record does not open; the command reports that when it opens the record.
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
        remove_decided(home, vault)
        backup.place_copies(vault, home.backups)
        _end_copying(home)
        end_purges(run, vault)
        if are_stale(home.scopes):
            match_files_to_record(run, vault)


def match_files_to_record(run: Run, vault: Vault) -> None:
    """Make the home's files match the record: rebuild scope files, and move unknown returned files to the inbox."""
    for folder in (run.home.received, run.home.refused):
        for path in list(inbox.files_of(folder)):
            with contextlib.suppress(OSError):  # go on with the other files
                if on_record(run, vault, path) is None:
                    target = run.home.inbox / f"{path.parent.name}-{path.name}"
                    inbox.move_away(path, target)
    rebuild_scopes(run, vault)


def rebuild_scopes(run: Run, vault: Vault, done: Callable[[], None] = lambda: None) -> None:
    """Build the scope files from the current record; `done` is called after each scope."""
    build_scopes(vault, run.campaign, run.home.scopes, find_flags, done)


def mark_rows(folder: Path, vault: Vault, rows: Iterable[Mapping[str, str]]) -> None:
    """Write to a folder of decision workbooks which of a list's rows they ask about (`rows`: text by column key).

    Marks that are on record already are left out: a second row of an issued child needs a decision of its own.
    """
    known = issued.marks_on_record(vault)
    marks = [sorted(mark.hex() for mark in issued.marks_of_row(vault.keys, texts) - known) for texts in rows]
    write_private(folder / ROWS, json.dumps(marks).encode())


def remove_decided(home: Home, vault: Vault) -> None:
    """Delete decision workbooks all of whose rows are on record by now, by decision or from a corrected list."""
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
    """While a copy is being made, note the path of its draft, so that an unfinished one can be deleted later."""
    fresh = backup.draft_path(target.absolute())
    make_private(home.backups)
    _note_half_made(home, {*half_made(home), fresh})
    try:
        yield
    finally:
        if not fresh.exists():
            _note_half_made(home, {*half_made(home)} - {fresh})


def half_made(home: Home) -> list[Path]:
    """The noted drafts of copies, which a killed run may have left unfinished."""
    note = home.backups / COPYING
    return sorted(Path(name) for name in json.loads(note.read_bytes())) if note.exists() else []


def _note_half_made(home: Home, files: Collection[Path]) -> None:
    if files:
        write_private(home.backups / COPYING, json.dumps([str(file) for file in files]).encode())
    else:
        (home.backups / COPYING).unlink(missing_ok=True)


def _end_copying(home: Home) -> None:
    """Delete unfinished copies that killed runs left. A note stays if the file's disk may not be connected."""
    noted = half_made(home)
    left = set(noted)
    for file in noted:
        with contextlib.suppress(OSError):
            if file.exists():
                discard(file)
                left.discard(file)
            elif file.parent.resolve() == home.backups.resolve() or file.with_name(file.name[1:-5]).exists():
                left.discard(file)  # the draft was never written, or was renamed to its final name
    if left != {*noted}:
        _note_half_made(home, left)


def on_record(run: Run, vault: Vault, path: Path) -> submissions.Recorded | None:
    """The record of a file's content, or None if it is not on record or cannot be read."""
    data = take(path, run.campaign.limits)
    return submissions.recorded(vault, data) if data or inbox.is_empty(path) else None


def certificate_file(home: Home, number: int) -> Path:
    """The path of the certificate of a purge."""
    return home.certificates / f"purge-{number:04d}.json"


def certified(home: Home) -> set[int]:
    """The numbers of all certificates in the home, even if the record no longer has the purge."""
    found = (re.fullmatch("purge-([0-9]+)[.]json", path.name) for path in home.certificates.glob("*.json"))
    return {int(one[1]) for one in found if one}


def end_purges(run: Run, vault: Vault) -> None:
    """For each purge without a certificate file: delete files about purged children, then write the certificate."""
    for number, certificate in certificates(vault):
        file = certificate_file(run.home, number)
        if not file.exists():
            run.home.prepare()  # a home from an older version may lack folders, its certificate the list of copies
            _sweep(run, vault, certificate.get("copies", ()))
            file.parent.mkdir(exist_ok=True, mode=0o700)
            write_private(file, (json.dumps(certificate, ensure_ascii=False, indent=1) + "\n").encode())
            sync(file.parent)


def _sweep(run: Run, vault: Vault, copies: Collection[str]) -> None:
    """Delete files about purged individuals: issued and returned workbooks, reports, copies of the record.

    Decision workbooks stay, because they belong to a list that is still open (see `remove_decided`).
    """
    home, gone = run.home, purged_issues(vault)
    recorded = issued.issues(vault)
    put_issues_in_place(home.outbox, recorded)  # drafts of recorded issues are kept, all others deleted
    stays = {*recorded} - gone
    for folder in (home.outbox, home.received, home.refused):
        for own in [path for path in folder.iterdir() if issued.ISSUE.fullmatch(path.name) and path.name not in stays]:
            shutil.rmtree(own, ignore_errors=True)  # also folders of issues that a restored copy took back
        for draft in folder.rglob(".*.part"):
            draft.unlink()
    _sweep_loose(run, vault, gone)
    for path in home.reports.iterdir():  # reports can be made again from the record
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (home.backups / name for name in copies):
        if path.resolve() != home.vault.resolve():
            path.unlink(missing_ok=True)
    for draft in (*home.private.glob(".*.part"), *home.backups.glob(".*.part")):
        draft.unlink()


def _sweep_loose(run: Run, vault: Vault, gone: set[str]) -> None:
    """Delete returned files outside issue folders: those that named no issue, or that a killed load left behind."""
    nameless = purged_workbooks(vault)
    for path in inbox.files_of(run.home.refused / inbox.NAMELESS):
        if inbox.number_of(path) in nameless:
            path.unlink()
    for path in inbox.not_loaded(run.home.inbox):
        known = on_record(run, vault, path)
        if known is not None and (known.issue in gone or known.id in nameless):
            path.unlink()
