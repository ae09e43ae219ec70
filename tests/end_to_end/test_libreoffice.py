"""A workbook that was opened, filled and saved in the real LibreOffice loads with the answers that were typed."""

import tomllib
from pathlib import Path

import msoffcrypto
import pytest

from etl.findings import Severity
from etl.system.sealing import BrokenSeal, NotSealed, WrongPassword, unseal
from etl.workflow import loading
from etl.workflow.run import Run
from tests.support import books
from tests.support.libreoffice import FIXTURE, FOOTER, HERE, ISSUE, UNIT, answers, fill, find_python, job

PYTHON = find_python()


def kind(path: Path) -> str:
    """How a file is encrypted: agile, standard, or plain."""
    with path.open("rb") as handle:
        return str(msoffcrypto.OfficeFile(handle).type)


def assert_loads_as_filled(run: Run, path: Path) -> None:
    """Accepted, with every answer and the footer as the clerk typed them; the whole way into the vault."""
    (loaded,) = loading.load_files(run, [path])
    checked = loaded.checked
    assert loaded.outcome == "accepted"
    assert (checked.issue, checked.unit, checked.sealed) == (ISSUE, UNIT, True)
    children = books.issued(run, UNIT)
    typed = answers(run.campaign, len(children))
    labels = {category.code: category.label for category in run.campaign.categories}
    assert [a.serial for a in checked.answers] == [child.serial for child in children]
    assert [[labels[a.code or ""], a.returned, a.team] for a in checked.answers] == typed
    assert {key: checked.footer[key] for key in ("filler", "phone", "leader")} == dict(
        zip(("filler", "phone", "leader"), FOOTER.values(), strict=True)
    )
    with run.open_vault() as vault:
        rows = vault.connection.execute("SELECT serial, category, returned, team FROM current_answer ORDER BY serial")
        assert [[labels[row[1]], row[2], row[3]] for row in rows.fetchall()] == typed


def test_the_kept_file_loads_with_the_answers_that_were_typed(run: Run) -> None:
    assert_loads_as_filled(run, FIXTURE)


def test_the_kept_file_covers_every_category_and_both_returns(run: Run) -> None:
    typed = answers(run.campaign, len(books.issued(run, UNIT)))
    assert {row[0] for row in typed} == {category.label for category in run.campaign.categories}
    assert {row[1] for row in typed} == {"是", "否", "无"}


def test_the_kept_file_is_encrypted_and_that_its_integrity_is_unchecked_is_on_record(run: Run) -> None:
    assert kind(FIXTURE) == "standard"
    data = FIXTURE.read_bytes()
    for child in books.issued(run, UNIT):
        assert child.id_number.encode() not in data
        assert child.name.encode() not in data
    (note,) = [f for f in books.check_file(run, FIXTURE).findings if f.rule == "F13"]
    assert note.severity is Severity.NOTE


def test_standard_encryption_reports_a_wrong_password_and_damage_too(run: Run) -> None:
    data = FIXTURE.read_bytes()
    with pytest.raises(WrongPassword):
        unseal(data, ["123456", run.keys.password(ISSUE, "donggang")])
    for cut in (600, 4000, len(data) // 2):
        with pytest.raises((BrokenSeal, WrongPassword, NotSealed)):
            unseal(data[:cut], [run.keys.password(ISSUE, UNIT)])
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    path = run.home.inbox / "changed.xlsx"
    path.write_bytes(changed)
    checked = books.check_file(run, path)
    # Without an integrity check the zip's own checksums and the comparison with what was issued must do.
    assert not checked.accepted


def test_the_note_beside_the_kept_file_says_how_it_was_made() -> None:
    note = tomllib.loads((HERE / "notes.toml").read_text(encoding="utf-8"))[FIXTURE.name]
    assert note["program"].startswith("LibreOffice")
    assert note["encryption"] == kind(FIXTURE)
    assert note["made_by"] == "python -m tests.support.libreoffice"


@pytest.mark.skipif(PYTHON is None, reason="LibreOffice with python3-uno is not installed")
def test_a_workbook_filled_in_libreoffice_now_loads(run: Run, tmp_path: Path) -> None:
    given = job(run.campaign, run.keys.password(ISSUE, UNIT), len(books.issued(run, UNIT)))
    filled = tmp_path / "filled.xlsx"
    assert PYTHON is not None
    fill(PYTHON, run.home.outbox / ISSUE / f"{UNIT}.xlsx", filled, given)
    assert kind(filled) in ("standard", "agile")
    assert_loads_as_filled(run, filled)
