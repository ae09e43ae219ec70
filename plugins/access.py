"""Which account may see which scopes: a table beside the accounts, read at every request, never from a cookie."""

from typing import Any

from datasette.app import Datasette
from datasette.permissions import PermissionSQL

from etl.rulebook.campaign import BUREAU

#: A scope without data, for the account that keeps the audit log and sees nothing else.
CUSTODIAN = "custodian"

TABLE = """
CREATE TABLE IF NOT EXISTS fuxue_scopes (
  actor_id TEXT NOT NULL,
  scope    TEXT NOT NULL,
  PRIMARY KEY (actor_id, scope)
) STRICT
"""
#: SQL for the scopes of one account. A disabled, expired or unapproved account has none, even with a valid cookie.
OWN = """
SELECT s.scope FROM fuxue_scopes s JOIN datasette_accounts_users u ON u.id = s.actor_id
WHERE s.actor_id = :fuxue_actor AND NOT u.disabled AND NOT u.pending_approval
  AND (u.expires_at IS NULL OR u.expires_at > strftime('%Y-%m-%dT%H:%M:%f', 'now') || '+00:00')
"""
#: SQL for the databases that these scopes open; the bureau's scope opens all.
VISIBLE = f"""
SELECT d.database_name AS name FROM catalog_databases d
WHERE d.database_name IN ({OWN}) OR EXISTS (SELECT 1 FROM ({OWN}) WHERE scope = '{BUREAU}')
"""

#: The actions allowed within a scope; everything else that Datasette and its plugins could allow is denied.
SCOPED_ACTIONS = frozenset(("view-database", "view-table", "execute-sql"))


def permission(actor: dict[str, Any] | None, action: str) -> PermissionSQL | None:
    """The only permission rule: an account may view and query the databases of its scopes. None denies the action."""
    if not actor or not actor.get("id"):
        return None
    given = {"fuxue_actor": actor["id"]}
    if action == "view-instance":
        rule = f"SELECT NULL AS parent, NULL AS child, 1 AS allow, 'staff' AS reason WHERE EXISTS ({OWN})"
        return PermissionSQL(sql=rule, params=given)
    if action in SCOPED_ACTIONS:
        rule = f"SELECT name AS parent, NULL AS child, 1 AS allow, 'scope' AS reason FROM ({VISIBLE})"
        return PermissionSQL(sql=rule, params=given)
    return None


async def has_scope(datasette: Datasette, actor: dict[str, Any] | None, scope: str) -> bool:
    """Whether an active account has this scope itself (the bureau's scope does not include others here)."""
    if not actor or not actor.get("id"):
        return False
    given = {"fuxue_actor": actor["id"], "fuxue_scope": scope}
    found = await datasette.get_internal_database().execute(f"SELECT 1 FROM ({OWN}) WHERE scope = :fuxue_scope", given)
    return len(found.rows) > 0


async def visible_scopes(datasette: Datasette, actor: dict[str, Any]) -> list[str]:
    """Names of the databases that an account may see now, sorted, the bureau's first."""
    rows = await datasette.get_internal_database().execute(OWN, {"fuxue_actor": actor["id"]})
    own, every = {row[0] for row in rows}, {name for name, scope in datasette.databases.items() if scope.is_there}
    return sorted(every if BUREAU in own else own & every, key=lambda name: (name != BUREAU, name))


async def allowed(datasette: Any, actor: dict[str, Any] | None, action: str, scope: str | None) -> bool:
    """Whether an account may do something now: the same rule as `permission`, without Datasette's two large queries."""
    if not actor or not actor.get("id"):
        return False
    if action == "view-instance":
        found = await datasette.get_internal_database().execute(OWN, {"fuxue_actor": actor["id"]})
        return len(found.rows) > 0
    return action in SCOPED_ACTIONS and scope in await visible_scopes(datasette, actor)
