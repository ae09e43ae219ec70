"""The staff instance: a Datasette with the databases of scopes and no others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datasette.app import INTERNAL_DB_NAME, Datasette
from datasette.permissions import Resource
from datasette.utils.internal_db import init_internal_db

from etl.system.home import Home
from etl.vault.store.keys import Keys
from plugins import hooks
from plugins.access import CUSTODIAN, allowed, has_scope
from plugins.databases import InternalDatabase, ScopeDatabase, use_sqlcipher
from plugins.describe import EXPORT_MS, METADATA, SETTINGS, TABLE_DISPLAY, metadata_rows, titles
from plugins.gate import Rules
from plugins.looks import Auditor, seen
from plugins.scope_pages import ScopePages
from plugins.sessions import IdleSessions
from plugins.statement_limits import Turns, rows_of_bounded_answers
from plugins.story import tellings

_HERE = Path(__file__).resolve().parent


class StaffDatasette(Datasette):  # type: ignore[misc]
    """Datasette with some scopes of a home; without any, it serves to manage accounts."""

    def __init__(
        self,
        home: Home,
        keys: Keys,
        rules: Rules,
        scopes: list[str],
        pages: ScopePages | None = None,
        **options: Any,
    ) -> None:
        use_sqlcipher()
        hooks.install()
        path = home.staff / "staff.db"
        super().__init__(
            internal=str(path),
            secret=keys.derive("staff-cookies").hex(),
            settings=SETTINGS,
            template_dir=str(_HERE / "templates"),
            static_mounts=[("-/fuxue", str(_HERE / "static"))],
            default_deny=True,
            **options,
        )
        self.rules = rules
        #: The printed name of each unit and department, by the code that the tables have.
        self.printed_names: dict[str, str] = titles(options.get("metadata") or {})["scope_titles"]
        self.home, self.keys, self.auditor = home, keys, Auditor(home, keys)
        self.idle_sessions, self.turns = IdleSessions(), Turns()
        self.pages, self.tellings = pages, tellings()
        self.remove_database("_memory")
        self._internal_database = InternalDatabase(self, path, keys)
        self._internal_database.name = INTERNAL_DB_NAME
        for scope in scopes:
            self.add_database(ScopeDatabase(self, home.scopes, scope, keys), name=scope)

    async def is_custodian(self, actor: dict[str, Any] | None) -> bool:
        """Whether an account is the custodian's, who keeps the audit log."""
        return bool(actor) and await has_scope(self, actor, CUSTODIAN)

    async def allowed_many(
        self, *, actions: Sequence[str], resource: Resource | None = None, actor: dict[str, Any] | None = None
    ) -> dict[str, bool]:
        """Whether an account may do each of some things with a scope or one of its tables."""
        scope = resource.parent if resource else None
        return {action: await allowed(self, actor, action, scope) for action in actions}

    async def table_config(self, database: str, table: str) -> dict[str, Any]:  # noqa: ARG002 - alike in all scopes
        """How a table is shown. It is not part of the configuration, which Datasette goes through at every request."""
        return dict(TABLE_DISPLAY.get(table, {}))

    def _prepare_connection(self, conn: Any, database: str) -> None:
        super()._prepare_connection(conn, database)
        if database in self.databases:
            conn.row_factory = rows_of_bounded_answers()

    @property
    def sql_time_limit_ms(self) -> int:
        """The time that a statement may take: an export reads all rows, and few are at work at once (`Turns`)."""
        what = seen.get()
        return EXPORT_MS if what and what.is_export else int(self.setting("sql_time_limit_ms"))

    @sql_time_limit_ms.setter
    def sql_time_limit_ms(self, _usual: int) -> None:
        """Datasette copies the setting when it starts."""

    def close(self) -> None:
        """Close every file, including the audit log."""
        self.auditor.close()
        super().close()

    async def _refresh_schemas(self) -> None:
        """Update the catalogue of the scopes; without scopes, leave the catalogue of a running server unchanged."""
        for name in [name for name, scope in self.databases.items() if not scope.is_there]:
            self.remove_database(name)
        if self.databases:
            await super()._refresh_schemas()
        elif not self.internal_db_created:  # type: ignore[has-type]  # pragma: no branch - tests end sooner
            await init_internal_db(self.get_internal_database())
            self.internal_db_created = True

    async def apply_metadata_json(self) -> None:
        """Replace the descriptions of tables and columns, in one transaction instead of one for each line."""
        rows = metadata_rows(self._metadata_local)

        def write(connection: Any) -> None:
            for table, fields in METADATA.items():
                marks = ", ".join("?" for _ in fields)
                connection.execute(f"DELETE FROM {table}")
                connection.executemany(f"INSERT INTO {table} ({', '.join(fields)}) VALUES ({marks})", rows[table])

        await self.get_internal_database().execute_write_fn(write)
