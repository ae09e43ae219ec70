"""Limits attempts to log in, finds who asks, and ends idle sessions, by the tables of `datasette-accounts`.

Attempts are limited by address, never by account: otherwise anyone who knows an account's name could lock it.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

import datasette_accounts
from datasette_accounts import resolve_actor

#: In a request's scope (ASGI): who asks, as found by the gate.
ACTOR_KEY = "fuxue.actor"
#: An address with this many failures within this time must wait.
MOST_OF_ONE, _WITHIN = 10, dt.timedelta(minutes=15)
#: After this many failures of all addresses, only addresses with a recent successful login may try.
MOST_OF_ALL, KNOWN_FOR = 100, dt.timedelta(days=30)
#: A session without a request for this long ends.
IDLE = dt.timedelta(minutes=30)
#: Seconds between two searches for idle sessions.
EVERY = 20.0

FAILURES = """
SELECT
  (SELECT count(*) FROM datasette_accounts_login_audit WHERE NOT success AND ip = :ip AND timestamp > :since),
  (SELECT count(*) FROM datasette_accounts_login_audit WHERE NOT success AND timestamp > :since),
  EXISTS (SELECT 1 FROM datasette_accounts_login_audit WHERE success AND ip = :ip AND timestamp > :lately)
"""
END_IDLE = "DELETE FROM datasette_accounts_sessions WHERE last_seen_at < ?"


async def must_wait(datasette: Any, address: str) -> bool:
    """Whether an address may not try a password at the moment."""
    given = {"ip": address, "since": _ago(_WITHIN), "lately": _ago(KNOWN_FOR)}
    row = (await datasette.get_internal_database().execute(FAILURES, given)).first()
    of_one, of_all, is_known = row
    return bool(of_one >= MOST_OF_ONE or (of_all >= MOST_OF_ALL and not is_known))


@dataclass
class IdleSessions:
    """Ends idle sessions; searches for them at intervals, not at every request."""

    looked: float = float("-inf")

    async def end(self, datasette: Any) -> None:
        """End the idle sessions, unless the last search was less than `EVERY` seconds ago."""
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            await datasette.get_internal_database().execute_write(END_IDLE, [_ago(IDLE)])


def _ago(span: dt.timedelta) -> str:
    """The time `span` before now, in the form of the accounts' tables."""
    return (dt.datetime.now(dt.UTC) - span).isoformat(timespec="milliseconds")


async def actor_of(datasette: Any, request: Any) -> dict[str, Any] | None:
    """Who asks: looked up in the accounts once for each request, and once only."""
    if ACTOR_KEY not in request.scope:
        request.scope[ACTOR_KEY] = await resolve_actor(datasette, request)
    found: dict[str, Any] | None = request.scope[ACTOR_KEY]
    return found


def install_actor_of() -> None:
    """Let the accounts plugin, which would look up the account twice more in each request, ask `actor_of`."""
    datasette_accounts.resolve_actor = actor_of
