"""Which rows a link covers, and to which source the program traces a figure of a unit that has not reported yet."""

from contextlib import closing

from etl.exchange.release import Cell, Status
from etl.protect.draft import ReleaseDay
from etl.vault.record import count as counting
from etl.vault.record import releases
from etl.vault.store import chain
from etl.vault.store.files import in_memory
from etl.workflow import loading
from etl.workflow.run import Run
from tests.support.books import ISSUE, returned


def test_a_column_that_is_added_later_changes_no_earlier_leaf() -> None:
    covers = {"thing": [("thing", "id", "id")]}
    with closing(in_memory()) as db:
        db.execute("CREATE TABLE thing (id TEXT, first TEXT, second TEXT)")
        db.execute("INSERT INTO thing VALUES ('1', NULL, 'x')")
        before = list(chain.rows(db, "thing", "1", covers))
        db.execute("ALTER TABLE thing ADD COLUMN third TEXT")
        assert list(chain.rows(db, "thing", "1", covers)) == before == [("thing", b'["thing", "1", null, "x"]')]
        db.execute("UPDATE thing SET third = 'y'")
        assert list(chain.rows(db, "thing", "1", covers)) != before


def test_a_figure_of_a_unit_that_had_not_reported_is_traced_to_what_was_handed_out(run: Run) -> None:
    loading.load_files(run, [returned(run, "xiling")])
    with run.open_vault() as vault:
        counts = counting.count(vault, run.campaign, run.day)
        made = ReleaseDay(run.campaign, counts).release(lambda _: Cell(Status.INTERVAL, 0, 5), closing=False)
        releases.insert_release(vault, made, "0" * 64, counts, run.day)
        children = dict(vault.connection.execute("SELECT unit, children FROM bundle").fetchall())
        silent = releases.trace_cell(vault, run.campaign, "0001", "units", "donggang.suspected")
        city = releases.trace_cell(vault, run.campaign, "0001", "city", "city.verified")
    (one,) = silent.sources
    assert (one.unit, one.issue, one.workbook, one.link, one.file) == ("donggang", ISSUE, None, None, "")
    assert silent.recorded == one.children == children["donggang"]
    assert [(one.unit, one.children) for one in city.sources] == [("xiling", children["xiling"])]
    assert silent.is_whole
    assert city.is_whole
