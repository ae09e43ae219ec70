"""The work summary: figures of the record with their sources, in a Word document that LibreOffice opens."""

import io
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from pypdf import PdfReader

from etl.exchange.counts import measure
from etl.report.summary_document import summary_list
from etl.rulebook.campaign import BUREAU
from etl.system.sealing import unseal
from etl.vault.record.count import count
from etl.workflow import inspecting, recording, summarizing
from etl.workflow.documents import document_password
from etl.workflow.run import Run
from tests.support.books import UNIT


def plain(run: Run, scope: str, *, city: bool = False) -> bytes:
    made = summarizing.write_summaries(run, None if city else scope, city=city)
    (one,) = [document for document in made if document.scope == scope]
    return unseal(one.file.read_bytes(), [document_password(run, scope)]).plain


def text(content: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)


def notes(content: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(content)).read("word/footnotes.xml").decode()


def test_its_figures_are_those_of_the_record(loaded: Run) -> None:
    with loaded.open_vault() as vault:
        counts = count(vault, loaded.campaign, loaded.day)
        for scope in (*loaded.campaign.unit, BUREAU):
            facts = summarizing.summary_facts(loaded, vault, scope)
            for key in ("deducted", "to_return", "returned", "still_out", "verified"):
                own = [one for one in counts.units if scope in (BUREAU, one.unit)]
                assert facts[key] == sum(measure(one.atoms, loaded.campaign.publication, key) for one in own), key
            said = text(plain(loaded, scope, city=scope == BUREAU))
            assert f"共下发疑似失学儿童{facts['issued']}人，已核查{facts['verified']}人，做到了不漏一户" in said
            assert f"核减{facts['deducted']}人，应劝返{facts['to_return']}人" in said


def test_it_names_no_child_and_says_what_the_officer_must_add(loaded: Run) -> None:
    said = text(plain(loaded, BUREAU, city=True))
    assert said.count("【请补充】") == 2
    with loaded.open_vault() as vault:
        for name, number, serial in vault.connection.execute("SELECT name, id_number, serial FROM child"):
            assert name not in said
            assert number not in said
            assert serial not in said


def test_every_paragraph_of_figures_has_the_source_in_a_footnote(loaded: Run) -> None:
    content = plain(loaded, UNIT)
    found = notes(content)
    for source in ("unit_sums", "casework.work", "correction_state", "report reminders"):
        assert source in found
    assert "2020年3月16日" in found
    body = zipfile.ZipFile(io.BytesIO(content)).read("word/document.xml").decode()
    assert body.count("footnoteReference") == found.count("<w:footnoteRef/>") >= 5


def test_the_base_is_compared_once_it_is_locked(loaded: Run) -> None:
    assert "底数尚未锁定" in text(plain(loaded, UNIT))
    inspecting.lock_base(loaded, "登记员甲")
    said = text(plain(loaded, UNIT))
    assert "底数于2020年3月16日由登记员甲锁定" in said
    assert "锁定以后没有变动" in said
    before = replace(loaded, day=loaded.campaign.noticed)
    assert "底数尚未锁定" in text(plain(before, UNIT)), "as of a day before it was locked"


def test_what_is_still_open_is_listed_and_what_came_is_not(loaded: Run) -> None:
    assert "未收齐的材料6件" in text(plain(loaded, UNIT))
    recording.record_deliverable(loaded, UNIT, "annex5", "paper", "登记员甲", signed=True)
    assert "未收齐的材料5件" in text(plain(loaded, UNIT))


def test_nothing_is_said_as_official_chinese_says_it() -> None:
    assert summary_list({"A.户籍原因": 0}) == "无"
    assert summary_list({"A.户籍原因": 2, "B.在校": 0, "C.外地": 1}) == "A.户籍原因2人、C.外地1人"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="no LibreOffice")
def test_libreoffice_opens_it_with_its_footnotes(loaded: Run, tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(plain(loaded, UNIT))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*command, str(tmp_path / "a.docx")], capture_output=True, check=True)
    if not (tmp_path / "a.pdf").exists():
        pytest.skip("LibreOffice has no Writer here")
    shown = "".join(page.extract_text() for page in PdfReader(tmp_path / "a.pdf").pages).replace("\n", "")
    assert "工作总结" in shown
    assert "数据来源" in shown
