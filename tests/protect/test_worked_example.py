"""The worked example of docs/disclosure-control.md: what is published of one township on six days."""

import random
import re
from collections.abc import Sequence
from pathlib import Path

from etl.exchange.release import Cell, Release, Status
from etl.proof.history import reader_of
from etl.protect.closing import closing_release
from etl.protect.draft import ReleaseDay
from etl.protect.interim import interim_release
from etl.rulebook.campaign import Campaign
from tests.support.small_counts import make_campaign, make_counts

DOCUMENT = Path(__file__).parents[2] / "docs" / "disclosure-control.md"
#: Children not verified, deducted, returned and still out of the town on each day, and of seven others on all days.
TOWN = [(43, 0, 0, 0), (0, 31, 3, 9), (0, 31, 4, 8), (0, 31, 4, 8), (0, 31, 4, 8), (0, 31, 6, 6)]
OTHERS = [
    (0, 20, 9, 14),
    (0, 35, 12, 7),
    (0, 18, 22, 9),
    (0, 50, 16, 25),
    (0, 12, 8, 30),
    (0, 27, 3, 11),
    (0, 41, 19, 2),
]
CLOSE = 5
#: It determines the draws.
SECRET = b"0"


def written_as(cell: Cell) -> str:
    """A figure as the document writes it."""
    if cell.status is Status.NOT_DUE:
        return "未报送"
    if cell.status is Status.ROUNDED:
        return f"约{cell.rounded}"
    if cell.exact is not None:
        return str(cell.exact)
    return "少于6人" if cell.low == 0 else f"{cell.low}–{cell.high}"


def row_of(number: int, releases: Sequence[Release], town: str) -> list[str]:
    """The line of the document's table for a day, by what the engine published and a reader infers."""
    last, (unverified, _, returned, still_out) = releases[-1], TOWN[number - 1]
    cells = [written_as(last.table("units").cells[town, name]) for name in ("suspected", "returned", "still_out")]
    if unverified:
        return [str(number), "not reported", cells[0], "–"]
    reader = reader_of(releases, last.assumed)
    low, high = reader.infer(reader.system.at[f"{last.name}/{town}.returned"])
    return [str(number), f"{sum(TOWN[number - 1])}, {returned}, {still_out}", ", ".join(cells), f"{low}–{high}"]


def test_the_township_of_the_document_is_published_as_it_says(campaign: Campaign) -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("## One township")[2].partition("\n## ")[0]
    written = [re.split(r" *\| *", line.strip("| ")) for line in text.splitlines() if re.match(r"\| \d", line)]
    few, made, found = make_campaign(campaign, 1 + len(OTHERS)), list[Release](), list[list[str]]()
    for number, row in enumerate(TOWN, 1):
        counts = make_counts(few, [row, *OTHERS], random.Random(0))
        make = closing_release if number == CLOSE else interim_release
        made.append(make(ReleaseDay(few, counts, tuple(made), SECRET)))
        found.append(row_of(number, made, few.units[0].slug))
    assert found == written
