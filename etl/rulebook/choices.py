"""Allowed values of columns: the drop-down lists of every form, from the campaign's data."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from etl.forms.definitions import Column
from etl.rulebook.campaign import Campaign
from etl.rulebook.rules import ANSWERS


@dataclass(frozen=True)
class Choices:
    """The allowed values of a column; if it depends on another column, `by` gives them by that column's value."""

    values: tuple[str, ...] = ()
    by: Mapping[str, tuple[str, ...]] | None = None

    def find(self, text: str, depends: str = "") -> str | None:
        """The allowed value that equals a normalised text (NFKC), or None; `depends` is the other column's value."""
        values = self.values if self.by is None else self.by.get(depends, ())
        return next((value for value in values if unicodedata.normalize("NFKC", value) == text), None)


def choices_of(campaign: Campaign, recipient: str, column: Column) -> Choices:
    """The choices of a column for a recipient. KeyError if the form names a list that does not exist."""
    return LISTS[column.choices](campaign, recipient)


def _labelled(campaign: Campaign, by_code: Mapping[str, tuple[str, ...]]) -> Choices:
    return Choices(by={campaign.category[code].label: values for code, values in by_code.items()})


def _returned(campaign: Campaign, _: str) -> Choices:
    """M10: 是 or 否 for I–M, 无 for A–H."""
    return _labelled(campaign, {category.code: ANSWERS[category.group] for category in campaign.categories})


def _of_department(field: str) -> Callable[[Campaign, str], Choices]:
    def look_up(campaign: Campaign, recipient: str) -> Choices:
        department = campaign.casework.department(recipient)
        return Choices(getattr(department, field) if department else ())

    return look_up


LISTS: Mapping[str, Callable[[Campaign, str], Choices]] = {
    "categories": lambda campaign, _: Choices(tuple(category.label for category in campaign.categories)),
    "returned": _returned,
    "causes": _of_department("causes"),
    "outcomes": _of_department("outcomes"),
    "measures": lambda campaign, _: _labelled(campaign, campaign.casework.measures),
    "schooling": lambda campaign, _: _labelled(campaign, campaign.casework.schooling),
    "departments": lambda campaign, _: Choices(campaign.casework.responsible),
    "units": lambda campaign, _: Choices(tuple(unit.name for unit in campaign.units)),
    "exclude": lambda *_: Choices(("排除",)),
}
