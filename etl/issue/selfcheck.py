"""A workbook's checks of itself while it is filled in (M8–M10): dropdown lists, red cells, a progress line.

They only help the person who fills it in; `etl/check` checks everything again.

A fault is a formula that is greater than 0 if a cell is wrong. The same formula is used for single cells (conditional
formats) and for whole columns (the progress line), so it uses only functions that work on both: no AND, OR, NOT.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from etl.forms.definitions import Column, Form
from etl.forms.layout import FIRST, PROGRESS, Layout
from etl.forms.sheet import column_letters
from etl.rulebook.choices import Choices

OPTIONS_SHEET = "选项"
#: The most characters of a list within a validation; longer lists are only on the sheet of options.
INLINE = 255
#: Separators: between the two values of an allowed pair, and between values that are joined in one text.
BAR, STOP = "|", "¦"
#: Gives the reference of a column's cell, or of all its cells, by the column's key.
Reference = Callable[[str], str]


def write_options(book: Any, form: Form, choices: Mapping[str, Choices], style: Any) -> None:
    """Write the hidden sheet of allowed values, each list with a defined name, to which formats and lists refer."""
    if not choices:
        return
    sheet = book.add_worksheet(OPTIONS_SHEET)
    at = 0
    for key, allowed in choices.items():
        if allowed.by is None:
            columns = {f"list_{key}": list(allowed.values), f"joined_{key}": _joined(allowed.values)}
        else:
            pairs = [(other, value) for other, values in allowed.by.items() for value in values]
            columns = {
                f"keys_{key}": [other for other, _ in pairs],
                f"values_{key}": [value for _, value in pairs],
                f"joined_{key}": _joined([f"{other}{BAR}{value}" for other, value in pairs]),
            }
        for name, values in columns.items():
            sheet.write_string(0, at, f"{form.column(key).heading}·{name}", style)
            sheet.write_column(1, at, values, style)
            letters = column_letters(at)
            book.define_name(name, f"='{OPTIONS_SHEET}'!${letters}$2:${letters}${max(len(values), 1) + 1}")
            at += 1
    sheet.protect()
    sheet.hide()


def _joined(values: Sequence[str]) -> list[str]:
    """All values in one text, to be searched by FIND; MATCH would ignore case and interpret wildcards."""
    return [STOP + STOP.join(values) + STOP]


def add_lists(sheet: Any, layout: Layout, choices: Mapping[str, Choices]) -> None:
    """Add validation and input message to every editable column."""
    for column in layout.form.editable:
        title = column.heading.split("（")[0]
        message = {
            "input_title": title,
            "input_message": column.hint,
            "error_title": title,
            "error_message": column.hint,
        }
        rule = _validation(layout, column, choices.get(column.key))
        at = layout.at(column.key)
        sheet.data_validation(FIRST, at, layout.last, at, message | rule)


def _validation(layout: Layout, column: Column, allowed: Choices | None) -> dict[str, Any]:
    if allowed is not None and allowed.by is not None:
        return {"validate": "list", "source": _dependent(column, layout.cell(column.depends))}
    if allowed is not None:
        values = list(allowed.values)
        is_short = len(",".join(values)) <= INLINE and not any("," in value for value in values)
        return {"validate": "list", "source": values if is_short else f"=list_{column.key}"}
    if column.kind == "date":
        return {"validate": "date", "criteria": ">=", "value": layout.first_day}
    if column.kind == "names":
        return {"validate": "length", "criteria": ">=", "value": 2}
    return {"validate": "any"}


def _dependent(column: Column, other: str) -> str:
    """A formula for the values allowed with the value of the cell `other`; they are adjacent on the options sheet."""
    keys, values = f"keys_{column.key}", f"values_{column.key}"
    return f"=OFFSET(INDEX({values},1),MATCH({other},{keys},0)-1,0,COUNTIF({keys},{other}),1)"


def add_formats(sheet: Any, layout: Layout, choices: Mapping[str, Choices], wrong: Any, blank: Any) -> None:
    """Add conditional formats: `wrong` for cells with a fault, `blank` for cells that still need an answer."""
    for column in layout.form.editable:
        place = (FIRST, layout.at(column.key), layout.last, layout.at(column.key))
        fault = fault_of(layout, column, choices, layout.cell)
        begun = _begun(layout, layout.cell)
        if column.required:
            due = _is_blank(layout.cell(column.key))
            fault = f"({fault})*(({begun})+1-{due})"  # a blank in a row without any answer yet is due, not wrong
            sheet.conditional_format(*place, {"type": "formula", "criteria": f"=({fault})>0", "format": wrong,
                                              "stop_if_true": True})  # fmt: skip
            sheet.conditional_format(*place, {"type": "formula", "criteria": f"={due}>0", "format": blank})
        elif fault != "0":
            sheet.conditional_format(*place, {"type": "formula", "criteria": f"=({fault})>0", "format": wrong})


def fault_of(layout: Layout, column: Column, choices: Mapping[str, Choices], ref: Reference) -> str:
    """A formula that is greater than 0 if the column's cell is wrong; `ref` gives references by column key."""
    cell = ref(column.key)
    terms = []
    if column.required:
        terms.append(_is_blank(cell))
    allowed = choices.get(column.key)
    if allowed is not None and allowed.by is not None:
        terms.append(_is_unlisted(cell, f'{_clean(ref(column.depends))}&"{BAR}"&{_clean(cell)}', column.key))
    elif allowed is not None:
        terms.append(_is_unlisted(cell, _clean(cell), column.key))
    if column.kind == "names":
        terms.append(f"{_is_filled(cell)}*(LEN({_clean(cell)})<2)")
    if column.kind == "date":
        terms.append(f"{_is_filled(cell)}*(1-ISNUMBER({cell})*({cell}>={layout.first_serial}))")
    askers = [other for other in layout.form.editable if column.key in other.needs]
    terms += [f"{_is_blank(cell)}*{_is_filled(ref(other.key))}" for other in askers]
    return "+".join(terms) or "0"


def _clean(cell: str) -> str:
    """A formula for a cell's text without outer spaces, also full-width ones, which TRIM alone would keep."""
    return f'TRIM(SUBSTITUTE({cell},"\u3000"," "))'


def _is_unlisted(cell: str, text: str, key: str) -> str:
    return f'{_is_filled(cell)}*ISERROR(FIND("{STOP}"&{text}&"{STOP}",joined_{key}))'


def _is_blank(cell: str) -> str:
    return f"(LEN({_clean(cell)})=0)"


def _is_filled(cell: str) -> str:
    return f"(LEN({_clean(cell)})>0)"


def _begun(layout: Layout, ref: Reference) -> str:
    return "(" + "+".join(f"LEN({_clean(ref(column.key))})" for column in layout.form.editable) + ">0)"


def _progress(layout: Layout, choices: Mapping[str, Choices]) -> tuple[str, str, str]:
    """Formulas for the line 已填 n / 共 N，待改 m, for the number of rows filled without fault, and with a fault."""
    total = layout.count
    faults = [fault_of(layout, column, choices, layout.area) for column in layout.form.editable]
    begun = _begun(layout, layout.area)
    right = "*".join(f"(({fault})=0)" for fault in faults)
    filled = f"SUMPRODUCT({begun}*{right})"
    wrong = f"(SUMPRODUCT({begun}*1)-{filled})"
    return f'="已填 "&{filled}&" / 共 {total}，待改 "&{wrong}', filled, wrong


def write_progress(
    sheet: Any, layout: Layout, choices: Mapping[str, Choices], style: Any, wrong: Any, done: Any
) -> None:
    """Write the progress line above the header: red while a row has a fault, green once all rows are filled."""
    right = layout.right
    if not layout.count:
        sheet.merge_range(PROGRESS, 0, PROGRESS, right, "本次没有需要填写的行（零报告）：请填写表尾后报回。", style)
        return
    line, filled, faulty = _progress(layout, choices)
    sheet.merge_range(PROGRESS, 0, PROGRESS, right, "", style)
    sheet.write_formula(PROGRESS, 0, line, style, f"已填 0 / 共 {layout.count}，待改 0")
    for criteria, look in ((f"={faulty}>0", wrong), (f"={filled}={layout.count}", done)):
        sheet.conditional_format(
            PROGRESS, 0, PROGRESS, right, {"type": "formula", "criteria": criteria, "format": look}
        )
