"""Corrections (M15) and cases (M16–M17) as data: how `casework.toml` is declared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import Field, ValidationInfo, model_validator

from etl.rulebook.declared import DEDUCTED, SLUG, TO_RETURN, Is, Item, ReadAs, Text, Texts, at, hold, no_two, some_of


@dataclass(frozen=True)
class Department:
    """A department that corrects errors. Its workbook has a row for each child whose category is in `opened_by`."""

    slug: Annotated[str, Is(SLUG.fullmatch, "department_slug")]
    name: Text
    name_en: Text
    opened_by: Annotated[tuple[str, ...], some_of(DEDUCTED)]
    causes: Texts
    outcomes: Texts


@dataclass(frozen=True)
class _Choice:
    name: Item
    categories: Annotated[tuple[str, ...], some_of(TO_RETURN)]


def _by_category(choices: tuple[_Choice, ...]) -> Mapping[str, tuple[str, ...]]:
    """Names by category code, in the file's order. Each of I–M must have at least one name."""
    names: dict[str, tuple[str, ...]] = dict.fromkeys(TO_RETURN, ())
    for number, choice in enumerate(choices):
        for code in choice.categories:
            hold(choice.name not in names[code], (number, "name"), "once")
            names[code] += (choice.name,)
    for code, given in names.items():
        hold(given, (), "one_for", code=code)
    return names


ByCategory = Annotated[
    Mapping[str, tuple[str, ...]], ReadAs(Annotated[tuple[_Choice, ...], Field(min_length=1)], _by_category)
]


@dataclass(frozen=True)
class Casework:
    """`measures` and `schooling` are allowed values by category code; `responsible` are authorities for a measure.

    The validation context ``taken`` has the slugs that departments must not use.
    """

    departments: Annotated[tuple[Department, ...], no_two("slug", "name")]
    measures: ByCategory
    schooling: ByCategory
    responsible: Annotated[Texts, at("cases.departments")]

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        for number, department in enumerate(self.departments):
            hold(department.slug not in (info.context or {})["taken"], ("departments", number, "slug"))
        return self

    def department(self, slug: str) -> Department | None:
        """The department with a slug, or None."""
        return next((one for one in self.departments if one.slug == slug), None)
