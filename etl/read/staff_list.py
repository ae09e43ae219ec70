"""Reading the list of staff accounts to make: a workbook with the columns 账号 and 范围, one account per row."""

import io
from collections.abc import Iterator, Sequence

import python_calamine

#: Accepted spellings of the two headings.
_NAME, _SCOPE = ("账号", "username"), ("范围", "scope")


def staff_rows(data: bytes) -> list[tuple[int, str, str]] | None:
    """(row number, account, scope) of each row of the first sheet; None if its first row lacks a heading.

    Blank rows are left out. To be run in a bounded child process; raises calamine's errors for a file it cannot read.
    """
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    rows = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    heads = [_text(cell).lower() for cell in rows[0]] if rows else []
    at = [next((heads.index(one) for one in names if one in heads), None) for names in (_NAME, _SCOPE)]
    if at[0] is None or at[1] is None:
        return None
    return list(_filled(rows, at[0], at[1]))


def _filled(rows: Sequence[Sequence[object]], name: int, scope: int) -> Iterator[tuple[int, str, str]]:
    for number, row in enumerate(rows[1:], start=2):
        found = _text(row[name]), _text(row[scope])
        if any(found):
            yield number, *found


def _text(value: object) -> str:
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
