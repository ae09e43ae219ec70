"""The right to write: one command at a time changes a home, from a sound state to a sound state."""

from collections.abc import Iterator
from contextlib import contextmanager

from etl.vault.scopes.contents import scopes
from etl.vault.scopes.scope_files import differing_scopes, mark_current, mark_stale
from etl.vault.store import chain
from etl.vault.store.open import Vault
from etl.workflow import recovery
from etl.workflow.run import Run


@contextmanager
def writing(run: Run, *, create: bool = False, records: bool = True) -> Iterator[Vault]:
    """The open record, for the one command that changes it or the private files now.

    The home is locked from beginning to end. What an interrupted run left is ended or undone first; scope files are
    built anew where the record has grown. A record that was made for nothing is taken away again. FuxueError if
    another command is at work, or if the day is in doubt (`question_of_day`) and nobody agrees to it; of a command
    that `records` nothing the day is its own affair.
    """
    run.home.prepare()
    with run.home.lock():
        recovery.recover(run)
        is_fresh = not run.home.vault.exists()
        vault = run.open_vault(create=create)
        try:
            if records:
                run.ask_about_day(chain.last_day(vault.connection))
            with _scopes_following(run, vault):
                yield vault
        finally:
            is_empty = is_fresh and chain.head(vault.connection) is None
            vault.close()
            if is_empty:
                run.home.vault.unlink()


@contextmanager
def _scopes_following(run: Run, vault: Vault) -> Iterator[None]:
    """Build the scope files anew if the record has changed; a run that dies in between leaves them marked stale."""
    before = chain.head(vault.connection)
    mark_stale(run.home.scopes)
    try:
        yield
    except BaseException:
        if chain.head(vault.connection) == before:
            mark_current(run.home.scopes)
        raise
    if chain.head(vault.connection) is not None and differing_scopes(vault, run.campaign, run.home.scopes):
        recovery.rebuild_scopes(run, vault, run.bar("分发查询库", len(scopes(run.campaign))))
    mark_current(run.home.scopes)
