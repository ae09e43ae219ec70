"""What a person must decide before a list can be issued: which unit a child belongs to, which rows are left out.

Both are workbooks like any other: made from the list, sealed, filled by the officer, and compared when they come back.
"""

from collections.abc import Mapping, Sequence

from etl.exchange.bundle import Bundle
from etl.exchange.list_rows import Decision
from etl.forms.definitions import EXCLUSIONS, UNASSIGNED
from etl.issue.province_list import Split
from etl.rulebook.campaign import BUREAU, Campaign


def unassigned_bundle(split: Split, campaign: Campaign, name: str) -> Bundle:
    """The rows whose address names no unit, or several. `name` tells the list."""
    rows = tuple(
        {
            "row": str(row.number),
            "serial": row.texts["serial"],
            "name": row.texts["name"],
            "household": row.texts["household"],
            "candidates": "、".join(unit.name for unit in units),
        }
        for row, units in split.unmatched
    )
    return Bundle(UNASSIGNED, name, BUREAU, campaign.recipient_name(BUREAU), rows)


def exclusions_bundle(split: Split, campaign: Campaign, name: str) -> Bundle:
    """The rows with a fault that only an exclusion or a mended list can settle."""
    rows = tuple(
        {"row": str(row.number), "serial": row.texts["serial"], "name": row.texts["name"], "fault": fault}
        for row, fault in split.faulty
    )
    return Bundle(EXCLUSIONS, name, BUREAU, campaign.recipient_name(BUREAU), rows)


def decided(
    bundle: Bundle, entries: Mapping[str, Mapping[str, str]], officer: str, units: Sequence[tuple[str, str]]
) -> list[Decision]:
    """What the officer decided; rows left blank are not decided. `units` are (name, slug)."""
    slugs = dict(units)
    decisions = []
    for row in bundle.rows:
        values = entries[row["row"]]
        if bundle.form == UNASSIGNED and values["unit"]:
            decision = ("assigned", slugs[values["unit"]])
        elif bundle.form == EXCLUSIONS and values["decision"]:
            decision = ("excluded", values["reason"] or row["fault"])
        else:
            continue
        decisions.append(Decision(int(row["row"]), row["serial"], *decision, officer))
    return decisions
