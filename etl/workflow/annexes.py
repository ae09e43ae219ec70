"""附件4 and 附件5 of each unit and of the city, as they stood on a day: workbook and PDF (M12, M14)."""

from collections.abc import Sequence
from typing import Any

from etl.exchange.annex_rows import AnsweredChild, UnitSums
from etl.findings import FuxueError
from etl.forms.annex5_layout import FIRST_CATEGORY, GROUP_NAMES, SIGN
from etl.forms.definitions import ANNEX4, ANNEX5, Form
from etl.report.annex_workbooks import Annex5Row, Annex5Sheet, annex5_total, build_annex4, build_annex5
from etl.report.typesetting import print_pdf
from etl.rulebook.campaign import BUREAU, Campaign
from etl.vault.record import annex_counts
from etl.vault.store.open import Vault
from etl.workflow.documents import Document, units_and_city, write_document
from etl.workflow.run import Run
from etl.workflow.texts import text
from etl.workflow.writing import writing


def write_annex4(run: Run, unit: str | None, *, city: bool) -> list[Document]:
    """附件4 of one unit, of the city (its units one after the other), or of all. FuxueError for an unknown unit."""
    wanted = units_and_city(run, unit, city=city)
    done, made = run.bar("附件4", len(wanted)), list[Document]()
    with writing(run, records=False) as vault:
        for scope in wanted:
            made += _annex4(run, vault, scope)
            done()
    return made


def write_annex5(run: Run, unit: str | None, *, city: bool) -> list[Document]:
    """附件5 of one unit, of the city (a row for each unit), or of all. FuxueError for an unknown unit."""
    wanted = units_and_city(run, unit, city=city)
    done, made = run.bar("附件5", len(wanted)), list[Document]()
    with writing(run, records=False) as vault:
        sums = annex_counts.unit_sums(vault, run.campaign, run.day)
        for scope in wanted:
            own = [one for one in sums if scope in (BUREAU, one.unit)]
            made += _annex5(run, scope, own, annex_footer(run, vault, scope))
            done()
    return made


def _annex4(run: Run, vault: Vault, scope: str) -> list[Document]:
    children = annex_counts.answered_children(vault, run.day, None if scope == BUREAU else scope)
    verified = sum(bool(child.category) for child in children)
    note = text("document.annex4_note", day=run.day, children=len(children), verified=verified)
    return write_annex4_sheet(run, ANNEX4.key, scope, note, children, annex_footer(run, vault, scope))


def write_annex4_sheet(
    run: Run, kind: str, scope: str, note: str, children: Sequence[AnsweredChild], footer: dict[str, str],
    *, name: str = "",
) -> list[Document]:  # fmt: skip
    """Write children in the form of 附件4 as a workbook and a PDF, unit by unit in the campaign's order."""
    order = {slug: number for number, slug in enumerate(run.campaign.unit)}
    if gone := {child.unit for child in children} - set(order):
        raise FuxueError("campaign.unit_gone", unit=min(gone))
    rows = [_row(run.campaign, child) for child in sorted(children, key=lambda child: order[child.unit])]
    title = ANNEX4.title.format(county=run.campaign.county)
    data = {
        "title": title,
        "note": note,
        "columns": [(column.heading, column.width) for column in ANNEX4.columns],
        "rows": [[row[column.key] for column in ANNEX4.columns] for row in rows],
        "footer": _fields(ANNEX4, footer),
        "sign": ANNEX4.sign,
    }
    printed = print_pdf("annex4", data, run.day)
    return [
        write_document(run, kind, scope, build_annex4(title, note, rows, footer), ".xlsx", name=name),
        write_document(run, kind, scope, printed.pdf, ".pdf", printed.missing, name=name),
    ]


def _row(campaign: Campaign, child: AnsweredChild) -> dict[str, str]:
    label = campaign.category[child.category].label if child.category else ""
    return {**child.issued, "category": label, "returned": child.returned, "team": child.team}


def annex5_rows(campaign: Campaign, sums: Sequence[UnitSums]) -> list[Annex5Row]:
    """The rows of the form: the unit's name stands in 区县, which has no column of its own for it."""
    codes = [category.code for group in GROUP_NAMES for category in campaign.categories if category.group == group]
    return [
        (
            campaign.city,
            f"{campaign.county}·{campaign.unit[one.unit].name}",
            [one.categories[code] for code in codes],
            one.returned,
        )
        for one in sums
    ]


def _annex5(run: Run, scope: str, sums: Sequence[UnitSums], footer: dict[str, str]) -> list[Document]:
    issued, verified = sum(one.issued for one in sums), sum(one.verified for one in sums)
    note = text("document.annex5_note", day=run.day, issued=issued, unverified=issued - verified)
    title = ANNEX5.title.format(county=run.campaign.county)
    sheet = Annex5Sheet(ANNEX5.sheet, title, note, annex5_rows(run.campaign, sums))
    return write_annex5_sheets(run, ANNEX5.key, scope, [sheet], footer)


def write_annex5_sheets(
    run: Run, kind: str, scope: str, sheets: Sequence[Annex5Sheet], footer: dict[str, str], *, name: str = ""
) -> list[Document]:
    """Write tables in the form of 附件5 as a workbook (a sheet each) and a PDF (from a new page each)."""
    groups = [
        (name_of, [category.label for category in run.campaign.categories if category.group == group])
        for group, name_of in GROUP_NAMES.items()
    ]
    pages = [_annex5_page(sheet, groups) | {"footer": _fields(ANNEX5, footer)} for sheet in sheets]
    printed = print_pdf("annex5", {"title": sheets[0].title, "sign": SIGN, "pages": pages}, run.day)
    return [
        write_document(run, kind, scope, build_annex5(sheets, groups, footer), ".xlsx", name=name),
        write_document(run, kind, scope, printed.pdf, ".pdf", printed.missing, name=name),
    ]


def _annex5_page(sheet: Annex5Sheet, groups: Any) -> dict[str, Any]:
    columns = ANNEX5.columns
    return {
        "title": sheet.title,
        "note": sheet.note,
        "widths": [column.width for column in columns],
        "left": [column.heading for column in columns[:FIRST_CATEGORY]],
        "right": columns[-1].heading,
        "groups": [(name, len(labels)) for name, labels in groups],
        "categories": [label for _, labels in groups for label in labels],
        "rows": [[city, county, sum(own), *own, returned] for city, county, own, returned in sheet.rows],
        "total": annex5_total(sheet.rows),
    }


def annex_footer(run: Run, vault: Vault, scope: str) -> dict[str, str]:
    """Texts of the footer by key: of a unit, whoever filled in its newest workbook; the date is the document's."""
    people = {} if scope == BUREAU else annex_counts.filler(vault, run.day, scope)
    return {"unit": run.campaign.recipient_name(scope), "date": run.day.isoformat(), **people}


def _fields(form: Form, footer: dict[str, str]) -> list[tuple[str, str]]:
    return [(field.heading, footer.get(field.key, "")) for field in form.footer]
