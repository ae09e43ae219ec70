"""Names that strangers gave to files: safe to show, to keep and to export; and one bad file never stops the others."""

import csv
import io
import json
import os
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from etl.cli import show
from etl.cli.main import main
from etl.read.inbox import not_loaded
from etl.system.file_names import FORMULA_STARTS, GAP, NAME_LENGTH, safe_stem, shown_name, visible
from etl.system.sealing import seal, unseal
from etl.workflow import loading, reporting
from etl.workflow.run import Run
from plugins.harmless import harmless
from tests.support.books import ISSUE, UNIT, edit, plain, setting

GBK = "东港镇报表.xlsx".encode("gb18030")
#: What file systems let a file be called, and how it is shown (None: only that it is safe).
NAMES: dict[bytes, str | None] = {
    GBK: "东港镇报表.xlsx",
    "㐀𠀀.xlsx".encode("gb18030"): "㐀𠀀.xlsx",
    b"\xff\xfe.xlsx": r"\xff\xfe.xlsx",
    b"\x1b[31mred\x1b]0;x\x07.xlsx": f"{GAP}[31mred{GAP}]0;x{GAP}.xlsx",
    b"a\nb\rc\t.xlsx": f"a{GAP}b{GAP}c{GAP}.xlsx",
    "表\u202exslx.exe\u200b\u2028\u2066.xlsx".encode(): f"表{GAP}xslx.exe{GAP * 3}.xlsx",
    "\u3164\ufe0f\u115f.xlsx".encode(): f"{GAP * 3}.xlsx",
    b"\x7f\xc2\x85.xlsx": f"{GAP * 2}.xlsx",
    ("长" * 80 + ".xlsx").encode(): "长" * 80 + ".xlsx",
    b"x" * 250 + b".xlsx": None,
    b'=HYPERLINK("http:evil.example","x").xlsx': '\'=HYPERLINK("http:evil.example","x").xlsx',
    b" =1+1.xlsx": "'=1+1.xlsx",
    "＝1.xlsx".encode(): "'＝1.xlsx",
    b"@SUM(1).xlsx": "'@SUM(1).xlsx",
    b"-1.xlsx": "'-1.xlsx",
    b"[red]x[bold].xlsx": "[red]x[bold].xlsx",
    b"{0}%s.xlsx": "{0}%s.xlsx",
    b" .xlsx": ".xlsx",
    " 　 ".encode(): GAP,
    "东港镇.XLSX".encode(): "东港镇.XLSX",
}
FAULTY = setting(K6="同上")


def put_named(run: Run, name: bytes, content: bytes) -> Path:
    """A file of that name in the inbox, byte for byte as a stick has it."""
    path = os.fsencode(run.home.inbox) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(content)
    return Path(os.fsdecode(path))


def call(run: Run, *arguments: str | Path) -> Result:
    """The command as a person gives it; an exception that is no exit shows as one."""
    command = ["--home", str(run.home.root), "--campaign", str(run.campaign_folder), *map(str, arguments)]
    done = CliRunner().invoke(main, [*command, "--as-of", run.day.isoformat()])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def assert_safe(text: str) -> None:
    text.encode()  # no lone surrogate is left
    assert text.strip()
    assert not [char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert not text.startswith(FORMULA_STARTS)


@pytest.mark.parametrize(("name", "shown"), NAMES.items())
def test_a_foreign_name_has_one_safe_form(name: bytes, shown: str | None) -> None:
    path = Path(os.fsdecode(b"/inbox/" + name))
    assert_safe(shown_name(path))
    assert len(shown_name(path)) <= NAME_LENGTH + 1
    assert shown is None or shown_name(path) == shown


@pytest.mark.parametrize("name", NAMES)
def test_a_file_can_be_called_after_every_foreign_name(name: bytes, tmp_path: Path) -> None:
    stem = safe_stem(Path(os.fsdecode(b"/inbox/" + name)))
    assert_safe(stem)
    made = tmp_path / f".{UNIT}-{stem}-01234567-99-feedback.xlsx.part"
    made.write_bytes(b"")
    assert len(os.fsencode(made.name)) <= 255
    assert not set(stem) & set('<>:"/\\|?*')


def test_the_end_of_a_long_name_is_seen() -> None:
    shown = shown_name(Path("表" * 300 + "第二版.xlsx"))
    assert (len(shown), shown[:2], shown[-8:]) == (NAME_LENGTH, "表表", "第二版.xlsx")


def test_a_path_is_read_folder_by_folder() -> None:
    assert visible(os.fsdecode("/家/".encode() + GBK)) == "/家/东港镇报表.xlsx"
    assert visible("/家/\ud800") == r"/家/\ud800"  # a lone surrogate that stands for no byte


def test_a_safe_name_stays_as_it_is() -> None:
    for name in ("donggang.xlsx", "东港镇（第2版）.xlsx", "a'b.xlsx", "1-2.xlsx", "𠮷.xlsx", "\ue5e5.xlsx"):
        assert shown_name(Path(name)) == name
        assert safe_stem(Path(name)) + ".xlsx" == name


def test_every_name_is_loaded_kept_and_printed_and_stops_nobody(run: Run) -> None:
    for number, name in enumerate(NAMES):
        put_named(run, name, b"no workbook %d" % number)
    outcomes = loading.load_files(run)
    assert len(outcomes) == 3 + len(NAMES)
    assert [one.outcome for one in outcomes].count("accepted") == 3
    for one in outcomes:
        for text in (one.checked.file, *(finding.file for finding in one.checked.findings)):
            assert_safe(text)
    with run.open_vault() as vault:
        kept = {row[0] for row in vault.connection.execute("SELECT name FROM file_name")}
    assert kept == {one.checked.file for one in outcomes}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_every_command_on_returned_files_says_foreign_names_safely(run: Run, options: list[str]) -> None:
    for number, name in enumerate(NAMES):
        put_named(run, name, b"no workbook %d" % number)
    commands: list[list[str | Path]] = [["check", *not_loaded(run.home.inbox)], ["report", "feedback"], ["load"]]
    for command in commands[2:] if options else commands:
        done = call(run, *command, *options)
        assert done.exit_code in (0, 1)
        assert "东港镇报表.xlsx" in done.output.replace("\n", "")
        assert not [char for char in done.output if unicodedata.category(char) in ("Cc", "Cf") and char != "\n"]
        if options:
            json.loads(done.stdout)


def test_a_home_under_a_foreign_name_can_be_printed(run: Run) -> None:
    root = Path(os.fsdecode(os.fsencode(run.home.root.parent) + b"/" + "家".encode("gbk")))
    run.home.root.rename(root)
    done = CliRunner().invoke(main, ["--home", str(root), "--campaign", str(run.campaign_folder), "--json", "issue",
                                     "--form", "cases", "--as-of", run.day.isoformat()])  # fmt: skip
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception


def faulty(run: Run, unit: str = UNIT) -> bytes:
    """A sealed workbook of the unit with something to mend."""
    return seal(edit(plain(run, unit), FAULTY), run.keys.password(ISSUE, unit))


def test_feedback_on_foreign_names_lies_side_by_side(run: Run) -> None:
    """Each under its own name: none overwrites another, however alike their safe names are."""
    alike = [b"\x01.xlsx", b"\x02.xlsx", b"\x02.XLSX", b"a.xlsx", b"A.xlsx", b"a.xls", b"a", b"a:.xlsx", b"a_.xlsx",
             ("长" * 80 + "1.xlsx").encode(), ("长" * 80 + "2.xlsx").encode(), GBK, "东港镇报表.xlsx".encode(),
             b"x/a.xlsx", b"y/a.xlsx"]  # fmt: skip
    paths = [Path(os.fsdecode(name)) for name in alike]
    names = [reporting.name_of(run, path, UNIT, taken) for taken in [set[str]()] for path in paths]
    assert len({name.lower() for name in names}) == len(alike)
    for name in names:
        assert_safe(name)
        assert len(os.fsencode(name)) <= 249  # as many as its draft has room for
    assert [reporting.name_of(run, path, UNIT, taken) for taken in [set[str]()] for path in paths] == names
    assert reporting.name_of(run, Path(f"{UNIT}-第2版.xlsx"), UNIT, set()) == f"{UNIT}-第2版-feedback.xlsx"
    assert reporting.name_of(run, Path("附件4.xlsx"), UNIT, set()) != reporting.name_of(
        run, Path("附件4.xlsx"), "x", set()
    )


def test_feedback_on_foreign_names_is_written_and_opens(run: Run) -> None:
    (made,) = reporting.feedback(
        run, [put_named(run, b"\x1b" + ("长" * 80 + ".xlsx").encode("gbk"), faulty(run))], None
    )
    assert made.file is not None
    unseal(made.file.read_bytes(), [run.keys.password(ISSUE, UNIT)])


def test_one_feedback_that_fails_does_not_stop_the_others(run: Run, monkeypatch: pytest.MonkeyPatch,
                                                        capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    for name in (b"1.xlsx", b"2.xlsx"):
        put_named(run, name, faulty(run))
    monkeypatch.setattr(reporting, "_made", lambda _, *said: None if "1.xlsx" in str(said[3]) else b"made")
    made = {one.checked.file: one for one in reporting.feedback(run, not_loaded(run.home.inbox), None)}
    assert (made["1.xlsx"].file, made["1.xlsx"].failed) == (None, True)
    assert made["2.xlsx"].file is not None
    show.show_feedback(run.campaign, list(made.values()))
    out = capsys.readouterr()
    assert "2-feedback.xlsx" in out.out.replace("\n", "")
    assert "1.xlsx 的反馈没有做成" in out.err


def folder(path: Path) -> None:
    path.mkdir()
    (path / "inside.xlsx").write_bytes(b"x")


def link_to_nothing(path: Path) -> None:
    path.symlink_to("nowhere.xlsx")


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def test_what_cannot_be_read_is_reported_and_stops_nobody(run: Run) -> None:
    bad = {f"{make.__name__}.xlsx": make for make in (link_to_nothing, link_to_itself, os.mkfifo, Path.touch)}
    for name, make in bad.items():
        make(run.home.inbox / name)
    for command in (["check", *not_loaded(run.home.inbox)], ["load"]):
        done = call(run, *command, "--json")
        assert done.exit_code == 1, done.output
        files = {one["file"]: one for one in json.loads(done.stdout)["files"]}
        assert set(files) == {*bad, *(f"{unit.slug}.xlsx" for unit in run.campaign.units)}
        for name, one in files.items():
            assert [f["rule"] for f in one["findings"] if f["severity"] == "error"] == ["F21"] * (name in bad)
    folder(run.home.inbox / "folder.xlsx")
    (run.home.inbox / "touch.xlsx").touch()
    bad["folder.xlsx"] = folder
    done = call(run, "load", *(run.home.inbox / name for name in bad), "--json")  # also where each is named
    assert [one["outcome"] for one in json.loads(done.stdout)["files"]] == ["refused"] * len(bad)


def test_a_file_that_nobody_may_read_is_reported_and_stops_nobody(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    put_named(run, b"closed.xlsx", b"x")
    really = Path.open

    def closed(self: Path, *arguments: str, **named: str) -> object:
        if self.name == "closed.xlsx":
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", closed)
    outcomes = {one.checked.file: one for one in loading.load_files(run, not_loaded(run.home.inbox))}
    assert [finding.rule for finding in outcomes["closed.xlsx"].checked.findings] == ["F21"]
    assert [one.outcome for one in outcomes.values()].count("accepted") == 3


def test_a_name_without_a_file_is_a_typing_error_and_reported_at_once(run: Run) -> None:
    done = call(run, "load", run.home.inbox / "no.xlsx")
    assert done.exit_code == 2
    assert "no.xlsx" in done.output


@pytest.mark.parametrize(
    "cell", ["=1", "+1+1", "-1-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u200b=1", "\u3000＝1", "＋1"]
)
def test_no_cell_of_a_csv_is_a_formula_whatever_stands_before_it(cell: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([[cell, "-5", "3.5", "x;=1"]])
    content = harmless(out.getvalue().encode()).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(content, newline=""))) == [f"'{cell}", "-5", "3.5", "x;=1"]
    assert content.startswith('"')  # in quotes: not split at a semicolon
