"""The chain (M19): verification finds every change, addition and removal, and published figures can be traced."""

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from datasette.utils import parse_metadata

from etl.cli.main import main
from etl.exchange.release import read_release
from etl.findings import FuxueError
from etl.rulebook.campaign import Campaign
from etl.vault.record import releases
from etl.vault.record.count import count
from etl.vault.scopes.contents import scopes
from etl.vault.store import chain
from etl.vault.store.chain import COVERS
from etl.vault.store.files import connect, numbers_path, scope_path
from etl.vault.store.open import SCHEMA_VERSION, schema_of, statements
from etl.vault.upkeep.upgrade import CHAINED
from etl.vault.upkeep.verify import check_record
from etl.workflow import loading, recording, releasing, standing, synthesizing, upkeep
from etl.workflow.recovery import recover_unless_busy
from etl.workflow.run import Run
from tests.support.forced import forced
from tests.support.homes import ROOT, at_due, put_in_place
from tests.support.old_records import OLD, old_home, opened


@pytest.fixture(scope="module")
def released_once(
    tmp_path_factory: pytest.TempPathFactory, loaded_once: Path, small: Campaign, small_folder: Path
) -> Path:
    """A home in which all three workbooks are accepted, a paper is signed for, and a release is out."""
    root = tmp_path_factory.mktemp("released") / "var"
    shutil.copytree(loaded_once, root)
    run = at_due(root, small, small_folder)
    recording.record_signature(run, "xiling", "verification", [], "登记员甲")
    recording.record_deliverable(run, "xiling", "annex4", "paper", "登记员甲", signed=True)
    releasing.release_figures(run)
    return root


@pytest.fixture
def published_home(run: Run, released_once: Path) -> Run:
    return put_in_place(run, released_once)


def broken(run: Run) -> list[tuple[str, object, object]]:
    return [(b.key, b.params.get("link"), b.params.get("table")) for b in upkeep.verify_record(run).breaks]


def test_everything_on_record_is_in_the_chain_in_order(published_home: Run) -> None:
    found = upkeep.verify_record(published_home)
    assert (found.breaks, found.links) == ((), 7)
    with opened(published_home) as vault:
        kinds = [(link.kind, link.subject) for link in chain.links(vault.connection)]
    assert kinds == [("issue", "20200302-01"), ("workbook", "1"), ("workbook", "2"), ("workbook", "3"),
                     ("signature", "1"), ("deliverable", "1"), ("release", "0001")]  # fmt: skip


CHANGES = [
    ("UPDATE child SET household = household || '一' WHERE serial = (SELECT min(serial) FROM child)", 1, "child"),
    ("UPDATE answer SET category = 'B' WHERE workbook = 2 AND category <> 'B'", 3, "answer"),
    ("DELETE FROM answer WHERE workbook = 2 AND serial = (SELECT max(serial) FROM answer WHERE workbook = 2)", 3, None),
    ("UPDATE workbook SET received = '2020-03-01' WHERE id = 1", 2, "workbook"),
    ("UPDATE bundle SET children = children + 1 WHERE unit = 'xiling'", 1, "bundle"),
    (
        "UPDATE release_count SET children = children + 1 WHERE row = 'xiling' AND state = 'deducted'",
        7,
        "release_count",
    ),
    ("UPDATE signature SET recorded_by = '别人'", 5, "signature"),
    ("INSERT INTO signed_child SELECT 1, issue, serial, 'x' FROM child WHERE unit = 'donggang' LIMIT 1", 5, None),
    ("UPDATE nonce SET nonces = zeroblob(length(nonces)) WHERE link = 3", 3, "workbook"),
    ("UPDATE nonce SET nonces = x'' WHERE link = 3", 3, "nonce"),
]


@pytest.mark.parametrize(("sql", "link", "table"), CHANGES)
def test_a_changed_added_or_removed_row_is_found_at_its_link(
    published_home: Run, sql: str, link: int, table: str | None
) -> None:
    with forced(published_home) as db:
        assert db.execute(sql).rowcount > 0
    first = broken(published_home)[0]
    assert first[:2] == ("verify.row", link)
    assert table in (None, first[2])


def test_a_changed_link_breaks_its_own_seal(published_home: Run) -> None:
    for at, sql in enumerate(("day = '2020-01-01'", "subject = '9'", "leaves = zeroblob(length(leaves))"), 2):
        with forced(published_home) as db:
            db.execute(f"UPDATE link SET {sql} WHERE id = {at}")
        assert ("verify.seal", at, None) in broken(published_home)


def test_a_seal_that_was_exchanged_breaks_it_and_the_next(published_home: Run) -> None:
    with forced(published_home) as db:
        db.execute("UPDATE link SET seal = zeroblob(32) WHERE id = 4")
    assert [one[:2] for one in broken(published_home)] == [("verify.seal", 4), ("verify.seal", 5)]


def test_a_link_that_was_taken_out_is_missed(published_home: Run) -> None:
    with forced(published_home) as db:
        db.execute("DELETE FROM link WHERE id = 4")
    assert "verify.gap" in {one[0] for one in broken(published_home)}


def test_a_record_cut_short_holds_by_itself_but_not_against_the_custodians_paper(published_home: Run) -> None:
    with opened(published_home) as vault:
        head = chain.head(vault.connection)
    assert head is not None
    paper = chain.printed(head.seal)
    found = upkeep.verify_record(published_home, paper.upper().replace(" ", "-")).paper
    assert found is not None
    assert found.id == head.id
    with forced(published_home) as db:
        for sql in ("release_count", "release", "link WHERE id = 7", "nonce WHERE link = 7"):
            db.execute(f"DELETE FROM {sql}")
    short = upkeep.verify_record(published_home, paper)
    assert {one.key for one in short.breaks} == {"verify.paper", "verify.release_unknown", "verify.scope"}


def test_what_was_put_in_without_a_link_is_found(published_home: Run) -> None:
    with forced(published_home) as db:
        db.execute("INSERT INTO deliverable VALUES (2, 'xiling', 'annex5', 'stick', 0, '甲', '2020-03-16')")
    assert [b.key for b in upkeep.verify_record(published_home).breaks] == ["verify.unlinked"]


def test_a_release_that_was_changed_or_lost_is_found(published_home: Run) -> None:
    file = published_home.home.released / "0001" / "release.json"
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    assert [b.key for b in upkeep.verify_record(published_home).breaks] == ["verify.release_changed"]
    file.write_bytes(content)
    assert upkeep.verify_record(published_home).breaks == ()
    (file.parent / "note.txt").write_text("…", "utf-8")
    assert [b.key for b in upkeep.verify_record(published_home).breaks] == ["verify.release_changed"]
    shutil.rmtree(file.parent)
    assert [b.key for b in upkeep.verify_record(published_home).breaks] == ["verify.release_missing"]


def test_each_row_of_a_covered_table_has_a_place_of_its_own(published_home: Run) -> None:
    """Leaves follow the order of the primary key, so their order never changes."""
    with opened(published_home) as vault:
        tables = {name for (name,) in vault.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert {table for own in COVERS.values() for table, *_ in own} == tables - {"meta", "link", "nonce"}
        for own in COVERS.values():
            for table, column, order in own:
                info = vault.connection.execute(f"PRAGMA table_info({table})").fetchall()
                primary = {name for _, name, *_, at in info if at}
                assert primary <= {column, *order.split(", ")} | {"issue"}, table


def test_the_same_row_has_another_leaf_in_another_home(loaded: Run, run: Run) -> None:
    with opened(loaded) as vault:
        first = next(chain.links(vault.connection))
        nonces = bytes(vault.connection.execute("SELECT nonces FROM nonce WHERE link = 1").fetchone()[0])
    parts = [nonces[at : at + chain.NONCE] for at in range(0, len(nonces), chain.NONCE)]
    assert len(set(parts)) == len(parts) == len(first.leaves) // chain.LEAF


@pytest.mark.parametrize("table", ["city", "units", "categories"])
def test_every_published_cell_is_traced_to_its_workbooks(published_home: Run, table: str) -> None:
    release = read_release(published_home.home.released / "0001")
    with opened(published_home) as vault:
        for (row, measure), cell in release.table(table).cells.items():
            found = releases.trace_cell(vault, published_home.campaign, "0001", table, f"{row}.{measure}")
            assert found.is_whole
            if cell.low is not None and cell.high is not None:
                assert cell.low <= found.recorded <= cell.high
            assert {one.unit for one in found.sources} <= (
                {row} if row in published_home.campaign.unit else {*published_home.campaign.unit}
            )


def test_a_workbook_that_came_after_the_release_changes_nothing_of_its_trace(published_home: Run) -> None:
    with opened(published_home) as vault:
        before = releases.trace_cell(vault, published_home.campaign, "0001", "city", "city.returned")
    synthesizing.synthesize_fill(published_home, 45, 99, "default")
    loading.load_files(published_home, sorted(published_home.home.inbox.glob("*.xlsx")))
    with opened(published_home) as vault:
        assert releases.trace_cell(vault, published_home.campaign, "0001", "city", "city.returned") == before
    assert upkeep.verify_record(published_home).breaks == ()


@pytest.mark.parametrize(("release", "table", "cell", "key"), [
    ("0002", "city", "city.returned", "no_release"), ("0001", "town", "city.returned", "no_table"),
    ("0001", "city", "xiling.returned", "no_cell"), ("0001", "units", "xiling", "no_cell"),
])  # fmt: skip
def test_a_cell_that_was_not_published_is_reported(
    published_home: Run, release: str, table: str, cell: str, key: str
) -> None:
    with opened(published_home) as vault, pytest.raises(FuxueError, match=f"trace.{key}"):
        releases.trace_cell(vault, published_home.campaign, release, table, cell)


def test_the_command_line_verifies_and_traces_and_exits_with_three_for_a_break(published_home: Run) -> None:
    given = ["--home", str(published_home.home.root), "--campaign", str(published_home.campaign_folder)]

    def call(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*given, *arguments])
        return done.exit_code, done.output

    code, said = call("vault", "verify")
    assert (code, "证据链完整：7 环" in said) == (0, True)
    code, said = call("vault", "trace", "0001", "units", "xiling.suspected")
    assert (code, "第 0001 次公布 units xiling.suspected" in said) == (0, True)
    with forced(published_home) as db:
        db.execute("UPDATE tally SET children = children + 1 WHERE workbook = 1")
    code, said = call("vault", "verify")
    assert (code, "第 2 环" in said) == (3, True)
    assert call("vault", "verify", "--head", "0000")[0] == 3


def test_a_release_that_was_interrupted_before_its_folder_took_its_place_is_ended_by_the_next_run(
    loaded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> Path:
        raise OSError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(releasing, "place_release", stop)
        with pytest.raises(OSError, match="killed"):
            releasing.release_figures(loaded)
    recover_unless_busy(loaded)
    assert upkeep.verify_record(loaded).breaks == ()  # the release is in its hidden folder, as recorded
    assert releasing.release_figures(loaded, dry_run=True).release.name == "0002"
    assert (loaded.home.released / "0001" / "release.json").exists()
    assert upkeep.verify_record(loaded).breaks == ()


def test_a_guard_that_was_taken_off_and_a_changed_view_are_found(published_home: Run) -> None:
    connection = connect(published_home.home.vault, published_home.keys.derive("file:vault"))
    connection.execute("DROP TRIGGER answer_kept")
    connection.execute("DROP VIEW current_workbook")
    connection.execute("CREATE VIEW current_workbook AS SELECT min(id) AS id, issue, unit FROM workbook GROUP BY 2, 3")
    connection.execute("CREATE TABLE more (x)")
    connection.close()
    found = [(b.key, b.params.get("name")) for b in upkeep.verify_record(published_home).breaks]
    assert found == [("verify.schema", name) for name in ("answer_kept", "current_workbook", "more")]


def test_scopes_that_are_newer_than_the_record_are_found_and_built_anew_by_the_next_command(loaded: Run) -> None:
    """An older copy replaces the record without the program's knowledge."""
    older = loaded.home.vault.read_bytes()
    recording.record_signature(loaded, "xiling", "verification", [], "登记员甲")
    loaded.home.vault.write_bytes(older)
    found = upkeep.verify_record(loaded).breaks
    assert {b.key for b in found} == {"verify.scope"}
    assert [b.params["scope"] for b in found] == scopes(loaded.campaign)
    recording.record_deliverable(loaded, "xiling", "annex4", "paper", "登记员甲", signed=True)
    assert upkeep.verify_record(loaded).breaks == ()


def test_a_scope_that_is_missing_or_damaged_is_found(loaded: Run) -> None:
    scope_path(loaded.home.scopes, "xiling").unlink()
    numbers_path(loaded.home.scopes, "donggang").write_bytes(b"x")
    found = upkeep.verify_record(loaded).breaks
    assert [(b.key, b.params["scope"]) for b in found] == [("verify.scope", s) for s in ("donggang", "xiling")]


def test_a_table_of_a_release_that_was_changed_is_found(published_home: Run) -> None:
    table = published_home.home.released / "0001" / "units.csv"
    table.write_bytes(table.read_bytes().replace(b"xiling", b"xilinh"))
    assert [b.key for b in upkeep.verify_record(published_home).breaks] == ["verify.release_changed"]


@pytest.mark.parametrize("version", sorted(OLD))
def test_a_record_of_every_older_version_is_brought_to_this_one_with_all_that_it_holds(
    loaded: Run, version: int
) -> None:
    before = standing.standing_of(loaded).units
    with opened(loaded) as vault:
        expected = schema_of(vault.connection)
    kept = old_home(loaded, version, ROOT / "tests/support/schemas")
    content = loaded.home.vault.read_bytes()
    with pytest.raises(FuxueError, match=r"vault\.older_schema"):
        loaded.open_vault()
    assert loaded.home.vault.read_bytes() == content
    given = ["--home", str(loaded.home.root), "--campaign", str(loaded.campaign_folder)]
    done = CliRunner().invoke(main, [*given, "vault", "upgrade"])
    assert (done.exit_code, f"从版本 {version} 升级" in done.output) == (0, True), done.output
    with opened(loaded) as vault:
        assert schema_of(vault.connection) == expected
        for table, count in kept.items():
            now = vault.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            assert now == count + (version >= CHAINED and table in ("link", "nonce")), table
        loaded_before = ["issue", *["workbook"] * 3]
        kinds = [link.kind for link in chain.links(vault.connection)]
        assert kinds == ([*loaded_before, "upgrade"] if version >= CHAINED else ["upgrade", *loaded_before])
        assert check_record(vault, loaded.campaign, loaded.home.released, loaded.home.scopes).breaks == ()
        assert vault.connection.execute("SELECT count(*) FROM tally").fetchone()[0] > 0
        assert vault.connection.execute("SELECT count(*) FROM correction").fetchone()[0] > 0
        assert vault.connection.execute("SELECT count(*) FROM case_file").fetchone()[0] > 0
    assert standing.standing_of(loaded).units == before
    assert CliRunner().invoke(main, [*given, "vault", "upgrade"]).exit_code == 2


def test_every_statement_of_every_migration_is_whole() -> None:
    for number in range(2, SCHEMA_VERSION + 1):
        assert all(one.rstrip().endswith(";") for one in statements(f"migrations/{number:04d}.sql"))


def test_the_past_is_counted_from_the_same_history(loaded: Run, tmp_path: Path) -> None:
    before = loaded.campaign.noticed
    with opened(loaded) as vault:
        assert not any(unit.reported for unit in count(vault, loaded.campaign, before).units)
        now = count(vault, loaded.campaign, loaded.day)
        sums = vault.connection.execute("SELECT category, count(*) FROM current_answer GROUP BY category").fetchall()
        assert {code: n for code, n in now.categories.items() if n} == dict(sums)
        assert count(vault, loaded.campaign, before - dt.timedelta(days=1)).units[0].atoms["unverified"] == 0


def test_every_table_and_column_of_the_record_is_described_once(loaded: Run) -> None:
    described = parse_metadata((ROOT / "metadata.yml").read_text(encoding="utf-8"))["databases"]["vault"]["tables"]
    with opened(loaded) as vault:
        query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"
        names = [name for (name,) in vault.connection.execute(query)]
        real = {name: [row[1] for row in vault.connection.execute(f"PRAGMA table_info({name})")] for name in names}
    assert {name: list(table["columns"]) for name, table in described.items()} == real
    for table in described.values():
        for text in (table["title"], *table["columns"].values()):
            assert re.fullmatch(r".*[一-鿿].* / .*[A-Za-z].*", text), text
