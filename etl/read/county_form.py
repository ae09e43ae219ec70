"""Reading the 附件5 of another county, in a bounded child process like any workbook that comes from outside."""

import io
from collections.abc import Sequence
from pathlib import Path

import python_calamine

from etl.exchange.submission import CountyRow
from etl.read.annex5 import read_places
from etl.read.guard import look_before_parsing
from etl.read.marks import Refused
from etl.read.worker import take
from etl.rulebook.limits import Limits
from etl.system import sealing
from etl.system.bounded import Bounded, Broke, Exceeded

#: The sheet's name and its rows, or the key of what is wrong with the file.
CountyForm = tuple[str, tuple[CountyRow, ...]] | str
#: The most rows of a form: a province has about a hundred counties.
_ROWS = 1_000


def read_county_form(path: Path, passwords: Sequence[str], limits: Limits, pool: Bounded) -> CountyForm:
    """Read a file; or what is wrong: ``unreadable``, ``sealed`` (none opens it), ``refused_file``, ``no_form``."""
    data = take(path, limits)
    if not data or len(data) > limits.file_bytes:
        return "unreadable"
    try:
        found: CountyForm = pool.run(parse_county_form, (data, list(passwords), limits))
    except (Exceeded, Broke):
        return "refused_file"
    return found


def parse_county_form(data: bytes, passwords: list[str], limits: Limits) -> CountyForm:
    """The same in this process, which a harmful file may end."""
    try:
        data = sealing.unseal(data, passwords, spin_count=limits.spin_count).plain
    except sealing.NotSealed:
        pass
    except sealing.WrongPassword:
        return "sealed"
    except sealing.BrokenSeal:
        return "unreadable"
    try:
        look_before_parsing(data, limits)
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
        if any(sheet.total_height * max(sheet.total_width, 1) > limits.rows * 100 for sheet in sheets):
            return "refused_file"
        grids = {sheet.name: sheet.to_python(skip_empty_area=False) for sheet in sheets}
    except (python_calamine.CalamineError, ValueError):
        return "unreadable"
    except Refused:
        return "refused_file"
    return read_places(grids, _ROWS) or "no_form"
