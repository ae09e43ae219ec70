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
def test_a_child_that_was_not_issued_is_reported(run: Run, issue: str | None, serial: str, error: str) -> None:
    with pytest.raises(FuxueError, match=rf"record\.{error}"):
        recording.record_police_ref(run, issue, serial, "青公〔2020〕1号", "登记员甲")


def signatures(run: Run) -> list[tuple[object, ...]]:
    with run.open_vault() as vault:
        return list(vault.connection.execute("SELECT * FROM signature"))


def test_a_paper_that_names_a_child_without_an_answer_of_its_kind_is_refused(loaded: Run) -> None:
    """A child that is not back cannot be signed for as returned, nor one of another unit, nor one that is not there."""
    with loaded.open_vault() as vault:
        query = """SELECT returned, min(a.serial) FROM current_answer a JOIN child c USING (issue, serial)
                   WHERE c.unit = ? GROUP BY returned"""
        own = dict(vault.connection.execute(query, ["donggang"]).fetchall())
    for serials, named in (([own["是"], own["否"]], own["否"]), ([own["是"], "9999"], "9999")):
        with pytest.raises(FuxueError, match=r"record\.not_signed_for") as caught:
            recording.record_signature(loaded, "donggang", "return", serials, "登记员甲")
        assert caught.value.params["serials"] == named
    with pytest.raises(FuxueError, match=r"record\.not_signed_for"):
        recording.record_signature(loaded, "xiling", "return", [own["是"]], "登记员甲")
    assert signatures(loaded) == []
    assert recording.record_signature(loaded, "donggang", "return", [own["是"]], "登记员甲") == 1


def test_a_paper_of_a_unit_that_has_not_reported_is_for_nobody(run: Run) -> None:
    with pytest.raises(FuxueError, match=r"record\.nobody_to_sign_for") as caught:
        recording.record_signature(run, "donggang", "verification", [], "登记员甲")
    assert caught.value.params["unit"] == "donggang"
    assert signatures(run) == []


def test_the_command_says_what_it_did(run: Run) -> None:
    arguments = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder), "record", "police-ref"]
    arguments += ["--serial", issued(run)[0].serial, "--reference", "青公〔2020〕1号", "--by", "登记员甲"]
    done = CliRunner().invoke(main, arguments)
    assert (done.exit_code, warnings(run)) == (0, [])
    assert "已登记" in done.output
