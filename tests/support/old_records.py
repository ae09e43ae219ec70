"""Records as former versions made them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etl.vault.store.chain import COVERED_BEFORE_6
from etl.vault.store.files import connect
from etl.vault.store.open import Vault
from etl.vault.upkeep.upgrade import CHAINED, reseal
from etl.workflow.run import Run


@contextmanager
def opened(run: Run) -> Iterator[Vault]:
    with run.open_vault() as vault:
        yield vault


def old_home(run: Run, version: int, schemas: Path) -> dict[str, int]:
    """The run's record as an older version would have kept it: how many rows of each table."""
    with opened(run) as vault:
        kept = {
            table: (columns, vault.connection.execute(f"SELECT {', '.join(columns)} FROM {source}").fetchall())
            for table, source, columns in OLD[version]
        }
    run.home.vault.unlink()
    connection = connect(run.home.vault, run.keys.derive("file:vault"), create=True)
    script = re.sub(" *--.*", "", (schemas / f"{version}.sql").read_text(encoding="utf-8"))
    connection.executescript(script)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", [("schema", str(version)), ("campaign", run.campaign.id)])
    for table, (columns, rows) in kept.items():
        marks = ", ".join("?" for _ in columns)
        names = [column.rpartition(" ")[2] for column in columns]
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)
    if CHAINED <= version < 6:
        with Vault(connection, run.keys).transaction():
            reseal(Vault(connection, run.keys), COVERED_BEFORE_6)
    connection.close()
    return {table: len(rows) for table, (_, rows) in kept.items()}


ISSUE = ["id", "issued_on", "form", "extends", "CAST(id AS BLOB) AS fingerprint"]


CHILD = ["issue", "serial", "unit", "province", "city", "county", "name", "sex", "id_number", "household"]


WORKBOOKS = "workbook JOIN file_name n ON n.workbook = id JOIN filler f ON f.workbook = id"


WORKBOOK = ["id", "issue", "unit", "n.name AS file", "fingerprint", "received", "sealed", "status",
            "f.name AS filler", "f.phone AS phone", "f.leader AS leader"]  # fmt: skip


BOTH = [
    ("child", "child", CHILD), ("workbook", WORKBOOKS, WORKBOOK),
    ("answer", "answer", ["workbook", "issue", "serial", "category", "returned", "team"]),
    ("finding", "finding", ["workbook", "rule", "severity", "sheet", "cell", "serial", "message", "message_en"]),
]  # fmt: skip


LATER = [
    ("issue", "issue", ISSUE),
    ("bundle", "bundle", ["issue", "unit", "children", "fingerprint"]), *BOTH,
]  # fmt: skip


WITH_CHAIN = [
    ("issue", "issue", [*ISSUE, "key"]),
    LATER[1], BOTH[0], ("workbook", "workbook LEFT JOIN file_name n ON n.workbook = id", WORKBOOK[:8]),
    ("filler", "filler", ["workbook", "name", "phone", "leader"]), *BOTH[2:],
    ("tally", "tally", ["workbook", "category", "returned", "children"]),
    ("correction", "correction", ["issue", "serial", "department", "category", "opened_by"]),
    ("case_file", "case_file", ["issue", "serial", "unit", "opened_by"]),
    ("link", "link", ["id", "day", "kind", "subject", "key", "leaves", "seal"]),
    ("nonce", "nonce", ["link", "nonces"]),
]  # fmt: skip


OF_6 = [
    ("issue", "issue", [*ISSUE[:4], "key"]), LATER[1], BOTH[0],
    ("workbook", "workbook", ["id", "issue", "unit", "fingerprint", "received", "sealed", "status"]),
    ("file_name", "file_name", ["workbook", "name"]), *WITH_CHAIN[4:],
]  # fmt: skip


OLD = {
    1: [("issue", "issue", [*ISSUE[:2], ISSUE[-1]]), ("bundle", "bundle", ["issue", "unit", "children"]), *BOTH],
    2: LATER, 3: LATER, 4: WITH_CHAIN, 5: WITH_CHAIN, 6: OF_6,
}  # fmt: skip
