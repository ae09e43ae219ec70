"""Serving and staff accounts on the command line. The staff plugins load a web server: only when one of these runs."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etl.cli.texts import text
from etl.findings import FuxueError
from etl.publish import server
from etl.read.staff_list import staff_rows
from etl.read.worker import take
from etl.report.staff_papers import build_accounts
from etl.rulebook.campaign import BUREAU
from etl.system.bounded import Bounds, Broke, Exceeded, run_bounded
from etl.system.disk import write_private
from etl.system.file_names import shown_name
from etl.system.home import Home
from etl.system.processes import child_environment, error_of
from etl.system.sealing import seal
from etl.vault.scopes.contents import scopes
from etl.workflow.issuing import paper_password
from etl.workflow.releasing import ROOT
from etl.workflow.run import Run

if TYPE_CHECKING:
    from plugins.certificate import Certificate


@dataclass(frozen=True)
class Ports:
    """Where each server listens."""

    staff: int = 8001
    site: int = 8000
    data: int = 8002


def check_addresses(run: Run, host: str, *ports: int) -> bool:
    """Whether the staff instance has TLS there. FuxueError unless it may listen and every port is free."""
    from plugins.launch import check_host

    tls = check_host(run.home, run.keys, host)
    check_ports(host, *ports)
    return tls is not None


def check_ports(host: str, *ports: int) -> None:
    """FuxueError if one of the ports is taken."""
    for port in ports:
        server.check_free(host, port)


def serve_public(home: Home, host: str, ports: Ports) -> None:
    """The static site and the public Datasette, until interrupted."""
    server.serve_public(home.public, host=host, site_port=ports.site, data_port=ports.data)


def serve_staff(run: Run, host: str, ports: Ports) -> None:
    """The staff Datasette, until interrupted."""
    from plugins.launch import serve_staff as serve

    run.prove_key()
    serve(run.home, run.keys, run.campaign, host=host, port=ports.staff)


def serve_both(run: Run, host: str, ports: Ports) -> None:
    """Both until interrupted, the public one in a process of its own that is given no key."""
    with _public_process(run.home, host, ports) as stopped:
        try:
            serve_staff(run, host, ports)
        finally:
            stopped()


@contextlib.contextmanager
def _public_process(home: Home, host: str, ports: Ports) -> Iterator[Callable[[], None]]:
    command = [sys.executable, "-m", "etl.publish.server", "--public", str(home.public.absolute()), "--host", host]
    command += ["--site-port", str(ports.site), "--data-port", str(ports.data)]
    child = subprocess.Popen(command, cwd=ROOT, env=child_environment(), stderr=subprocess.PIPE, text=True)

    def stopped() -> None:
        """Raise what the process died of, if it died by itself."""
        if child.poll():
            raise error_of(child.stderr.read() if child.stderr else "", child.returncode)

    try:
        # A port that is taken is told at once, not after the staff instance has started.
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1.5)
        stopped()
        yield stopped
    finally:
        child.terminate()
        child.wait()


def demo_accounts(run: Run) -> tuple[tuple[str, str], ...]:
    """The demo's accounts (name, password): the bureau, and the clerk of the unit with the most children."""
    from plugins.launch import add_account

    issued = sorted(run.issued_counts().items(), key=lambda pair: (-pair[1], pair[0]))
    made = []
    for scope in (BUREAU, issued[0][0]):
        password = run.keys.demo_password(scope)
        with run.home.lock():
            made.append((scope, add_account(run.home, run.keys, scope, scope, password)))
    return tuple(made)


def add_staff(run: Run, name: str, scope: str) -> str:
    """Make a staff account and return its one-time password."""
    from plugins.access import CUSTODIAN
    from plugins.launch import add_account

    run.prove_key()
    if scope not in (*scopes(run.campaign), CUSTODIAN):
        raise FuxueError("staff.unknown_scope", scope=scope)
    with run.home.lock():
        return add_account(run.home, run.keys, name, scope)


def import_staff(run: Run, path: Path) -> tuple[Path, int]:
    """Make all accounts of a list, or none. Their passwords go into a sealed workbook: gives it, and how many.

    FuxueError with exit code 1 that names the row of whatever is wrong with the list.
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
    write_private(target, seal(build_accounts(f"{run.campaign.county}工作人员账号", lines), paper_password(run)))
    try:
        accounts.add_accounts(run.home, run.keys, made)
    except BaseException:
        target.unlink()  # passwords of nobody
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
    """Shut a staff account out at once."""
    from plugins.launch import disable_account

    run.prove_key()
    with run.home.lock():
        disable_account(run.home, run.keys, name)


def list_staff(run: Run) -> list[tuple[str, str, bool, str]]:
    """(name, scopes, disabled, last login) of every staff account."""
    from plugins.launch import list_accounts

    run.prove_key()
    return [(a.username, " ".join(a.scopes), a.disabled, a.last_login or "") for a in list_accounts(run.home, run.keys)]


def make_certificate(run: Run, hosts: Sequence[str], days: int) -> "Certificate":
    """TLS for the staff instance: a certificate for these hosts, and an authority that vouches for nothing else."""
    from plugins.certificate import make_certificate as make

    run.prove_key()
    with run.home.lock():
        return make(run.home, run.keys, run.campaign.county, hosts, days, run.day)


def demo_logins(home: Home, run: Run) -> list[tuple[str, str]]:
    """The demo's accounts that are still there, with their derived passwords; empty for a home that is no demo."""
    if not home.demo_key.exists():
        return []
    known = {BUREAU, *run.campaign.unit}
    return [(name, run.keys.demo_password(name)) for name, *_ in list_staff(run) if name in known]
