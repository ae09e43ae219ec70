"""What the bureau records of what it saw: the police's word on a missing child (M9, G)."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.findings import FuxueError
from etl.workflow import loading, recording
from etl.workflow.run import Run
from tests.support.books import ISSUE, edit, issued, plain, put, setting


def missing(run: Run) -> Path:
    """A workbook whose first child is said to be missing."""
    return put(run, edit(plain(run), setting(I4="G.失踪失联", J4="无", K4="测试员甲")))


def warnings(run: Run) -> list[tuple[str, str]]:
    (checked,) = loading.check_files(run, [missing(run)])
    return [(finding.rule, finding.cell) for finding in checked.findings if finding.rule == "A10"]


def test_a_missing_child_is_a_warning_until_the_polices_reference_is_on_record(run: Run) -> None:
    first = issued(run)[0].serial
    assert warnings(run) == [("A10", "I4")]
    recording.record_police_ref(run, None, first, "青公〔2020〕1号", "登记员甲")
    assert warnings(run) == []


def test_a_reference_is_one_childs_alone(run: Run) -> None:
    recording.record_police_ref(run, ISSUE, issued(run)[1].serial, "青公〔2020〕1号", "登记员甲")
    assert warnings(run) == [("A10", "I4")]


def test_who_recorded_it_and_when_is_kept_and_recording_twice_changes_nothing(run: Run) -> None:
    first = issued(run)[0].serial
    for by in ("登记员甲", "登记员乙"):
        recording.record_police_ref(run, ISSUE, first, "青公〔2020〕1号", by)
    with run.open_vault() as vault:
        query = "SELECT issue, serial, reference, recorded_by, recorded_on FROM police_ref"
        rows = vault.connection.execute(query).fetchall()
    assert [tuple(row) for row in rows] == [(ISSUE, first, "青公〔2020〕1号", "登记员甲", "2020-03-16")]


@pytest.mark.parametrize(("issue", "serial", "error"), [
    (ISSUE, "9999", "no_child"), ("20200302-09", "0001", "no_child"), (None, "", "no_serial"),
])  # fmt: skip
def test_a_child_that_was_not_issued_is_told(run: Run, issue: str | None, serial: str, error: str) -> None:
    with pytest.raises(FuxueError, match=rf"record\.{error}"):
        recording.record_police_ref(run, issue, serial, "青公〔2020〕1号", "登记员甲")


def test_the_command_says_what_it_did(run: Run) -> None:
    words = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder), "record", "police-ref"]
    words += ["--serial", issued(run)[0].serial, "--reference", "青公〔2020〕1号", "--by", "登记员甲"]
    done = CliRunner().invoke(main, words)
    assert (done.exit_code, warnings(run)) == (0, [])
    assert "已登记" in done.output
