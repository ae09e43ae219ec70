"""When someone may not try a password, and when a session ends by itself: by what `datasette-accounts` wrote down.

An account is never locked: whoever knows its name could then shut its holder out. Who is slowed down is an address.
"""

import datetime as dt
import time
from dataclasses import dataclass
from typing import Any

#: So many failures of one address within so long, and it waits.
MOST_OF_ONE, _WITHIN = 10, dt.timedelta(minutes=15)
#: So many of all addresses, and only those may try from which somebody has logged in lately.
MOST_OF_ALL, KNOWN_FOR = 100, dt.timedelta(days=30)
#: A session that asks for nothing for so long is over.
IDLE = dt.timedelta(minutes=30)
#: Seconds between two looks for such sessions.
EVERY = 20.0

FAILURES = """
SELECT
  (SELECT count(*) FROM datasette_accounts_login_audit WHERE NOT success AND ip = :ip AND timestamp > :since),
  (SELECT count(*) FROM datasette_accounts_login_audit WHERE NOT success AND timestamp > :since),
  EXISTS (SELECT 1 FROM datasette_accounts_login_audit WHERE success AND ip = :ip AND timestamp > :lately)
"""
END_IDLE = "DELETE FROM datasette_accounts_sessions WHERE last_seen_at < ?"


async def must_wait(datasette: Any, address: str) -> bool:
    """Whether an address may not try a password now."""
    given = {"ip": address, "since": _ago(_WITHIN), "lately": _ago(KNOWN_FOR)}
    row = (await datasette.get_internal_database().execute(FAILURES, given)).first()
    of_one, of_all, is_known = row
    return bool(of_one >= MOST_OF_ONE or (of_all >= MOST_OF_ALL and not is_known))


@dataclass
class IdleSessions:
    """Ends sessions that ask for nothing; looks now and then, not at every request."""

    looked: float = float("-inf")

    async def end(self, datasette: Any) -> None:
        """End those that are over."""
        now = time.monotonic()
        if now - self.looked >= EVERY:
            self.looked = now
            await datasette.get_internal_database().execute_write(END_IDLE, [_ago(IDLE)])


def _ago(span: dt.timedelta) -> str:
    """A moment as the accounts' tables write it."""
    return (dt.datetime.now(dt.UTC) - span).isoformat(timespec="milliseconds")
