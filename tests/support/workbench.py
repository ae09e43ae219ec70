"""The workbench of the census: a filled home, and the ways in which its cases change a list or a workbook."""

import datetime as dt
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from etl.findings import Finding
from etl.forms.definitions import ANNEX4
from etl.forms.manifest import Manifest
from etl.read.worker import read_bytes
from etl.system.sealing import seal, unseal
from etl.workflow import issuing, loading, recording
from etl.workflow.run import Run
from tests.support import books
from tests.support.books import ISSUE, UNIT, Change, row_of, setting
from tests.support.filled_workbooks import case_row, fill_decisions, put_casework

Found = Sequence[Finding]
A = "A.户籍原因"


@dataclass
class Bench:
    """A filled home for the cases. Most methods change something, hand it in and return the findings."""

    run: Run
    limited: Callable[..., Run]
    folder: Path

    def edit(self, change: Change) -> Found:
        def both(sheet: Worksheet) -> None:
            neutral(sheet)
            change(sheet)

        return books.check_edit(self.run, both).findings

    def answer(self, category: str = "", returned: str = "", team: str = "测试员甲") -> Found:
        return self.edit(setting(I4=category or None, J4=returned or None, K4=team or None))

    def at_age(self, category: str, years: int, days: int = 0) -> Found:
        """Answer `category` for the first child, with the ages counted on its `years`-th birthday or `days` later."""
        birth = dt.datetime.strptime(books.issued(self.run)[0].id_number[6:14], "%Y%m%d").date()
        reference = birth.replace(year=birth.year + years) + dt.timedelta(days)
        campaign = replace(self.run.campaign, ages=replace(self.run.campaign.ages, reference=reference))
        changed = replace(self, run=replace(self.run, campaign=campaign))
        label = self.run.campaign.category[category].label
        return changed.answer(label, "无" if category <= "H" else "是")

    def plain(self, content: bytes) -> Found:
        return books.check_plain(self.run, content).findings

    def file(self, path: Path, *, allow_unsealed: bool = False) -> Found:
        return books.check_file(self.run, path, allow_unsealed=allow_unsealed).findings

    def sealed(self, content: bytes, password: str | None = None) -> Found:
        return self.file(books.put(self.run, content, password=password))

    def raw(self, content: bytes, name: str = f"{UNIT}.xlsx", *, allow_unsealed: bool = False) -> Found:
        path = self.folder / name
        path.write_bytes(content)
        return self.file(path, allow_unsealed=allow_unsealed)

    def under(self, content: bytes, **limits: int) -> Found:
        return replace(self, run=self.limited(**limits)).plain(content)

    def returned(self) -> Path:
        """The first unit's filled workbook."""
        return self.run.home.inbox / f"{UNIT}.xlsx"

    def listed(self, *rows: dict[str, object], **options: object) -> Found:
        path = books.write_list(self.folder / "list.xlsx", rows, **options)  # type: ignore[arg-type]
        return books.list_findings(path, self.run.campaign)

    def case(self, returned: str = "是", **cells: object) -> Found:
        """Hand in the casework with these cells for the first case in K or M that has this 复学情况."""
        bundle, row, _ = case_row(self.run, returned)
        return self.file(put_casework(self.run, bundle, {row["reference"]: cells}))

    def load(self, *paths: Path) -> Found:
        return [f for one in loading.load_files(self.run, paths) for f in one.checked.findings]


def neutral(sheet: Worksheet) -> None:
    """Fill every row with answers that no rule objects to."""
    for row in range(4, sheet.max_row):
        for column, text in zip("IJK", (A, "无", "测试员甲"), strict=True):
            sheet[f"{column}{row}"].value = text


def same(sheet: Worksheet) -> None:
    assert sheet.max_row > 4


def copy_sheet(content: bytes, change: Change) -> bytes:
    """The workbook with a copy of its first sheet; `change` is made to the copy."""

    def copy(sheet: Worksheet) -> None:
        change(sheet.parent.copy_worksheet(sheet))

    return books.edit(content, copy)


def signed_for(bench: Bench, issue: str) -> bytes:
    """The filled workbook with a correctly signed manifest that names `issue`."""
    manifest = Manifest("annex4", issue, UNIT, tuple(serials(bench))).signed(bench.run.manifest_mac)

    def change(sheet: Worksheet) -> None:
        hidden = sheet.parent["fuxue"]
        hidden["B2"], hidden["B4"] = issue, manifest.mac

    return books.edit(books.plain(bench.run), change)


def load_side_by_side(bench: Bench, unit: str, *, is_copy: bool = False) -> Found:
    """Load the first unit's workbook and a second file: `unit`'s workbook, copied or else sealed anew."""
    other = bench.folder / "other.xlsx"
    password = bench.run.keys.password(ISSUE, unit)
    content = (bench.run.home.inbox / f"{unit}.xlsx").read_bytes()
    other.write_bytes(content if is_copy else seal(unseal(content, [password]).plain, password))
    return loading.load_files(bench.run, [bench.returned(), other])[0].checked.findings


def load_twice(bench: Bench, again: str) -> Found:
    """Load a workbook, then a copy of it with the name `again`."""
    path = bench.returned()
    copy = bench.folder / again
    shutil.copyfile(path, copy)
    bench.load(path)
    return bench.load(copy)


def load_replaced(bench: Bench, hands_in: int) -> Found:
    """Load two workbooks of one unit in turn, then the one with index `hands_in` again."""
    path = bench.returned()
    versions = [path.read_bytes(), seal(books.plain(bench.run), bench.run.keys.password(ISSUE, UNIT))]
    for content in versions:
        path.write_bytes(content)
        bench.load(path)
    path.write_bytes(versions[hands_in])
    return bench.load(path)


def load_sealed_again(bench: Bench) -> Found:
    path = bench.returned()
    content = books.plain(bench.run)
    bench.load(path)
    return bench.load(books.put(bench.run, content))


def renumbered(bench: Bench, name: str) -> Found:
    """Issue a supplement that repeats the first child's serial, with another ID number and this name."""
    row = row_of("901") | {"serial": books.issued(bench.run)[0].serial, "name": name}
    return issuing.issue_list(bench.run, books.write_list(bench.folder / "list.xlsx", [row])).findings


def two_sheets(bench: Bench, filled: int) -> Found:
    """Check a list with two sheets: if `filled` is 1, the second has only headings; otherwise both hold a child."""
    path = books.write_list(bench.folder / "list.xlsx", [row_of("1")])
    book = openpyxl.load_workbook(path)
    copy = book.copy_worksheet(book.worksheets[0])
    if filled == 1:
        copy.delete_rows(3)
    book.save(path)
    return books.list_findings(path, bench.run.campaign)


def supplemented(bench: Bench, name: str | None) -> Found:
    """Issue a supplement with a new child and, unless `name` is None, the first child again.

    An empty `name` keeps the first child's own name.
    """
    first = books.issued(bench.run)[0]
    row = {column.key: getattr(first, column.key) for column in ANNEX4.issued}
    again = [] if name is None else [row | {"name": name} if name else row]
    path = books.write_list(bench.folder / "list.xlsx", [*again, row_of("901")])
    return issuing.issue_list(bench.run, path).findings


def decided(bench: Bench, officer: str) -> Found:
    """Issue a list of one child with a decision on its unit, signed with the name `officer`, which may be empty."""
    path = books.write_list(bench.folder / "list.xlsx", [row_of("901", household="虚构省")])
    (workbook,) = issuing.issue_list(bench.run, path).decision_workbooks
    filled = fill_decisions(bench.run, workbook, "归属单位", {"901": "东港镇"}, officer)
    findings = issuing.issue_list(bench.run, path, assign=filled).findings
    # An assignment without an officer's name assigns nothing: the row is reported again.
    return findings if officer else [f for f in findings if f.rule != "L06"]


def missing(bench: Bench, confirmed: int) -> Found:
    """Report the first child as missing; the police have confirmed this for the child at index `confirmed`."""
    recording.record_police_ref(bench.run, ISSUE, serials(bench)[confirmed], "青公〔2020〕1号", "登记员甲")

    def change(sheet: Worksheet) -> None:
        neutral(sheet)
        setting(I4="G.失踪失联")(sheet)

    return bench.sealed(books.edit(books.plain(bench.run), change))


def with_macros(bench: Bench) -> bytes:
    """The filled workbook with a macro part."""
    return books.repack(books.plain(bench.run), lambda parts: parts.update({"xl/vbaProject.bin": b""}))


def duplicate(sheet: Worksheet) -> None:
    last = sheet.max_row  # the insertion moves the footer down
    sheet.insert_rows(last)
    for column in range(1, 12):
        sheet.cell(last, column).value = sheet.cell(4, column).value


def foreign(sheet: Worksheet) -> None:
    duplicate(sheet)
    sheet.cell(sheet.max_row - 1, 1).value = "9999"


def spun(bench: Bench, most: int) -> Found:
    """Read our own sealed workbook, which takes `ROUNDS` rounds, with a limit of `most` rounds."""
    sealed = (bench.returned()).read_bytes()
    limits = replace(bench.run.campaign.limits, spin_count=most)
    submission = read_bytes(sealed, [bench.run.keys.password(ISSUE, UNIT)], limits, allow_unsealed=False)
    return [bench.run.campaign.finding(p.rule, f"{UNIT}.xlsx", **p.params) for p in submission.problems]


def large(bench: Bench, memory: int) -> Found:
    """Read a small file that unpacks to 40 MB, with a limit of `memory` bytes."""
    content = books.in_sheet(books.plain(bench.run), "</sheetData>", " " * 40_000_000 + "</sheetData>")
    return replace(bench, run=bench.limited(memory_bytes=memory)).raw(content, allow_unsealed=True)


def annex5(**changed: object) -> Change:
    """附件5 as Excel would have calculated it when every row is A and 无, with some cells changed."""

    def change(sheet: Worksheet) -> None:
        count = sheet.max_row - 4
        for row in (4, 5):
            for column in "CDEFGHIJKLMNOPQ":
                value = changed.get(f"{column}{row}", count if column in "CD" else 0)
                sheet.parent["附件5"][f"{column}{row}"].value = value

    return change


def heading(key: str, text: str) -> Change:
    return setting(**{f"{books.LETTER[key]}3": text})


def foot(**said: str | None) -> Change:
    """Replace the texts behind labels in the footer, such as 填报人; None clears one."""

    def change(sheet: Worksheet) -> None:
        last = next(row for row in range(sheet.max_row, 0, -1) if sheet.cell(row, 1).value)
        cells = {str(cell.value): cell for cell in sheet[last]}
        for label, text in said.items():
            sheet.cell(last, cells[f"{label}："].column + 1).value = text

    return change


def once(sheet: Worksheet) -> None:
    """Clear every figure of 附件5 except C4, which is correct."""
    annex5()(sheet)
    for row in sheet.parent["附件5"].iter_rows(4, 5, 3, 17):
        for cell in row:
            cell.value = cell.value if cell.coordinate == "C4" else None


def headings_alone(sheet: Worksheet) -> None:
    """Delete every row of 附件5 below its headings."""
    sheet.parent["附件5"].delete_rows(4, 99)


def as_text(sheet: Worksheet) -> None:
    """Put a text into K4 that looks like a formula."""
    sheet["K4"].value, sheet["K4"].data_type = "测试员甲=1+1", "s"


def altered(sheet: Worksheet) -> None:
    """Change one character of the manifest's signature."""
    cell = sheet.parent["fuxue"]["B4"]
    cell.value = str(cell.value)[:-1] + ("0" if str(cell.value)[-1] != "0" else "1")


def link(sheet: Worksheet) -> None:
    sheet["K4"].hyperlink = "mailto:someone@example.invalid"


def serials(bench: Bench) -> list[str]:
    return [child.serial for child in books.issued(bench.run)]
