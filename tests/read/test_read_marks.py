"""The quick look at a sheet's bytes and the parser agree, or the quick look declines; and a pool of readers."""

import io
import os
import re
import zipfile
import zlib

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.read.guard import look_before_parsing
from etl.read.marks import Marks, Refused
from etl.read.sheet_xml import _Scan, quick_marks
from etl.rulebook.campaign import Campaign
from etl.system.bounded import FILES_EACH, Bounded, Bounds, Broke, Exceeded
from etl.workflow.run import Run
from tests.support import books
from tests.support.libreoffice import COPIES, HERE

ROWS = 50
BOUNDS = Bounds(seconds=20, memory_bytes=550_000_000, answer_bytes=100_000)


def parsed(xml: bytes, rows: int = ROWS) -> Marks | str:
    """What the parser says: the marks, or the rule by which it refuses."""
    try:
        return _Scan(rows).parse(xml)
    except Refused as refused:
        return refused.problem.rule
    except ValueError:
        return "F01"


def sheet(rows: str, head: str = "") -> bytes:
    return f'{head}<worksheet xmlns="x"><sheetData>{rows}</sheetData></worksheet>'.encode()


ADDRESSES = st.sampled_from(
    [
        "A1",
        "J4",
        "K50",
        "IV7",
        "IW7",
        "AAA1",
        "A51",
        "A9",
        "A99999",
        "XFD1048576",
        "$B$3",
        "b2",
        "b30000",
        "zz2",
        "B0002",
        "b0030000",
        "xfd9",
    ]
)
TAGS = st.sampled_from([
    '<c r="{a}"><v>1</v></c>', '<c r="{a}" t="e"><v>#N/A</v></c>', "<c r='{a}' t='e'><v>1</v></c>", "<c><v>1</v></c>",
    '<c r="{a}" s="4"><f>B1+1</f><v>2</v></c>', '<c r="{a}"><f t="shared" ref="A1:A9" si="0">1</f></c>',
    '<c r="{a}"><f t="array" ref="A1:B2">1</f></c>', '<c s="1" r="{a}"><f>1</f></c>',
    '<c r="{a}"><is><t>a "e" b</t></is></c>',
    '<x:c r="{a}"><x:f>1</x:f></x:c>', '<c r="{a}"><!-- <f> --><v>1</v></c>', '<c r="{a}"><v><![CDATA[<f>]]></v></c>',
    '<c r="{a}" t="&#101;"><v>1</v></c>', '<c\n r="{a}"><f\n>1</f></c>', '<c r="{a}"><formula>1</formula></c>',
    '<c r="{a}"/>',
    '<c r="{a}" ><f>IF(A1="e",\'附件4\'!B2,1)</f></c>', '<c r="{a}"><f ca="1"/><v/></c>', "<?x <f>1</f>?>",
])  # fmt: skip
HEADS = st.sampled_from([
    "", '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n', "<?xml version='1.0' encoding='utf-8'?>",
    '<?xml version="1.0"?>', '<?xml version="1.0" encoding="UTF-16"?>', "\ufeff", "<!-- x -->",
])  # fmt: skip


@given(st.lists(st.tuples(TAGS, ADDRESSES), max_size=4), HEADS)
def test_the_quick_look_says_what_the_parser_says_or_nothing(cells: list[tuple[str, str]], head: str) -> None:
    xml = sheet('<row r="1">' + "".join(tag.replace("{a}", address) for tag, address in cells) + "</row>", head)
    quick = quick_marks(xml, ROWS)
    said = parsed(xml)
    if quick is not None and said != "F01":  # of what is no XML the parser of values makes a damaged file
        assert quick == said


@pytest.mark.parametrize("rows", [49, 50, 51])
def test_the_quick_look_counts_rows(rows: int) -> None:
    xml = sheet("".join(f'<row r="{number % 9 + 1}"/>' for number in range(rows)))
    assert quick_marks(xml, ROWS) == (Marks() if rows <= ROWS else None)
    assert (parsed(sheet("<row/>" * rows)) == "F05") == (rows > ROWS)


@pytest.mark.parametrize("rows", [
    '<row r="7"><c r="IV7"/><c><v>1</v></c></row>', '<row r="7"><c s="1" r="IW7"><v>1</v></c></row>',
    '<row r="7"><c r="b30000"><v>1</v></c></row>', '<row r="7"><c r="zz2"><v>1</v></c></row>',
    '<row r="9"/>' + "<row/>" * 41 + '<row\nspans="1:9"><c><v>1</v></c></row>',
])  # fmt: skip
def test_what_follows_the_last_cell_or_row_without_an_address_is_beyond_the_limits(rows: str) -> None:
    assert quick_marks(sheet(rows), ROWS) is None
    assert parsed(sheet(rows)) == "F05"


def test_the_quick_look_is_enough_for_what_programs_write(run: Run) -> None:
    """Ours as openpyxl fills it, and LibreOffice's: no sheet needs the parser, and both say the same."""
    for content in (books.plain(run), (HERE / COPIES["plain xlsx"][0]).read_bytes()):
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = [name for name in package.namelist() if re.match("xl/worksheets/sheet", name)]
            assert len(parts) == 5
            for name in parts:
                quick = quick_marks(package.read(name), 20_000)
                assert quick is not None
                assert quick == parsed(package.read(name), 20_000)


def fill_memory() -> int:
    return len(bytearray(2_000_000_000))


def say_much() -> bytes:
    return bytes(200_000)


def fail() -> None:
    raise KeyError("王小明")


def die() -> None:
    os._exit(3)


def spin() -> None:
    while True:
        pass


@pytest.mark.parametrize(("work", "error"), [
    (fill_memory, Exceeded), (say_much, Exceeded), (die, Exceeded), (fail, Broke),
])  # fmt: skip
def test_a_reader_that_met_its_limits_is_replaced_and_the_pool_goes_on(work: object, error: type[Exception]) -> None:
    with Bounded(BOUNDS) as pool:
        first = pool.run(os.getpid, ())
        assert pool.run(os.getpid, ()) == first
        with pytest.raises(error) as raised:
            pool.run(work, ())  # type: ignore[arg-type]
        assert "王小明" not in repr(raised.value)
        assert pool.run(os.getpid, ()) != first


@pytest.mark.parametrize(("number", "error"), [(-4, MemoryError), (-3, Refused)], ids=["no memory", "damaged"])
def test_no_memory_left_to_unpack_is_no_fault_of_the_file(
    small: Campaign, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    content = io.BytesIO()
    openpyxl.Workbook().save(content)

    def fails(*_: object) -> bytes:
        raise zlib.error(f"Error {number} while decompressing data")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", fails)
    with pytest.raises(error):
        look_before_parsing(content.getvalue(), small.limits)


def test_work_without_end_is_stopped() -> None:
    with Bounded(Bounds(1, BOUNDS.memory_bytes, BOUNDS.answer_bytes)) as pool, pytest.raises(Exceeded):
        pool.run(spin, ())


def test_a_reader_is_replaced_after_so_many_files_and_ended_with_its_pool() -> None:
    with Bounded(BOUNDS) as pool:
        numbers = [pool.run(os.getpid, ()) for _ in range(FILES_EACH + 1)]
    assert len(set(numbers)) == 2
    assert numbers[-1] != numbers[-2]
    for number in set(numbers):
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)
