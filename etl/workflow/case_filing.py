"""Case files (一人一档, M16): a PDF for each child with both copies, and bound volumes for the bureau and the unit."""

from collections.abc import Iterator, Sequence
from itertools import islice

from etl.exchange.case_file import CaseFile
from etl.findings import FuxueError
from etl.report.case_file_pages import COPIES, case_pages
from etl.report.typesetting import print_pdf
from etl.vault.record.case_files import case_files
from etl.workflow.documents import Document, write_document
from etl.workflow.run import Run
from etl.workflow.writing import writing

#: The most children of a bound volume: more would need too much memory, and no clip holds them.
_VOLUME = 150
_KIND = "cases"


def write_case_files(run: Run, unit: str | None) -> Iterator[Document]:
    """Write the case files of one unit or of all, and give each document as it is written.

    FuxueError for an unknown unit.
    """
    if unit is not None and unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    wanted = [unit] if unit else list(run.campaign.unit)
    done = run.bar("一人一档", len(wanted))
    with writing(run, records=False) as vault:
        for one in wanted:
            files, number = case_files(vault, run.campaign, one), 0
            while volume := list(islice(files, _VOLUME)):
                number += 1
                yield from write_volume(run, one, volume, number)
            done()


def write_volume(run: Run, unit: str, files: Sequence[CaseFile], number: int) -> Iterator[Document]:
    """Write a PDF for each of a unit's files, then the unit's volume `number` with all of them, a copy each."""
    for one in files:
        yield _document(run, unit, [one], COPIES, f"{unit}-{one.issue}-{one.serial}", bound=False)
    for copy in COPIES:
        name = f"{unit}-volume-{number}-{copy}-{run.day.isoformat()}"
        yield _document(run, unit, files, [copy], name, bound=True)


def _document(
    run: Run, unit: str, files: Sequence[CaseFile], copies: Sequence[str], name: str, *, bound: bool
) -> Document:
    labels = {code: (one.label, one.definition) for code, one in run.campaign.category.items()}
    data = case_pages(files, copies, run.campaign.unit[unit].name, labels, bound=bound)
    printed = print_pdf("cases", data, run.day)
    return write_document(run, _KIND, unit, printed.pdf, ".pdf", printed.missing, name=name)
