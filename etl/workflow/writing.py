"""The context for commands that write: it locks the home, recovers first, and keeps scope files up to date."""

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
    """The open record, for a command that changes it or the private files.

    The home is locked from beginning to end. First, what an interrupted command left is finished or undone. At the end,
    scope files are rebuilt if the record has changed, and a record that was made (`create`) but stayed empty is
    deleted. FuxueError if another command holds the lock, or if the day is doubtful and the person does not agree
    (`Run.ask_about_day`); the day is checked only for a command that `records` something.
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
    """Rebuild the scope files if the record has changed; after an interruption they stay marked as stale."""
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
