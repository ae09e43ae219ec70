"""Accounts of the staff instance, and its TLS certificate."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from etl.findings import FuxueError
from etl.read.staff_list import staff_rows
from etl.read.worker import take
from etl.report.staff_papers import build_accounts
from etl.rulebook.campaign import BUREAU
from etl.system.bounded import Bounds, Broke, Exceeded, run_bounded
from etl.system.disk import write_private
from etl.system.file_names import shown_name
from etl.system.home import Home
from etl.system.sealing import seal
from etl.vault.scopes.contents import scopes
from etl.workflow.issuing import bureau_password
from etl.workflow.run import Run
from etl.workflow.texts import text

if TYPE_CHECKING:
    from plugins.certificate import Certificate


def demo_accounts(run: Run) -> tuple[tuple[str, str], ...]:
    """Make the demo's accounts: for the bureau, and for the unit with the most children; return (name, password)."""
    from plugins.launch import add_account

    issued = sorted(run.issued_counts().items(), key=lambda pair: (-pair[1], pair[0]))
    made = []
    for scope in (BUREAU, issued[0][0]):
        password = run.keys.demo_password(scope)
        with run.home.lock():
            made.append((scope, add_account(run.home, run.keys, scope, scope, password)))
    return tuple(made)


def add_staff(run: Run, name: str, scope: str) -> str:
    """Make a staff account and return its one-time password. FuxueError if there is no such scope."""
    from plugins.access import CUSTODIAN
    from plugins.launch import add_account

    run.prove_key()
    if scope not in (*scopes(run.campaign), CUSTODIAN):
        raise FuxueError("staff.unknown_scope", scope=scope)
    with run.home.lock():
        return add_account(run.home, run.keys, name, scope)


def import_staff(run: Run, path: Path) -> tuple[Path, int]:
    """Make all accounts of a list, or none; return (sealed workbook with their passwords, number of accounts).

    FuxueError with exit code 1, which names the faulty rows, if the list has faults.
    """
    run.prove_key()
    with run.home.lock():
        return _import_staff(run, _staff_rows(run, path), path)


def _import_staff(run: Run, rows: Sequence[tuple[int, str, str]], path: Path) -> tuple[Path, int]:
    from plugins import accounts

    taken = {account.username.lower() for account in accounts.list_accounts(run.home, run.keys)}
    faults, seen = [], set(taken)
    for number, name, scope in rows:
        try:
            if name.lower() in seen:
                raise FuxueError("staff.name_taken", username=name)
            seen.add(name.lower())
            accounts.check_account(run.home, name, scope)
        except FuxueError as error:
            faults.append(text("staff.fault", row=number, reason=text(error.key, **error.params)))
    if not rows:
        raise FuxueError("staff.list_empty", file=shown_name(path), code=1)
    if faults:
        reason = "".join(f"\n  {fault}" for fault in faults[:12])
        raise FuxueError("staff.list_faulty", file=shown_name(path), count=len(faults), faults=reason, code=1)
    made = [(name, scope, accounts.typeable()) for _, name, scope in rows]
    lines = [(name, run.campaign.recipient_name(scope), password) for name, scope, password in made]
    target = run.home.reports / f"staff-{run.day.isoformat()}.xlsx"
    write_private(target, seal(build_accounts(f"{run.campaign.county}工作人员账号", lines), bureau_password(run)))
    try:
        accounts.add_accounts(run.home, run.keys, made)
    except BaseException:
        target.unlink()  # the accounts of these passwords were not made
        raise
    return target, len(made)


def _staff_rows(run: Run, path: Path) -> list[tuple[int, str, str]]:
    limits = run.campaign.limits
    bounds = Bounds(limits.seconds, limits.memory_bytes, limits.answer_bytes)
    try:
        rows: list[tuple[int, str, str]] | None = run_bounded(staff_rows, (take(path, limits),), bounds)
    except (Exceeded, Broke):
        raise FuxueError("staff.list_unreadable", file=shown_name(path), code=1) from None
    if rows is None:
        raise FuxueError("staff.list_headings", file=shown_name(path), code=1)
    return rows


def disable_staff(run: Run, name: str) -> None:
    """Disable a staff account; it takes effect immediately."""
    from plugins.launch import disable_account

    run.prove_key()
    with run.home.lock():
        disable_account(run.home, run.keys, name)


def enable_staff(run: Run, name: str) -> None:
    """Let a disabled staff account log in again."""
    from plugins.launch import enable_account

    run.prove_key()
    with run.home.lock():
        enable_account(run.home, run.keys, name)


def reset_staff(run: Run, name: str) -> str:
    """Give a staff account a new one-time password and return it; its sessions end immediately."""
    from plugins.launch import reset_account

    run.prove_key()
    with run.home.lock():
        return reset_account(run.home, run.keys, name)


def list_staff(run: Run) -> list[tuple[str, str, bool, str]]:
    """(name, scopes, is disabled, last login) of every staff account."""
    from plugins.launch import list_accounts

    run.prove_key()
    return [(a.username, " ".join(a.scopes), a.disabled, a.last_login or "") for a in list_accounts(run.home, run.keys)]


def make_certificate(run: Run, hosts: Sequence[str], days: int) -> "Certificate":
    """Make a TLS certificate for the staff instance on these hosts, and the authority that signs only this one."""
    from plugins.certificate import sign_certificate as make

    run.prove_key()
    with run.home.lock():
        return make(run.home, run.keys, run.campaign.county, hosts, days, run.day)


def demo_logins(home: Home, run: Run) -> list[tuple[str, str]]:
    """(name, password) of the demo's accounts that still exist; empty if the home is not a demo."""
    if not home.demo_key.exists():
        return []
    known = {BUREAU, *run.campaign.unit}
    return [(name, run.keys.demo_password(name)) for name, *_ in list_staff(run) if name in known]
