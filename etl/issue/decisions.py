"""Decision workbooks: which unit a child belongs to, and which rows are left out, before a list can be issued.

They are made from the list, sealed, filled in by an officer, and checked like any other workbook when they come back.
"""

from collections.abc import Mapping, Sequence

from etl.exchange.bundle import Bundle
from etl.exchange.list_rows import Decision
from etl.forms.definitions import EXCLUSIONS, UNASSIGNED
from etl.issue.province_list import Split
from etl.rulebook.campaign import BUREAU, Campaign


def unassigned_bundle(split: Split, campaign: Campaign, name: str) -> Bundle:
    """The bundle of rows whose address names no unit or several. `name` stands for the issue's id."""
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
    """The bundle of rows with a fault, which must be excluded, or corrected in the list. `name` as above."""
    rows = tuple(
        {"row": str(row.number), "serial": row.texts["serial"], "name": row.texts["name"], "fault": fault}
        for row, fault in split.faulty
    )
    return Bundle(EXCLUSIONS, name, BUREAU, campaign.recipient_name(BUREAU), rows)


def decided(
    bundle: Bundle, entries: Mapping[str, Mapping[str, str]], officer: str, units: Sequence[tuple[str, str]]
) -> list[Decision]:
    """The officer's decisions; a row left blank gives none.

    `entries` are the returned values by row key; `units` are (name, slug) of all units.
    """
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
