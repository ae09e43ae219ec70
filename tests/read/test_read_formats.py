"""Workbooks that did not come back as the .xlsx that was handed out: read where that can be known to be safe."""

import io
import re
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import olefile
import pytest

from etl.exchange.submission import Submission
from etl.read import biff
from etl.read.guard import look_before_parsing
from etl.read.marks import Marks, Refused
from etl.read.worker import read_bytes
from etl.system.sealing import BrokenSeal, WrongPassword, unseal
from etl.workflow import loading
from etl.workflow.run import Run
from tests.support import books
from tests.support.libreoffice import COPIES, HERE, ISSUE, UNIT, answers

OPEN = ["xls", "ods", "plain xlsx"]
NAMES = {kind: HERE / name for kind, (name, _, _) in COPIES.items()}


def read(run: Run, content: bytes, **limits: int) -> Submission:
    """An unsealed file as let in, read in this process."""
    given = replace(run.campaign.limits, **limits)  # type: ignore[arg-type]
    return read_bytes(content, [run.keys.password(ISSUE, UNIT)], given, allow_unsealed=True)


def rules(submission: Submission) -> list[str]:
    return [problem.rule for problem in submission.problems]


def content_of(path: Path, change: Callable[[str], str]) -> bytes:
    """An OpenDocument with its content changed."""

    def edit(parts: dict[str, bytes]) -> None:
        before = parts["content.xml"].decode()
        after = change(before)
        assert after != before
        parts["content.xml"] = after.encode()

    return books.repack(path.read_bytes(), edit)


@pytest.mark.parametrize("kind", [*OPEN, "sealed xls"])
def test_a_file_saved_in_another_format_loads_with_the_answers_that_were_typed(run: Run, kind: str) -> None:
    (loaded,) = loading.load_files(run, [NAMES[kind]], allow_unsealed=kind in OPEN)
    assert loaded.outcome == "accepted"
    typed = answers(run.campaign, len(books.issued(run, UNIT)))
    labels = {category.code: category.label for category in run.campaign.categories}
    assert [[labels[a.code or ""], a.returned, a.team] for a in loaded.checked.answers] == typed
    assert loaded.checked.sealed is (kind == "sealed xls")
    notes = {"xls": {"F12", "F18"}, "ods": {"F12", "F18"}, "plain xlsx": {"F12"}, "sealed xls": {"F13", "F18"}}
    assert {rule for rule in books.rules_of(loaded.checked) if rule[0] == "F"} == notes[kind]


@pytest.mark.parametrize("kind", OPEN)
def test_an_unsealed_file_of_any_format_is_refused_by_default(run: Run, kind: str) -> None:
    assert books.places(books.check_file(run, NAMES[kind])) == [("F03", "")]


def test_an_encrypted_open_document_is_refused_with_the_remedy(run: Run) -> None:
    for allow in (False, True):
        (finding,) = books.check_file(run, NAMES["sealed ods"], allow_unsealed=allow).findings
        assert finding.rule == "F17"
        assert ".xlsx" in finding.message


@pytest.mark.parametrize("kind", OPEN)
def test_a_wrong_extension_changes_nothing(run: Run, tmp_path: Path, kind: str) -> None:
    for name in ("报表.xlsx", "报表.xls", "报表.ods", "报表"):
        path = tmp_path / name
        path.write_bytes(NAMES[kind].read_bytes())
        assert books.check_file(run, path, allow_unsealed=True).accepted


def test_the_old_encryption_reports_a_wrong_password_and_leaves_nothing_on_the_disk(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = NAMES["sealed xls"].read_bytes()
    with pytest.raises(WrongPassword):
        unseal(data, ["123456", run.keys.password(ISSUE, "donggang")])

    def no_file(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr("tempfile.TemporaryFile", no_file)
    opened = unseal(data, [run.keys.password(ISSUE, UNIT)])
    assert not opened.is_intact
    assert opened.plain != data


def test_xor_is_no_seal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.system.sealing.OLD", ("rc4_cryptoapi",))
    with pytest.raises(BrokenSeal, match="kind"):
        unseal(NAMES["sealed xls"].read_bytes(), [run.keys.password(ISSUE, UNIT)])


@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_our_own_formulas_are_known_in_every_format(run: Run, kind: str) -> None:
    """附件5 and the line of progress are formulas wherever they are saved: none is missed."""
    ours = look_before_parsing(NAMES["plain xlsx"].read_bytes(), run.campaign.limits).sheets
    theirs = look_before_parsing(NAMES[kind].read_bytes(), run.campaign.limits).sheets
    assert {name: marks.formulas for name, marks in theirs.items()} == {
        name: marks.formulas for name, marks in ours.items()
    }
    assert len(ours["附件5"].formulas) >= 30


def team_cell(old: str, new: str) -> Callable[[str], str]:
    """A change of the first cell of 备注: a piece of its tag replaced."""

    def change(xml: str) -> str:
        end = xml.index("<text:p>测试员丙、测试员丁")
        start = xml.rindex("<table:table-cell", 0, end)
        return xml[:start] + xml[start:end].replace(old, new) + xml[end:]

    return change


@pytest.mark.parametrize(("old", "new", "rule"), [
    ("<table:table-cell", '<table:table-cell table:formula="of:=[.B4]"', "R06"),
    ('calcext:value-type="string"', 'calcext:value-type="error"', "R08"),
])  # fmt: skip
def test_a_formula_or_an_error_in_an_open_document_is_a_finding(run: Run, old: str, new: str, rule: str) -> None:
    path = run.home.inbox / "报表.ods"
    path.write_bytes(content_of(NAMES["ods"], team_cell(old, new)))
    assert books.places(books.check_file(run, path, allow_unsealed=True)) == [(rule, "K4")]


@pytest.mark.parametrize("repeated", [
    ("<table:table-cell ", '<table:table-cell table:number-columns-repeated="16000" '),
    ("<table:table-row ", '<table:table-row table:number-rows-repeated="1000000" '),
])  # fmt: skip
def test_a_value_repeated_beyond_the_form_is_refused(run: Run, repeated: tuple[str, str]) -> None:
    assert rules(read(run, content_of(NAMES["ods"], lambda xml: xml.replace(*repeated, 1)))) == ["F05"]


def test_an_open_document_that_fetches_is_refused(run: Run) -> None:
    linked = '<table:table-source xlink:href="http://example.invalid/a.ods"/>'
    content = content_of(
        NAMES["ods"], lambda xml: re.sub(r"(<table:table table:name=\"附件4\"[^>]*>)", rf"\1{linked}", xml)
    )
    assert rules(read(run, content)) == ["F06"]


def test_a_package_that_is_two_workbooks_at_once_is_none(run: Run) -> None:
    content = books.repack(books.plain(run), lambda parts: parts.update({"content.xml": b"<a/>"}))
    assert rules(read(run, content)) == ["F01"]


def test_a_binary_workbook_is_refused_by_its_name(run: Run) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("xl/workbook.bin", b"")
    (problem,) = read(run, out.getvalue()).problems
    assert (problem.rule, problem.params["kind"]) == ("F17", ".xlsb")


@pytest.mark.parametrize(("name", "kind"), [
    ("xl/vbaProject.bin", "xlsx"), ("xl/vbaData.xml", "xlsx"), ("Basic/Standard/Module1.xml", "ods"),
])  # fmt: skip
def test_macros_are_refused_unless_the_campaign_allows_them_and_never_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, kind: str
) -> None:
    base = books.plain(run) if kind == "xlsx" else NAMES["ods"].read_bytes()
    content = books.repack(base, lambda parts: parts.update({name: b"\x00"}))
    assert rules(read(run, content)) == ["F06"]
    allowed = read(run, content, allow_macros=True)
    assert "F19" in rules(allowed)
    assert allowed.rows == read(run, base).rows


def test_what_embeds_or_fetches_is_refused_even_where_macros_are_allowed(run: Run) -> None:
    for name in ("xl/externalLinks/externalLink1.xml", "xl/embeddings/a.bin", "xl/macrosheets/sheet1.xml"):
        content = books.repack(books.plain(run), lambda parts, name=name: parts.update({name: b"<a/>"}))  # type: ignore[misc]
        assert rules(read(run, content, allow_macros=True)) == ["F06"]


def record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def stream(*records: bytes, kind: int = 0, name: str = "附件4", before: bytes = b"") -> bytes:
    """A Workbook stream of one sheet with these records."""
    start, end = record(biff.BOF, struct.pack("<HH", biff.BIFF8, 5) + bytes(12)), record(biff.EOF)
    wide = name.encode("utf-16-le")
    length = len(start) + len(before) + 4 + 8 + len(wide) + len(end)
    sheet = record(biff.SHEET, struct.pack("<IBBBB", length, 0, kind, len(name), 1) + wide)
    return start + before + sheet + end + record(biff.BOF, bytes(16)) + b"".join(records) + end


def test_the_records_of_an_old_sheet_distinguish_formulas_arrays_and_errors() -> None:
    chart = record(biff.BOF, bytes(16)) + record(biff.FORMULA_RECORD, bytes(22)) + record(biff.EOF)
    found = biff.scan_stream(
        stream(
            record(biff.FORMULA_RECORD, struct.pack("<HH", 3, 8) + bytes(18)),
            chart,
            record(biff.ARRAY, struct.pack("<HHBB", 4, 5, 9, 10) + bytes(8)),
            record(biff.ERROR, struct.pack("<HHHBB", 7, 9, 0, 42, 1)),
            record(biff.ERROR, struct.pack("<HHHBB", 8, 9, 0, 1, 0)),
        ),
        20_000,
    )
    formulas = {(4, 9), (5, 10), (5, 11), (6, 10), (6, 11)}
    assert found == {"附件4": Marks(formulas, {(8, 10)})}


@pytest.mark.parametrize(("content", "rule"), [
    (stream(record(0x0203, struct.pack("<HH", 20_000, 0))), "F05"),
    (stream(record(biff.ARRAY, struct.pack("<HHBB", 0, 65_535, 0, 255))), "F05"),
    (stream(kind=1), "F06"),
    (stream(before=record(biff.SUPPLIER, b"\x01\x00\x05\x00")), "F06"),
    (stream()[:4] + b"\x00\x05" + stream()[6:], "F01"),
])  # fmt: skip
def test_an_old_workbook_beyond_the_bounds_or_active_is_refused(content: bytes, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        biff.scan_stream(content, 20_000)
    assert refused.value.problem.rule == rule


def test_a_row_within_the_bounds_and_a_reference_to_itself_are_none_of_that() -> None:
    inside = record(0x0203, struct.pack("<HH", 19_999, 255))
    content = stream(inside, before=record(biff.SUPPLIER, b"\x01\x00\x01\x04"))
    assert biff.scan_stream(content, 20_000) == {"附件4": Marks()}


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_cut_off_record_is_damage(cut: int) -> None:
    with pytest.raises((struct.error, ValueError, Refused)):
        biff.scan_stream(stream(record(biff.FORMULA_RECORD, bytes(22)))[:-cut], 20_000)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("kind", ["xls", "sealed xls", "ods", "sealed ods"])
def test_a_truncated_file_of_any_format_is_refused(run: Run, kind: str, share: float) -> None:
    data = NAMES[kind].read_bytes()
    submission = read(run, data[: int(len(data) * share)])
    # What an old container loses at its end may be the summary behind the workbook: then it is all there.
    undamaged = read(run, data).rows
    assert submission.rows in ((), undamaged)
    assert submission.rows == () or olefile.isOleFile(NAMES[kind])
    assert rules(submission)
