"""The peer of `load`: a script as a competent person would write it with msoffcrypto, openpyxl and sqlite-utils.

It knows nothing of `etl`. It opens each workbook with its password, finds the header, compares every issued cell, asks
the same rules, holds 附件5 against the answers, and writes workbooks, answers and findings into a plain SQLite file.
What it leaves out: limits on size, time and memory, macros and entities (F05, F06, F08), files known or untouched (F11,
F16), weaker encryption (F13), encryption of what it stores, a file for each scope.
"""

import hmac
import io
import json
import multiprocessing
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msoffcrypto
import openpyxl
import sqlite_utils
from msoffcrypto.exceptions import InvalidKeyError

from bench.peer_rules import HEADINGS, LABELS, Row, cell_text, failed, same, tidy

Children = Mapping[str, Mapping[str, Any]]


@dataclass
class Result:
    """What became of one file; `findings` are (rule, sheet, cell, serial, what differs)."""

    file: str
    is_sealed: bool = False
    is_accepted: bool = False
    unit: str = ""
    findings: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)
    footer: dict[str, str] = field(default_factory=dict)

    def add(self, rule: str, sheet: str = "", cell: str = "", serial: str = "", detail: str = "") -> None:
        """One more finding."""
        self.findings.append((rule, sheet, cell, serial, detail))


@dataclass(frozen=True)
class Known:
    """Passwords and names by unit, the manifests' signature, (severity, message) by rule; children come by the file."""

    issue: str
    passwords: Mapping[str, str]
    names: Mapping[str, str]
    mac: Callable[[bytes], bytes]
    rules: Mapping[str, tuple[str, str]]
    police: frozenset[str] = frozenset()
    children: Mapping[str, Children] = field(default_factory=dict)


class Refused(Exception):
    """The file is not read on; the rule that says why."""


def prepare(database: Path, children: Iterable[dict[str, Any]]) -> None:
    """The file of what was handed out."""
    db = sqlite_utils.Database(database)
    db.table("child").insert_all(children, pk="serial")
    db.conn.close()


def load(database: Path, paths: Sequence[Path], known: Known, processes: int = 1) -> list[Result]:
    """Check and record files."""
    db = sqlite_utils.Database(database)
    known = replace(known, children=_children(db))
    if processes == 1:
        results = [check(known, path) for path in paths]
    else:
        # Forked: what is known need not be sent, and nothing is imported again.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_share, initargs=(known,)) as pool:
            results = list(pool.map(_check_shared, paths, chunksize=4))
    rivals = Counter(result.unit for result in results if result.is_accepted)
    for result in results:
        if result.is_accepted and rivals[result.unit] > 1:
            result.add("F15")
            result.is_accepted = False
        _record(db, known, result)
    db.conn.close()
    return results


_shared: list[Known] = []


def _share(known: Known) -> None:
    _shared[:] = [known]


def _check_shared(path: Path) -> Result:
    return check(_shared[0], path)


def _children(db: sqlite_utils.Database) -> Mapping[str, Children]:
    found: dict[str, dict[str, Any]] = {}
    for child in db.table("child").rows:
        found.setdefault(child["unit"], {})[child["serial"]] = child
    return found


def _record(db: sqlite_utils.Database, known: Known, result: Result) -> None:
    row = {"issue": known.issue, "unit": result.unit, "file": result.file, "sealed": result.is_sealed,
           "accepted": result.is_accepted, "footer": json.dumps(result.footer, ensure_ascii=False)}  # fmt: skip
    with db.conn:
        workbook = db.table("workbook").insert(row, pk="id").last_pk
        if result.is_accepted:
            db.table("answer").insert_all({"workbook": workbook, **answer} for answer in result.answers)
        db.table("finding").insert_all(
            {"workbook": workbook, "rule": rule, "severity": known.rules[rule][0], "sheet": sheet, "cell": cell,
             "serial": serial, "detail": detail, "message": known.rules[rule][1]}
            for rule, sheet, cell, serial, detail in result.findings
        )  # fmt: skip


def check(known: Known, path: Path) -> Result:
    """Read and check one file."""
    result = Result(path.name)
    try:
        plain, opened = _open(known, path)
        result.is_sealed = bool(opened)
        _check_book(known, plain, opened, result)
    except Refused as refused:
        result.add(str(refused))
    is_wrong = any(known.rules[rule][0] == "error" for rule, *_ in result.findings)
    result.is_accepted = bool(result.unit) and not is_wrong
    return result


def _open(known: Known, path: Path) -> tuple[bytes, str]:
    """The plain workbook, and the unit whose password opened it."""
    data = path.read_bytes()
    if not data.startswith(bytes.fromhex("d0cf11e0")):
        return data, ""
    try:
        office = msoffcrypto.OfficeFile(io.BytesIO(data))
        for unit in sorted(known.passwords, key=lambda unit: unit != path.stem):
            try:
                office.load_key(password=known.passwords[unit], verify_password=True)
            except InvalidKeyError:
                continue
            out = io.BytesIO()
            office.decrypt(out, verify_integrity=True)
            return out.getvalue(), unit
    except Exception as error:
        raise Refused("F04") from error
    raise Refused("F02")


def _check_book(known: Known, plain: bytes, opened: str, result: Result) -> None:
    try:
        # Twice: the one shows which cells are formulas, the other what 附件5 came to; it is read in the cheaper way.
        book = openpyxl.load_workbook(io.BytesIO(plain))
        figures = openpyxl.load_workbook(io.BytesIO(plain), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise Refused("F01") from error
    found = [(sheet, header) for sheet in book.worksheets if (header := _header(sheet))]
    if len(found) != 1:
        raise Refused("F14" if found else "F07")
    ((sheet, (first, at)),) = found
    if not opened:
        result.add("F12")
    unit = _owner(known, book, opened)
    children = known.children[unit]
    rows = _compare(children, sheet.title, _rows(sheet, first, at, children, result), result)
    for row in rows:
        for rule, key in failed(row, row.child["serial"] in known.police):
            if not row.is_formula(key) and not row.is_other(key):
                result.add(rule, sheet.title, row.address(key), row.child["serial"])
    result.unit, result.answers = unit, [row.answer() for row in rows]
    _foot(sheet.title, known.names[unit], result)
    _reconcile(figures, result)


def _foot(sheet: str, unit: str, result: Result) -> None:
    """Who filled it in, who answers for it, and whose it is."""
    for name in ("单位", "填报人", "联系电话", "主管领导"):
        said = tidy(result.footer.get(name, ""))
        if not said or (name == "单位" and said != tidy(unit)):
            result.add("R12" if said else "R11", sheet)


def _owner(known: Known, book: Any, opened: str) -> str:
    """The unit that the signed hidden sheet names."""
    if "fuxue" not in book.sheetnames:
        raise Refused("F09")
    pairs = [(str(key), str(value)) for key, value, *_ in book["fuxue"].iter_rows(values_only=True)]
    values = dict(pairs)
    serials = [value for key, value in pairs if key == "serial"]
    body = json.dumps([values.get("form"), values.get("issue"), values.get("unit"), serials], ensure_ascii=False)
    if not hmac.compare_digest(known.mac(body.encode()).hex(), values.get("mac", "")):
        raise Refused("F09")
    unit = values["unit"]
    if values["issue"] != known.issue or set(known.children.get(unit, ())) != set(serials):
        raise Refused("F10")
    if opened not in ("", unit):
        raise Refused("F09")
    return unit


def _header(sheet: Any) -> tuple[int, dict[str, int]] | None:
    for number, row in enumerate(sheet.iter_rows(max_row=30, values_only=True), start=1):
        keys = [HEADINGS.get(same(value)) for value in row]
        if all(keys.count(key) == 1 for key in set(HEADINGS.values())):
            return number, {key: at for at, key in enumerate(keys) if key}
    return None


def _rows(sheet: Any, first: int, at: Mapping[str, int], serials: Children, result: Result) -> Iterator[Row]:
    """The rows of the table; the footer is put aside."""
    for cells in sheet.iter_rows(min_row=first + 1):
        row = Row({key: cells[number] for key, number in at.items()})
        labels = {str(cell.value)[:-1]: n for n, cell in enumerate(cells) if str(cell.value).endswith(("：", ":"))}
        own = [name for name in ("单位", "填报人", "联系电话", "主管领导") if name in labels]
        if len(own) >= 2 and row.text("serial") not in serials:
            result.footer = {name: cell_text(cells[labels[name] + 1]).strip() for name in own}
        elif row.filled() >= (4 if result.footer else 1):
            yield row


def _compare(children: Children, sheet: str, rows: Iterable[Row], result: Result) -> list[Row]:
    """Every row exactly once, every issued cell as issued: the rows of issued children."""
    seen: dict[str, Row] = {}
    for row in rows:
        serial = row.serial(children)
        if serial not in children:
            result.add("R03", sheet, row.address("serial"))
        elif serial in seen:
            result.add("R02", sheet, row.address("serial"), serial)
        else:
            seen[serial] = row
            row.child = children[serial]
            for rule, key in row.differences(row.child):
                result.add(rule, sheet, row.address(key), serial, key)
    for serial in children:
        if serial not in seen:
            result.add("R01", sheet, "", serial)
    return [seen[serial] for serial in children if serial in seen]


def _reconcile(book: Any, result: Result) -> None:
    """附件5 as handed in against what the answers add up to, cell by cell."""
    codes = Counter(answer["category"] for answer in result.answers if answer["category"])
    back = sum(answer["category"] >= "I" and answer["returned"] == "是" for answer in result.answers)
    sums = {code: codes[code] for code in LABELS.values()} | {"疑似失学儿童合计": codes.total(), "复学人数": back}
    sheet, figures = _figures(book, sums)
    if not any(isinstance(value, int) for _, _, value in figures):
        result.add("R13" if figures else "R10", sheet)
        return
    for key, cell, value in figures:
        if value != sums[key]:
            result.add("R09", sheet, cell, "", f"{value} ≠ {sums[key]}")


def _figures(book: Any, sums: Mapping[str, int]) -> tuple[str, list[tuple[str, str, Any]]]:
    """(column, cell, value) of the unit's row and the total below the thirteen headings."""
    for sheet in book.worksheets:
        rows = list(sheet.iter_rows(max_row=40))
        for number, row in enumerate(rows[:30]):
            if set(LABELS) <= {same(cell.value) for cell in row}:
                at = {LABELS.get(name, name): n for line in rows[max(number - 2, 0) : number + 1]
                      for n, cell in enumerate(line) if LABELS.get(name := same(cell.value), name) in sums}  # fmt: skip
                lines = [rows[number + 1], *(line for line in rows[number + 2 :] if line[0].value == "总计")]
                return sheet.title, [
                    (key, line[n].coordinate, line[n].value) for line in lines for key, n in at.items()
                ]
    return "", []
