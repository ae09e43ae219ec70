"""Sealed documents of the bureau (M14–M17): where they lie, under which password, and what could not be printed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.findings import FuxueError
from etl.rulebook.campaign import BUREAU
from etl.system.disk import make_private, write_private
from etl.system.sealing import seal, seal_pdf
from etl.workflow.run import Run

#: Name the passwords among those derived from the master key: of all documents of the bureau, and of those for others.
BUREAU_DOCUMENTS, _FOR_OTHERS = "decisions", "report"


@dataclass(frozen=True)
class Document:
    """A document that was written: whose it is (a unit, a department or the bureau), and its file.

    `missing` are characters that no font of this machine has; they must be written in by hand.
    """

    scope: str
    file: Path
    missing: tuple[str, ...] = ()


def document_password(run: Run, scope: str) -> str:
    """The password of all documents for a unit, a department or the bureau."""
    return run.keys.password(BUREAU_DOCUMENTS if scope == BUREAU else _FOR_OTHERS, scope)


def units_and_city(run: Run, unit: str | None, *, city: bool) -> list[str]:
    """Whose documents are wanted: one unit's, the city's, or by default those of every unit and then the city's.

    FuxueError if there is no such unit.
    """
    if unit is not None and unit not in run.campaign.unit:
        raise FuxueError("campaign.no_unit", unit=unit)
    if unit is not None:
        return [unit, *([BUREAU] if city else [])]
    return [BUREAU] if city else [*run.campaign.unit, BUREAU]


def write_document(
    run: Run, kind: str, scope: str, content: bytes, extension: str, missing: Sequence[str] = (), *, name: str = ""
) -> Document:
    """Seal a document for `scope` and write it to private/reports/<kind>/<scope>-<day><extension>.

    `name` stands in the place of scope and day, for a document that a scope has several of.
    """
    password = document_password(run, scope)
    sealed = seal_pdf(content, password) if extension == ".pdf" else seal(content, password)
    plain_name = re.sub(r"[^\w-]", "_", name) if name else f"{scope}-{run.day.isoformat()}"
    target = run.home.reports / kind / f"{plain_name}{extension}"
    make_private(target.parent)
    write_private(target, sealed)
    return Document(scope, target, tuple(missing))
