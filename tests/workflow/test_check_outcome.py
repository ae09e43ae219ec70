"""What bad input does to a run: exit codes, words for a clerk, nothing personal, and nothing accepted is touched."""

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl.worksheet.worksheet import Worksheet

from etl.cli.main import main
from etl.exchange.checked import Checked
from etl.synthetic.faults import FAULTS, RESEALED
from etl.synthetic.fill import fill_issue
from etl.synthetic.population import Person
from etl.system.sealing import seal, unseal
from etl.workflow import issuing, loading, synthesizing
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import ISSUE, UNIT, edit, places, plain, put, repack, setting

#: The rule that must catch each synthetic fault, and where: `first` and `last` row of the unit's children.
CAUGHT = {
    "blank-category": ("A01", "I{first}"),
    "unlisted-category": ("A02", "I{first}"),
    "contradiction": ("A05", "J{first}"),
    "blank-team": ("A06", "K{first}"),
    "missing-row": ("R01", ""),
    "changed-name": ("R04", "E{first}"),
    "numeric-id": ("R05", "G{first}"),
    "formula": ("R06", "I{first}"),
    RESEALED: ("F02", ""),
}


@pytest.fixture(scope="module")
def accepted_once(
    issued_once: Path, tmp_path_factory: pytest.TempPathFactory, small_folder: Path
) -> Callable[[Path], Path]:
    """A home in which all workbooks were accepted; copied for each test."""
    root = tmp_path_factory.mktemp("accepted") / "var"
    shutil.copytree(issued_once, root)
    result = command(root, small_folder, "load", "--as-of", "2020-03-16")
    assert result.exit_code == 0, result.output
    return lambda target: Path(shutil.copytree(root, target, dirs_exist_ok=True))


@pytest.fixture
def accepted(run: Run, accepted_once: Callable[[Path], Path]) -> Run:
    accepted_once(run.home.root)
    return run


def command(home: Path, campaign: Path, *arguments: str) -> Result:
    common = ["--home", str(home), "--campaign", str(campaign)]
    return CliRunner().invoke(main, [*common, *arguments], env={"FUXUE_KEY_FILE": None, "COLUMNS": "200"})


def invoke(run: Run, *arguments: str) -> Result:
    result = command(run.home.root, run.campaign_folder, *arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def record(run: Run) -> list[list[tuple[object, ...]]]:
    """Everything that was accepted, and what of it is current."""
    with run.open_vault() as vault:
        queries = (
            "SELECT * FROM workbook WHERE status = 'accepted' ORDER BY id",
            "SELECT * FROM answer ORDER BY workbook, serial",
            "SELECT * FROM current_workbook ORDER BY id",
            "SELECT * FROM child ORDER BY issue, serial",
        )
        return [vault.connection.execute(query).fetchall() for query in queries]


def secrets(people: list[Person]) -> list[str]:
    return [text for person in people for text in (person.child.name, person.child.id_number, person.child.household)]


def assert_silent(text: str, people: list[Person]) -> None:
    """No name, number or address of any child."""
    assert text
    for secret in secrets(people):
        assert secret not in text


def spoil_many(sheet: Worksheet) -> None:
    """Personal data wherever a careless message could pick it up."""
    name, number = sheet["E4"].value, sheet["G4"].value
    sheet.title = f"{name}{number}"
    setting(I4=f"{name}{number}", J4=name, K4=f"={number}", A5=name, E6=number, G7=float(number[:17]), H8=name)(sheet)
    setting(I9=None, J10=name, K11="1", E3="姓名")(sheet)
    sheet.parent["fuxue"].append(["serial", name])
    sheet.delete_rows(11)


def bad_files(run: Run) -> dict[str, bytes]:
    """Sealed and unsealed bytes of every kind of bad input in the issue."""
    content, own = plain(run), run.keys.password(ISSUE, UNIT)
    sealed = books.returned(run).read_bytes()
    spoiled = {
        "missing": edit(content, lambda sheet: sheet.delete_rows(3)),
        "changed": edit(content, setting(H4="别处")),
        "unlisted": edit(content, setting(I4="N.不清楚")),
        "asked": edit(content, setting(I4="A.户籍原因", J4="是")),
        "not-asked": edit(content, setting(I4="K.打工务农", J4="无")),
        "blank": edit(content, setting(I4=None, J4=None, K4=None)),
        "number": edit(content, setting(G4=990101200601150010)),
        "formula": edit(content, setting(K4="=A1")),
        "many": edit(content, spoil_many),
        "no-manifest": edit(content, lambda sheet: sheet.parent.remove(sheet.parent["fuxue"])),
        "macro": repack(content, lambda parts: parts.update({"xl/vbaProject.bin": b"x"})),
    }
    files = {name: seal(book, own) for name, book in spoiled.items()}
    files |= {"wrong-password": seal(content, "123456"), "text": b"text", "empty": b"", "cut": sealed[:9000]}
    return files | {"unsealed": content, "other-unit": seal(plain(run, "xiling"), own)}


def test_nothing_that_was_accepted_changes_and_nothing_personal_is_said(
    accepted: Run, people: list[Person], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    before = record(accepted)
    assert len(before[0]) == 3
    paths = []
    made = bad_files(accepted)
    for name, content in made.items():
        paths.append(accepted.home.inbox / f"{name}.xlsx")
        paths[-1].write_bytes(content)
    loaded = loading.load_files(accepted, paths)
    assert [one.outcome for one in loaded] == ["refused"] * len(paths)
    assert all(one.checked.findings for one in loaded)
    assert record(accepted) == before
    findings = [finding for one in loaded for finding in one.checked.findings]
    assert len(findings) > len(paths)
    assert_silent(repr(findings) + repr(loaded), people)
    personal = [path for path in paths if path.stem in ("many", "changed", "number")]
    for path in personal:
        path.write_bytes(made[path.stem])
    for option in ("--json", "--quiet"):
        result = invoke(accepted, option, "check", *map(str, personal))
        assert result.exit_code == 1
        assert_silent(result.output, people)
    said = capfd.readouterr()
    for text in (said.out, said.err, caplog.text):
        assert "Traceback" not in text
        assert not [secret for secret in secrets(people) if secret in text]


@pytest.mark.parametrize("kind", [*FAULTS, RESEALED])
def test_a_townships_fault_is_caught_by_its_rule(kind: str, run: Run, people: list[Person]) -> None:
    unit = run.campaign.unit[UNIT]
    (path,) = fill_issue(
        run.campaign, [unit], run.home.outbox / ISSUE, run.home.inbox, people,
        password_of=lambda slug: run.keys.password(ISSUE, slug), seed=1, faults={UNIT: kind},
    )  # fmt: skip
    rule, cell = CAUGHT[kind]
    if kind == "contradiction":  # in either direction, as the first child's category has it
        first = next(p for p in people if p.child.serial == books.issued(run)[0].serial)
        rule = "A04" if first.category >= "I" else "A05"
    checked = books.check_file(run, path)
    assert not checked.accepted
    assert places(checked) == [(rule, cell.format(first=4))]


def test_every_synthetic_fault_has_its_rule() -> None:
    assert set(CAUGHT) == {*FAULTS, RESEALED}


def test_the_exit_code_says_whether_all_is_well(run: Run, tmp_path: Path) -> None:
    good = run.home.inbox / f"{UNIT}.xlsx"
    bad = put(run, edit(plain(run, "xiling"), setting(I4="N.不清楚")), "xiling.xlsx")
    assert invoke(run, "check", str(good)).exit_code == 0
    assert invoke(run, "check", str(bad)).exit_code == 1
    assert invoke(run, "check", str(good), str(bad)).exit_code == 1
    assert invoke(run, "check", str(tmp_path / "none.xlsx")).exit_code == 2
    assert invoke(run, "load", str(bad)).exit_code == 1
    kept = Path(shutil.copy(good, tmp_path))
    assert invoke(run, "load", str(good)).exit_code == 0
    assert invoke(run, "load", str(kept)).exit_code == 0
    assert invoke(run, "load").exit_code == 0
    assert command(tmp_path / "nobody", run.campaign_folder, "check", str(kept)).exit_code == 2
    run.home.vault.unlink()
    assert invoke(run, "check", str(kept)).exit_code == 2


def test_a_list_with_faults_issues_nothing_and_exits_with_1(run: Run, tmp_path: Path) -> None:
    before = record(run)
    path = books.write_list(tmp_path / "list.xlsx", [books.row_of("901"), books.row_of("901", name="")])
    result = invoke(run, "issue", str(path))
    assert result.exit_code == 1
    assert "L02" in result.output
    assert "L09" in result.output
    assert record(run) == before
    assert [folder.name for folder in run.home.outbox.iterdir()] == [ISSUE]


def test_a_list_or_a_child_that_was_issued_before_is_not_issued_again(run: Run, tmp_path: Path) -> None:
    before = record(run)
    result = invoke(run, "issue", str(run.home.private / "list.xlsx"))
    assert result.exit_code == 2
    assert ISSUE in result.output
    child = books.issued(run)[0]
    row = books.row_of("901", id_number=child.id_number, sex=child.sex)
    assert invoke(run, "issue", str(books.write_list(tmp_path / "list.xlsx", [row]))).exit_code == 2
    assert record(run) == before


def test_json_names_file_sheet_cell_rule_and_remedy(run: Run) -> None:
    bad = put(run, edit(plain(run), setting(J4="也许")))
    result = invoke(run, "--json", "check", str(bad))
    (line,) = [json.loads(line) for line in result.stdout.splitlines()]
    (file,) = line["files"]
    assert (file["file"], file["outcome"], file["unit"]) == (bad.name, "refused", UNIT)
    (finding,) = [f for f in file["findings"] if f["severity"] == "error"]
    assert finding["rule"] in ("A04", "A05")
    assert (finding["sheet"], finding["cell"]) == ("附件4", "J4")
    assert finding["serial"] == books.issued(run)[0].serial
    assert "复学情况" in finding["message"]
    assert finding["message_en"]


def test_a_clerk_reads_rule_place_and_remedy(run: Run) -> None:
    bad = put(run, edit(plain(run), setting(J4=None)))
    output = invoke(run, "check", str(bad)).output
    for piece in ("A03", "附件4", "J4", "复学情况为空", "不合格"):
        assert piece in output


def test_another_units_workbook_counts_for_the_unit_that_its_seal_names(accepted: Run) -> None:
    before = record(accepted)
    content = edit(plain(accepted, "xiling"), setting(K4="另一组员"))
    path = put(accepted, content, f"{UNIT}.xlsx", password=accepted.keys.password(ISSUE, "xiling"))
    (loaded,) = loading.load_files(accepted, [path])
    assert (loaded.outcome, loaded.checked.unit) == ("accepted", "xiling")
    current = {row[2]: row[0] for row in record(accepted)[2]}
    was = {row[2]: row[0] for row in before[2]}
    assert current[UNIT] == was[UNIT]
    assert current["xiling"] not in was.values()
    assert record(accepted)[0][:3] == before[0]


def test_another_counties_workbook_is_refused(run: Run, small_folder: Path, tmp_path: Path) -> None:
    """Same form, same unit, same password even; but no signature of this bureau."""
    other = tmp_path / "other"
    synthesizing.synthesize_list(run.campaign, tmp_path / "list.xlsx", 30, 99, "default")
    key = tmp_path / "other.key"
    assert command(other, small_folder, "vault", "keygen", str(key)).exit_code == 0
    arguments = ("--key-file", str(key), "issue", str(tmp_path / "list.xlsx"), "--as-of", "2020-03-02")
    assert command(other, small_folder, *arguments).exit_code == 0
    foreign = other / "private" / "outbox" / ISSUE / f"{UNIT}.xlsx"
    assert places(books.check_file(run, foreign)) == [("F02", "")]
    shown = command(other, small_folder, "--key-file", str(key), "--json", "passwords", "--unit", UNIT)
    password = json.loads(shown.stdout)["passwords"][0]["password"]
    content = unseal(foreign.read_bytes(), [password]).plain
    assert places(books.check_file(run, put(run, content))) == [("F09", "")]


def test_an_earlier_issues_workbook_is_checked_against_its_own_issue(run: Run, tmp_path: Path) -> None:
    rows = [books.row_of(str(number)) for number in range(1, 13)]
    handed = issuing.issue_list(run, books.write_list(tmp_path / "list.xlsx", rows))
    name = handed.issue
    assert (name, handed.rows, handed.findings) == ("20200316-02", 12, ())
    first = books.check_file(run, run.home.inbox / f"{UNIT}.xlsx")
    assert (first.issue, first.accepted) == (ISSUE, True)
    second = blank_of(run, name)
    assert (second.issue, second.unit) == (name, UNIT)
    # Serials 1 … 12 in the list's order, which is not that of their text.
    assert {rule for rule, _ in places(second)} == {"A01", "A03", "A06"}
    assert len(places(second)) == 36


def blank_of(run: Run, issue: str) -> Checked:
    """The findings of a workbook that was opened, saved again and sent back with nothing filled in."""
    password = run.keys.password(issue, UNIT)
    content = unseal((run.home.outbox / issue / f"{UNIT}.xlsx").read_bytes(), [password]).plain
    return books.check_file(run, put(run, content, password=password))


def test_a_workbook_returned_blank_is_refused_cell_by_cell(run: Run) -> None:
    count = len(books.issued(run))
    expected = [(rule, f"{column}{row}") for row in range(4, 4 + count)
                for rule, column in (("A01", "I"), ("A03", "J"), ("A06", "K"))]  # fmt: skip
    assert sorted(places(blank_of(run, ISSUE))) == sorted(expected)


def test_the_newest_accepted_version_counts_and_the_older_stays(accepted: Run) -> None:
    before = record(accepted)
    (loaded,) = loading.load_files(accepted, [put(accepted, edit(plain(accepted), setting(K4="新组员")))])
    assert loaded.outcome == "accepted"
    after = record(accepted)
    assert after[0][:3] == before[0]
    assert set(before[1]) < set(after[1])
    with accepted.open_vault() as vault:
        query = "SELECT team FROM current_answer WHERE serial = ?"
        assert vault.connection.execute(query, [books.issued(accepted)[0].serial]).fetchall() == [("新组员",)]
