"""The campaign as frozen dataclasses, and loading it from `campaign/`. Another campaign needs other data only."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, model_validator

from etl.findings import Finding, FuxueError
from etl.rulebook.datafile import load_csv, load_toml
from etl.rulebook.declared import GROUP_OF, SLUG, Day, Is, Item, ReadAs, Text, at, hold, is_text, matching
from etl.rulebook.departments import Casework
from etl.rulebook.flag_rules import Inspection
from etl.rulebook.limits import Limits, whole
from etl.rulebook.mistakes import bad_value
from etl.rulebook.publication import Publication
from etl.rulebook.rules import Rule, RuleBook

#: The bureau and the inspectorate, as recipients and as scopes.
BUREAU = "bureau"
INSPECTORATE = "inspectorate"
#: Slugs that a unit must not have, because rows of tables, scopes and folders of the site use them.
RESERVED = (BUREAU, "city", "data", "en", "inspectorate", "receipts")
#: The most units; `verify_release.py` reads no more rows.
MOST_UNITS = 4_000


def _parted(cell: str) -> list[str]:
    """The names in a cell, which are separated by bars; none if it is blank. ValueError if it is not a text."""
    if cell and not is_text(cell):
        raise ValueError
    return cell.split("|") if cell else []


@dataclass(frozen=True)
class Unit:
    """A reporting unit (乡镇、街道, M2). `aliases` are other names of it that occur in 户籍地."""

    # Used as a file name, as a scope's name and in the address of a page.
    slug: Annotated[str, Is(lambda slug: SLUG.fullmatch(slug) and slug not in RESERVED, "unit_slug", reserved=RESERVED)]
    name: Item
    kind: Text
    name_en: Text
    aliases: Annotated[
        tuple[str, ...],
        BeforeValidator(_parted),
        Is(lambda names: all(name and name == name.strip() for name in names), "aliases"),
    ]


@dataclass(frozen=True)
class Category:
    """One of the thirteen values of 核查结果 (M9); `group` is `deducted` (A–H) or `to_return` (I–M)."""

    code: Text
    name: Item
    group: Text
    definition: Text
    name_en: Text
    definition_en: Text

    @property
    def label(self) -> str:
        """The value in the drop-down list, such as ``K.打工务农``."""
        return f"{self.code}.{self.name}"


Age = Annotated[int, whole(1, 150)]


@dataclass(frozen=True)
class Ages:
    """Ages in completed years on the day `reference`, with which rules about E, F and the watched age compare (M17)."""

    reference: Day
    over_age: Age
    under_age: Age
    watched_age: Age


@dataclass(frozen=True)
class _Organiser:
    name: Text
    name_en: Text
    office: Text
    office_en: Text


@dataclass(frozen=True)
class Licence:
    """Under what the published data may be used: its SPDX name, its title, and the address of its text."""

    name: Annotated[str, matching(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,59}")]
    title: Text
    title_en: Text
    url: Annotated[str, matching(r"https?://[A-Za-z0-9.-]+(?:/[!-~]*)?")]


@dataclass(frozen=True)
class Particulars:
    """The content of `campaign.toml`: the organiser, days, and which children."""

    id: Annotated[str, matching(r"[a-z0-9][a-z0-9-]{0,59}"), at("campaign.id")]
    notice: Annotated[Text, at("campaign.notice")]
    title: Annotated[Text, at("campaign.title")]
    title_en: Annotated[Text, at("campaign.title_en")]
    province: Annotated[Text, at("place.province")]
    city: Annotated[Text, at("place.city")]
    county: Annotated[Text, at("place.county")]
    county_en: Annotated[Text, at("place.county_en")]
    region: Annotated[str, matching("[1-9][0-9]{5}"), at("place.region")]
    organiser: Annotated[Mapping[str, str], ReadAs(_Organiser, vars)]
    licence: Licence
    noticed: Annotated[Day, at("dates.noticed")]
    verification_due: Annotated[Day, at("dates.verification_due")]
    reports_due: Annotated[Day, at("dates.reports_due")]
    births_first: Annotated[Day, at("births.first")]
    births_last: Annotated[Day, at("births.last")]
    ages: Ages
    limits: Limits

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        hold(self.noticed <= self.verification_due <= self.reports_due, ("dates",), "dates_in_order")
        hold(self.births_first <= self.births_last <= self.noticed, ("births",), "births_in_order")
        return self


@dataclass(frozen=True)
class Campaign(Particulars):
    """A whole campaign: everything that differs between counties."""

    units: tuple[Unit, ...]
    categories: tuple[Category, ...]
    rules: tuple[Rule, ...]
    publication: Publication
    casework: Casework
    inspection: Inspection

    @cached_property
    def unit(self) -> Mapping[str, Unit]:
        """Units by slug."""
        return {unit.slug: unit for unit in self.units}

    @cached_property
    def category(self) -> Mapping[str, Category]:
        """Categories by code."""
        return {category.code: category for category in self.categories}

    @cached_property
    def code_of(self) -> Mapping[str, str]:
        """Category codes by label, normalised (NFKC) like answers."""
        return {unicodedata.normalize("NFKC", category.label): category.code for category in self.categories}

    def recipient_name(self, slug: str) -> str:
        """The printed name of a recipient, or the slug itself if the campaign no longer has it."""
        department = self.casework.department(slug)
        if slug in (BUREAU, INSPECTORATE):
            return self.organiser["name"] if slug == BUREAU else "督导"
        return self.unit[slug].name if slug in self.unit else department.name if department else slug

    @cached_property
    def _rule(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    def finding(
        self, rule: str, file: str, *, sheet: str = "", cell: str = "", serial: str | None = None, **params: Any
    ) -> Finding:
        """The finding of a rule at a place; `params` fill in its message and must not be personal.

        FuxueError if there is no such rule.
        """
        found = self._rule.get(rule)
        if found is None:
            raise FuxueError("campaign.no_rule", rule=rule)
        return Finding(
            rule=rule,
            severity=found.severity,
            file=file,
            sheet=sheet,
            cell=cell,
            serial=serial,
            message=found.message.format(serial=serial, **params),
            message_en=found.message_en.format(serial=serial, **params),
        )


def load_campaign(folder: Path) -> Campaign:
    """Load a campaign folder. FuxueError for the first mistake; it names file, key and what was expected."""
    particulars = load_toml(folder / "campaign.toml", Particulars)
    units = _units(folder / "units.csv")
    publication = load_toml(folder / "publication.toml", Publication)
    _check_areas(publication, [unit.slug for unit in units])
    taken = {*RESERVED, *(unit.slug for unit in units)}
    return Campaign(
        **vars(particulars),
        units=units,
        categories=_categories(folder / "categories.csv"),
        rules=load_toml(folder / "rules.toml", RuleBook).rules,
        publication=publication,
        casework=load_toml(folder / "casework.toml", Casework, taken=taken),
        inspection=load_toml(folder / "inspection.toml", Inspection),
    )


def _units(path: Path) -> tuple[Unit, ...]:
    units = tuple(load_csv(path, dict[int, Unit]).values())
    if len(units) > MOST_UNITS:
        raise bad_value(path.name, f"slug:{MOST_UNITS + 2}", "units", most=MOST_UNITS)
    _check_once(path, "slug", (unit.slug for unit in units))
    _check_once(path, "name", (name for unit in units for name in (unit.name, *unit.aliases)))
    return units


def _categories(path: Path) -> tuple[Category, ...]:
    rows = load_csv(path, dict[int, Category])
    _check_once(path, "code", (row.code for row in rows.values()))
    _check_once(path, "name", (row.name for row in rows.values()))
    for (number, row), code in zip(rows.items(), [*GROUP_OF, *[""] * len(rows)], strict=False):
        if row.code != code:
            raise bad_value(path.name, f"code:{number}", "categories" if code else "no_more_categories", code=code)
        if row.group != GROUP_OF[code]:
            raise bad_value(path.name, f"group:{number}", "group_of", group=GROUP_OF[code])
    for code in [*GROUP_OF][len(rows) :]:
        raise bad_value(path.name, f"code {code}", "categories", code=code)
    return tuple(rows.values())


def _check_areas(publication: Publication, units: list[str]) -> None:
    """Each part of an area is a unit or an area, and no area has the name of a unit."""
    known = [*units, *(area.key for area in publication.areas)]
    for number, area in enumerate(publication.areas, 1):
        if area.key in units:
            raise bad_value("publication.toml", f"areas[{number}].key", "once")
        if not set(area.parts) <= set(known):
            raise bad_value("publication.toml", f"areas[{number}].parts", "area_parts", known=known)


def _check_once(path: Path, column: str, values: Iterable[str]) -> None:
    for value, count in Counter(values).items():
        if count > 1:
            raise bad_value(path.name, f"{column} {value}", "once")
