"""Files that are not what they should be: each is refused whole, by the right rule, in silence, whatever it does."""

import io
import os
import pickle
import random
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from msoffcrypto.method.ecma376_agile import ECMA376Agile
from openpyxl.worksheet.worksheet import Worksheet

from etl.exchange.submission import Candidate
from etl.read import worker
from etl.read.worker import read_bytes, read_workbook, take
from etl.rulebook.campaign import Campaign
from etl.system.bounded import Bounded, Bounds, Broke, Exceeded, answer_requests
from etl.system.sealing import BrokenSeal, NotSealed, WrongPassword, seal, unseal
from etl.workflow import loading
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import ISSUE, SHEET_PART, UNIT, check_file, places, plain, put, repack, rules_of
from tests.support.homes import with_limits_of
from tests.support.leaks import is_readable
from tests.support.quick_seals import ROUNDS

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")


def refused(run: Run, content: bytes, *, name: str = "报表.xlsx", allow_unsealed: bool = False) -> set[str]:
    """The rules of a file that must not be accepted."""
    path = run.home.inbox / name
    path.write_bytes(content)
    checked = check_file(run, path, allow_unsealed=allow_unsealed)
    assert not checked.accepted
    assert not checked.answers
    return rules_of(checked)


def rules_unsealed(run: Run, content: bytes) -> set[str]:
    """What reading says of a plain file that was let in unsealed; nothing was read from it."""
    submission = read_bytes(content, [], run.campaign.limits, allow_unsealed=True)
    assert submission.rows == ()
    assert submission.manifest is None
    return {problem.rule for problem in submission.problems}


@pytest.mark.parametrize("content", [
    b"\0",
    "单位：东港镇".encode("gb18030"),
    PNG,
    b"%PDF-1.4",
    b"PK\x03\x04",
    b"PK\x05\x06" + bytes(18),                          # an empty zip
    bytes.fromhex("d0cf11e0a1b11ae1")[:7],
    b"<?xml version='1.0'?><Workbook/>",
    b"\x00" * 5000,
], ids=["zero", "text", "png", "pdf", "zip-start", "empty-zip", "ole-start", "xml", "zeros"])  # fmt: skip
def test_what_is_no_workbook_is_refused(run: Run, content: bytes) -> None:
    assert refused(run, content) == {"F01"}
    assert refused(run, content, allow_unsealed=True) == {"F01"}


def test_where_there_is_nothing_to_read_that_is_said(run: Run) -> None:
    assert refused(run, b"") == refused(run, b"", allow_unsealed=True) == {"F21"}


def test_a_zip_of_something_else_is_no_workbook(run: Run) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<a/>")
    assert refused(run, out.getvalue(), allow_unsealed=True) == {"F01"}


def test_an_empty_container_is_a_damaged_file(run: Run) -> None:
    # An OLE container without the streams of an encrypted workbook.
    assert refused(run, bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096)) == {"F04"}


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.5, 0.8, 0.95])
def test_a_truncated_sealed_file_is_refused(run: Run, share: float) -> None:
    sealed = (run.home.inbox / f"{UNIT}.xlsx").read_bytes()
    assert refused(run, sealed[: int(len(sealed) * share)]) <= {"F01", "F02", "F04"}


def test_a_flipped_bit_never_changes_what_is_read(run: Run) -> None:
    """Every flip is refused, or lies where the container holds nothing and changes nothing."""
    sealed = (run.home.inbox / f"{UNIT}.xlsx").read_bytes()
    password = [run.keys.password(ISSUE, UNIT)]
    before = unseal(sealed, password).plain
    random_ = random.Random(1)
    outcomes = {"refused": 0, "same": 0}
    for at in random_.sample(range(len(sealed)), 24):
        flipped = bytearray(sealed)
        flipped[at] ^= 1 << random_.randrange(8)
        try:
            assert unseal(bytes(flipped), password).plain == before
            outcomes["same"] += 1
        except (BrokenSeal, WrongPassword, NotSealed):
            outcomes["refused"] += 1
    assert outcomes["refused"] >= 12


def test_a_flipped_bit_of_the_payload_is_a_damaged_file(run: Run) -> None:
    sealed = bytearray((run.home.inbox / f"{UNIT}.xlsx").read_bytes())
    sealed[-5000] ^= 1
    assert refused(run, bytes(sealed)) == {"F04"}


@pytest.mark.parametrize("password", ["123456", "口令", "x" * 200])
def test_a_wrong_password_is_distinguished_from_damage(run: Run, password: str) -> None:
    put(run, plain(run), password=password)
    assert refused(run, (run.home.inbox / f"{UNIT}.xlsx").read_bytes()) == {"F02"}


def test_a_password_almost_right_is_wrong(run: Run) -> None:
    right = run.keys.password(ISSUE, UNIT)
    for almost in (right.upper(), right[:-1], right.replace("-", ""), f"{right} "):
        with pytest.raises(WrongPassword):
            unseal(seal(plain(run), almost), [right])


def test_the_rounds_of_a_password_are_run_once_for_a_file(run: Run) -> None:
    rounds = ECMA376Agile._derive_iterated_hash_from_password
    content = plain(run)
    rounds.cache_clear()
    sealed = seal(content, "口令")  # sealed, and opened again to see that it can be
    assert rounds.cache_info().misses == 1
    rounds.cache_clear()
    for _ in range(2):
        assert unseal(sealed, ["口令"]).is_intact
    assert rounds.cache_info().misses == 1
    with pytest.raises(WrongPassword):
        unseal(sealed, ["口 令"])
    assert rounds.cache_info().misses == 2


def test_sealed_is_encrypted_and_holds_nothing_readable(run: Run) -> None:
    sealed = (run.home.outbox / ISSUE / f"{UNIT}.xlsx").read_bytes()
    assert sealed.startswith(bytes.fromhex("d0cf11e0a1b11ae1"))
    assert b"PK\x03\x04" not in sealed
    for child in books.issued(run):
        for secret in (child.name, child.id_number, child.household):
            assert not is_readable(secret, sealed)


def test_a_file_beyond_the_byte_limit_is_not_even_read_whole(run: Run, tmp_path: Path) -> None:
    limits = replace(run.campaign.limits, file_bytes=1000)
    (tmp_path / "large.xlsx").write_bytes(bytes(5000))
    data = take(tmp_path / "large.xlsx", limits)
    assert len(data) == 1001
    assert [p.rule for p in read_workbook(data, [], limits, allow_unsealed=False).problems] == ["F05"]
    (tmp_path / "fits.xlsx").write_bytes(bytes(1000))
    data = take(tmp_path / "fits.xlsx", limits)
    assert [p.rule for p in read_workbook(data, [], limits, allow_unsealed=False).problems] == ["F01"]


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/externalLinks/externalLink1.xml", "xl/embeddings/a.bin",
                                  "xl/activeX/activeX1.xml", "xl/macrosheets/sheet1.xml", "xl/connections.xml",
                                  "xl/VBAPROJECT.BIN"])  # fmt: skip
def test_a_part_that_runs_or_fetches_is_refused(run: Run, part: str) -> None:
    assert rules_unsealed(run, repack(plain(run), lambda parts: parts.update({part: b"<a/>"}))) == {"F06"}


def test_a_macro_under_a_harmless_name_is_refused_by_its_type(run: Run) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["xl/theme/harmless.xml"] = b"x"
        types = parts["[Content_Types].xml"]
        parts["[Content_Types].xml"] = types.replace(b"sheet.main+xml", b"sheet.macroEnabled.main+xml", 1)
        assert parts["[Content_Types].xml"] != types

    assert rules_unsealed(run, repack(plain(run), change)) == {"F06"}
    assert refused(run, seal(repack(plain(run), change), run.keys.password(ISSUE, UNIT))) == {"F06"}


DOCTYPE = '<!DOCTYPE a SYSTEM "http://a.invalid/a.dtd">'
LAUGHS = '<!DOCTYPE a [<!ENTITY x "哈"><!ENTITY y "&x;&x;&x;&x;&x;&x;&x;&x;&x;&x;">]>'


@pytest.mark.parametrize("part", [SHEET_PART, "xl/workbook.xml", "xl/styles.xml", "docProps/core.xml", "xl/hidden.bin"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declaration", [DOCTYPE, LAUGHS])
def test_entities_are_refused_wherever_they_stand(run: Run, part: str, encoding: str, declaration: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[part] = f'<?xml version="1.0"?>{" " * 70_000}{declaration}<a>&y;</a>'.encode(encoding)

    assert rules_unsealed(run, repack(plain(run), change)) == {"F06"}


def test_a_document_type_between_two_chunks_is_refused(run: Run) -> None:
    for shift in range(10):
        padding = b" " * ((1 << 16) - shift)
        content = repack(plain(run), lambda p, q=padding: p.update({"xl/x.xml": q + DOCTYPE.encode()}))  # type: ignore[misc]
        assert rules_unsealed(run, content) == {"F06"}


def test_a_zip_bomb_is_met_before_it_unfolds(run: Run) -> None:
    limits = replace(run.campaign.limits, unpacked_bytes=20_000_000)
    bomb = repack(plain(run), lambda parts: parts.update({"xl/media/picture.png": bytes(25_000_000)}))
    assert len(bomb) < 200_000
    submission = read_bytes(bomb, [], limits, allow_unsealed=True)
    assert [(p.rule, p.params) for p in submission.problems] == [("F05", {"limit": "20 MB"})]
    assert read_bytes(plain(run), [], limits, allow_unsealed=True).rows


def test_a_directory_that_lies_about_sizes_is_counted_all_the_same(run: Run) -> None:
    content = bytearray(repack(plain(run), lambda parts: parts.update({"xl/media/a.png": bytes(3_000_000)})))
    at = content.rindex(b"xl/media/a.png") - 46 + 24
    assert int.from_bytes(content[at : at + 4], "little") == 3_000_000
    content[at : at + 4] = (10).to_bytes(4, "little")
    assert rules_unsealed(run, bytes(content)) == {"F01"}


@pytest.mark.parametrize(("old", "new"), [
    ('<row r="3"', '<row r="1048576"'),
    ('<c r="A4"', '<c r="XFD3"'),
    ('<c r="A4"', '<c r="IW3"'),
    ('<c r="A4"', '<c r="A20001"'),
    ("<sheetData>", "<sheetData>" + "<row/>" * 20_001),
])  # fmt: skip
def test_cells_far_beyond_the_form_are_refused_before_they_take_memory(run: Run, old: str, new: str) -> None:
    if "1048576" in new:
        content = books.in_sheet(plain(run), '<c r="A4"', '<c r="A1048576"')
    else:
        content = books.in_sheet(plain(run), old, new)
    assert rules_unsealed(run, content) == {"F05"}


def test_an_array_formula_over_everything_is_refused(run: Run) -> None:
    content = books.edit(plain(run), lambda sheet: setattr(sheet["L4"], "value", "=1"))
    content = books.in_sheet(content, "<f>1</f>", '<f t="array" ref="A1:XFD1048576">1</f>')
    assert rules_unsealed(run, content) == {"F05"}


@pytest.mark.parametrize(("part", "content"), [
    (SHEET_PART, b"<worksheet><sheetData><row>"),
    (SHEET_PART, b""),
    (SHEET_PART, b'<worksheet><sheetData><row r="x"><c r="A1"/></row></sheetData></worksheet>'),
    (SHEET_PART, b'<worksheet><sheetData><row r="1"><c r="1A"/></row></sheetData></worksheet>'),
    (SHEET_PART, b"\xff\xfe\x00"),
    ("xl/workbook.xml", b"<workbook/>"),
    ("xl/workbook.xml", b"no xml"),
    ("xl/_rels/workbook.xml.rels", b"<Relationships/>"),
    ("xl/_rels/workbook.xml.rels", b"\x00"),
    ("xl/sharedStrings.xml", b"<sst"),
    ("xl/styles.xml", b"<styleSheet><cellXfs"),
    ("[Content_Types].xml", b""),
])  # fmt: skip
def test_a_broken_part_makes_a_damaged_file(run: Run, part: str, content: bytes) -> None:
    spoiled = repack(plain(run), lambda parts: parts.update({part: content}))
    path = run.home.inbox / "broken.xlsx"
    path.write_bytes(spoiled)
    checked = check_file(run, path, allow_unsealed=True)
    # An empty list of types harms nobody: whatever still reads must read as it was issued, or be refused.
    assert checked.accepted == (part == "[Content_Types].xml")
    assert checked.accepted or rules_of(checked) & {"F01", "F07", "R01", "R04"}


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET_PART, "[Content_Types].xml"])
def test_a_missing_part_makes_a_damaged_file(run: Run, part: str) -> None:
    assert rules_unsealed(run, repack(plain(run), lambda parts: parts.pop(part))) <= {"F01"}


def test_two_parts_of_one_name_are_refused(run: Run) -> None:
    out = io.BytesIO(plain(run))
    with zipfile.ZipFile(out, "a") as package:
        package.writestr(SHEET_PART.upper(), b"<worksheet/>")
    assert rules_unsealed(run, out.getvalue()) == {"F01"}


def test_a_sheet_that_two_readers_would_look_for_in_two_parts_is_refused(run: Run) -> None:
    """One of them could scan a harmless sheet while the other reads a formula."""

    def change(parts: dict[str, bytes]) -> None:
        book = parts["xl/workbook.xml"]
        parts["xl/workbook.xml"] = book.replace(b' r:id="', b' xmlns:zz="urn:zz" zz:id="rId3" r:id="', 1)
        assert parts["xl/workbook.xml"] != book

    assert rules_unsealed(run, repack(plain(run), change)) == {"F01"}


def test_two_sheets_of_one_name_are_refused(run: Run) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace("填表说明".encode(), "附件4".encode(), 1)

    assert rules_unsealed(run, repack(plain(run), change)) == {"F01"}


@pytest.mark.parametrize("seed", range(3))
def test_damage_inside_the_zip_never_gets_past_the_reader(run: Run, seed: int) -> None:
    """Bytes changed in an unsealed file: refused, or read with the very same answers."""
    content = plain(run)
    before = read_bytes(content, [], run.campaign.limits, allow_unsealed=True)
    random_ = random.Random(seed)
    for _ in range(25):
        spoiled = bytearray(content)
        for at in random_.sample(range(len(spoiled)), random_.choice((1, 3, 40))):
            spoiled[at] = random_.randrange(256)
        submission = read_bytes(bytes(spoiled), [], run.campaign.limits, allow_unsealed=True)
        assert submission.rows in ((), before.rows)
        assert submission.rows or submission.problems


class Line:
    """A reader's end of the connection: one request, then it is closed."""

    def __init__(self, question: tuple[object, object], answers: Connection) -> None:
        self.questions, self.send_bytes = [question], answers.send_bytes

    def recv(self) -> object:
        if not self.questions:
            raise EOFError
        return self.questions.pop()


def in_child(campaign: Campaign, data: bytes, **limits: int) -> tuple[list[str], int | None, str]:
    """What a reader answers, its exit code, and all that it wrote: stdout and stderr are a file here."""
    ours, theirs = Pipe(duplex=False)
    reading, writing = os.pipe()

    def child() -> None:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        given = with_limits_of(campaign.limits, **limits)
        line = Line((worker.read_bytes, (data, [], given, True)), theirs)
        answer_requests(line, Bounds(given.seconds, given.memory_bytes, given.answer_bytes))  # type: ignore[arg-type]

    process = get_context("fork").Process(target=child)
    process.start()
    theirs.close()
    os.close(writing)
    try:
        outcome, submission = pickle.loads(ours.recv_bytes())  # noqa: S301 - our own process
        rules = [problem.rule for problem in submission.problems] if submission else [outcome]
    except EOFError:
        rules = []
    process.join()
    with os.fdopen(reading) as said:
        return rules, process.exitcode, said.read()


class Panic(BaseException):
    """What a Rust parser raises: no Exception."""


@pytest.mark.parametrize(("error", "rule"), [
    (MemoryError(), "exceeded"),
    (RecursionError("王小明"), "broke"),
    (KeyError("王小明"), "broke"),
    (zlib.error("王小明"), "broke"),
    (Panic("王小明"), "broke"),
    (SystemExit(3), "broke"),
])  # fmt: skip
def test_whatever_breaks_in_the_child_is_one_refused_workbook_and_no_word(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, rule: str
) -> None:
    def explode(*_: object, **__: object) -> None:
        os.write(2, b"panicked at cell")
        raise error

    monkeypatch.setattr(worker, "read_bytes", explode)
    assert in_child(run.campaign, b"") == ([rule], 0, "")


@pytest.mark.parametrize(("error", "rule"), [(Exceeded, "F08"), (Broke, "F01")])
def test_a_child_that_was_stopped_or_broke_is_a_finding(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: type[Exception], rule: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Bounded, "run", fail)
    submission = worker.read_workbook(b"x", [], run.campaign.limits, allow_unsealed=False)
    assert [problem.rule for problem in submission.problems] == [rule]


def test_a_child_that_dies_is_one_refused_workbook(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "read_bytes", lambda *_, **__: os._exit(9))
    assert in_child(run.campaign, b"") == ([], 9, "")


def test_reading_is_stopped_at_its_time_limit(with_limits: Callable[..., Run]) -> None:
    run = with_limits(seconds=0)
    assert places(check_file(run, run.home.inbox / f"{UNIT}.xlsx")) == [("F08", "")]


def test_a_seal_that_asks_for_too_much_work_is_refused_at_once(with_limits: Callable[..., Run]) -> None:
    run = with_limits(spin_count=ROUNDS - 1)
    assert places(check_file(run, run.home.inbox / f"{UNIT}.xlsx")) == [("F04", "")]


def test_reading_goes_on_after_a_refused_file(run: Run) -> None:
    bad = run.home.inbox / "bad.xlsx"
    bad.write_bytes(b"")
    good = [run.home.inbox / f"{unit}.xlsx" for unit in ("donggang", "xiling", "nanshan")]
    checked = loading.check_files(run, [good[0], bad, good[1], good[2]])
    assert [one.accepted for one in checked] == [True, False, True, True]
    assert [one.unit for one in checked] == ["donggang", "", "xiling", "nanshan"]


def test_a_password_opens_only_its_own_workbook(run: Run) -> None:
    candidates = [Candidate(ISSUE, unit, run.keys.password(ISSUE, unit)) for unit in ("xiling", UNIT)]
    data = (run.home.inbox / f"{UNIT}.xlsx").read_bytes()
    assert read_workbook(data, candidates, run.campaign.limits, allow_unsealed=False).opened_by == 1
    assert rules_of(check_file(run, put(run, plain(run), "xiling.xlsx"))) == {"F09"}


def test_passwords_and_cells_show_in_no_repr(run: Run) -> None:
    password = run.keys.password(ISSUE, UNIT)
    submission = read_bytes(plain(run), [], run.campaign.limits, allow_unsealed=True)
    opened = unseal((run.home.inbox / f"{UNIT}.xlsx").read_bytes(), [password])
    shown = repr(submission) + repr(Candidate(ISSUE, UNIT, password)) + repr(opened)
    assert password not in shown
    for child in books.issued(run):
        assert child.name not in shown
        assert child.id_number not in shown


def test_an_unsealed_workbook_is_let_in_on_record_only(run: Run) -> None:
    path = run.home.inbox / "plain.xlsx"
    path.write_bytes(plain(run))
    assert places(check_file(run, path)) == [("F03", "")]
    checked = check_file(run, path, allow_unsealed=True)
    assert checked.accepted
    assert not checked.sealed
    assert "F12" in rules_of(checked)


def test_a_workbook_copied_into_a_new_file_is_refused(run: Run) -> None:
    def only_the_table(sheet: Worksheet) -> None:
        for name in ("填表说明", "fuxue"):
            sheet.parent.remove(sheet.parent[name])

    assert places(check_file(run, put(run, books.edit(plain(run), only_the_table)))) == [("F09", "")]
