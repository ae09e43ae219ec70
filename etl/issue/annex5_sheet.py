"""附件5 as a sheet beside 附件4 (M12): its formulas add up while the unit fills in 附件4; ready to print and sign."""

from collections.abc import Mapping
from typing import Any

from etl.exchange.bundle import Bundle
from etl.forms.annex5_layout import (
    FIRST_CATEGORY,
    GROUP_NAMES,
    HEADINGS,
    LAST_COLUMN,
    set_up_annex5_page,
    write_annex5_head,
)
from etl.forms.annex5_layout import (
    FIRST_UNIT as UNIT,
)
from etl.forms.definitions import ANNEX4, ANNEX5, RETURNED
from etl.forms.layout import PROGRESS, Layout
from etl.forms.sheet import column_letters
from etl.rulebook.campaign import Campaign, Category

#: Zero-based rows below the unit's: the total, the check line, the footer.
_TOTAL, CHECK, _FOOTER = range(UNIT + 1, UNIT + 4)
#: Their heights and the unit's, in points.
HEIGHTS = {UNIT: 36, _TOTAL: 30, CHECK: 22, _FOOTER: 30}
MEND = "附件4还有填错的行（深红），改好再打印。"


def write_summary(book: Any, campaign: Campaign, bundle: Bundle, layout: Layout, styles: Mapping[str, Any]) -> None:
    """Add the sheet to `book`. Its headings are the labels of the categories, with which the formulas compare.

    `layout` is that of the sheet 附件4; `styles` are the formats of `make_styles`.
    """
    sheet = book.add_worksheet(ANNEX5.sheet)
    groups = [
        (name, [category.label for category in campaign.categories if category.group == group])
        for group, name in GROUP_NAMES.items()
    ]
    write_annex5_head(sheet, ANNEX5.title.format(county=campaign.county), groups, styles)
    for row, height in HEIGHTS.items():
        sheet.set_row(row, height)
    sheet.write_string(UNIT, 0, campaign.city, styles["issued"])
    sheet.write_string(UNIT, 1, f"{campaign.county}·{bundle.name}", styles["issued"])
    sheet.merge_range(_TOTAL, 0, _TOTAL, 1, "总计", styles["header"])
    for at, formula in _formulas(campaign, layout).items():
        sheet.write_formula(UNIT, at, formula, styles["number"], 0)
        letters = column_letters(at)
        sheet.write_formula(_TOTAL, at, f"=SUM({letters}{UNIT + 1}:{letters}{UNIT + 1})", styles["number"], 0)
    _check_line(sheet, layout, styles)
    _footer(sheet, bundle, layout, styles)
    set_up_annex5_page(sheet, _FOOTER)
    sheet.fit_to_pages(1, 1)
    sheet.protect("", {"format_columns": True, "format_rows": True})


def _formulas(campaign: Campaign, layout: Layout) -> dict[int, str]:
    """Formulas of the unit's row by column index. An answer counts if it equals a label, apart from outer spaces."""
    row, width = UNIT + 1, len(campaign.categories)
    formulas = {2: f"=SUM({column_letters(FIRST_CATEGORY)}{row}:{column_letters(FIRST_CATEGORY + width - 1)}{row})"}
    if not layout.count:
        return {at: "=0" for at in range(FIRST_CATEGORY - 1, FIRST_CATEGORY + width + 1)}
    returning = []
    for at, category in enumerate(_in_order(campaign), start=FIRST_CATEGORY):
        is_it = f"EXACT({_trimmed(layout, 'category')},{column_letters(at)}${HEADINGS + 1})"
        formulas[at] = f"=SUMPRODUCT({is_it}*1)"
        if category.group == "to_return":
            returning.append(is_it)
    back = f'EXACT({_trimmed(layout, "returned")},"{RETURNED[0]}")'
    return formulas | {FIRST_CATEGORY + width: f"=SUMPRODUCT({back}*({'+'.join(returning)}))"}


def _in_order(campaign: Campaign) -> list[Category]:
    return [category for group in GROUP_NAMES for category in campaign.categories if category.group == group]


def _trimmed(layout: Layout, key: str) -> str:
    return f'TRIM(SUBSTITUTE(\'{ANNEX4.sheet}\'!{layout.area(key)},"\u3000"," "))'


def _check_line(sheet: Any, layout: Layout, styles: Mapping[str, Any]) -> None:
    """Say whether all of 附件4 is counted here, and if it still has a fault."""
    missing, agrees = f"{layout.count}-{column_letters(2)}{UNIT + 1}", f"与附件4人数相符（{layout.count} 人）。"
    # The progress line of 附件4 ends in 待改 0 only if no row has a fault.
    is_right = f"ISNUMBER(FIND(\"，待改 0\",'{ANNEX4.sheet}'!$A${PROGRESS + 1}))"
    due = f'"附件4还有 "&({missing})&" 人未填或填错，暂不要打印。"'
    check = f'=IF({missing}>0,{due},IF({is_right},"{agrees}","{MEND}"))'
    if not layout.count:
        check = f'="{agrees}"'
    sheet.merge_range(CHECK, 0, CHECK, LAST_COLUMN, "", styles["progress"])
    value = f"附件4还有 {layout.count} 人未填或填错，暂不要打印。" if layout.count else agrees
    sheet.write_formula(CHECK, 0, check, styles["progress"], value)


def _footer(sheet: Any, bundle: Bundle, layout: Layout, styles: Mapping[str, Any]) -> None:
    """The footer: the unit as issued, the people by formula from 附件4, and a blank for the date."""
    typed = {field.key: f"'{ANNEX4.sheet}'!{column_letters(blank)}{layout.footer + 1}"
             for _, blank, field in layout.footer_cells()}  # fmt: skip
    for number, field in enumerate(ANNEX5.footer):
        at = number * 3
        sheet.write_string(_FOOTER, at, f"{field.heading}：", styles["label"])
        if field.key == "unit":
            sheet.merge_range(_FOOTER, at + 1, _FOOTER, at + 2, bundle.name, styles["linked"])
        elif field.key in typed:
            sheet.merge_range(_FOOTER, at + 1, _FOOTER, at + 2, "", styles["linked"])
            sheet.write_formula(
                _FOOTER, at + 1, f'=IF(LEN({typed[field.key]})=0,"",{typed[field.key]})', styles["linked"], ""
            )
        else:
            sheet.merge_range(_FOOTER, at + 1, _FOOTER, at + 2, "", styles["blank"])
