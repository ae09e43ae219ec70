"""The rule book as data: loads and validates `campaign/` into frozen dataclasses. Changing it touches no Python."""

import csv
import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from etl.casework import Casework, load_casework
from etl.datafile import Reader, read_toml
from etl.findings import Finding, FuxueError
from etl.inspection import Inspection, load_inspection
from etl.publication import Publication, load_publication
from etl.rulebook import AGES, GROUPS, Rule, load_rules

#: The bureau as a receiver of workbooks and as a scope.
BUREAU = "bureau"
INSPECTORATE = "inspectorate"
#: Names that a unit may not have: rows of tables, scopes and folders of the site use them.
RESERVED = (BUREAU, "city", "data", "en", "inspectorate", "receipts")


@dataclass(frozen=True)
class Unit:
    """A reporting unit (乡镇、街道, M2). `aliases` are further spellings met in 户籍地."""

    slug: str
    name: str
    kind: str
    name_en: str
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Category:
    """One of the thirteen values of 核查结果 (M9); `group` is `deducted` (A–H) or `to_return` (I–M)."""

    code: str
    name: str
    group: str
    definition: str
    name_en: str
    definition_en: str

    @property
    def label(self) -> str:
        """The value in the drop-down list, such as ``K.打工务农``."""
        return f"{self.code}.{self.name}"


@dataclass(frozen=True)
class Limits:
    """How large, deep and slow a returned workbook may be, what it may give, and whether it may hold macros."""

    file_bytes: int
    unpacked_bytes: int
    rows: int
    cell_characters: int
    seconds: int
    memory_bytes: int
    answer_bytes: int
    spin_count: int
    allow_macros: bool = False


LIMITS = [name for name, kind in Limits.__annotations__.items() if kind is int]


@dataclass(frozen=True)
class Ages:
    """Completed years on `reference`; the readings of E, F and the watched age (M17)."""

    reference: dt.date
    over_age: int
    under_age: int
    watched_age: int


@dataclass(frozen=True)
class Campaign:
    """Everything that differs from county to county."""

    id: str
    notice: str
    title: str
    title_en: str
    province: str
    city: str
    county: str
    county_en: str
    region: str
    organiser: Mapping[str, str]
    noticed: dt.date
    verification_due: dt.date
    reports_due: dt.date
    births_first: dt.date
    births_last: dt.date
    ages: Ages
    limits: Limits
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
        """Category code by drop-down value, normalised (NFKC) as answers are."""
        return {unicodedata.normalize("NFKC", category.label): category.code for category in self.categories}

    def recipient_name(self, slug: str) -> str:
        """How a unit, a department or the bureau is printed; the slug itself if the campaign no longer has it."""
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
        """The finding of a rule at a place; `params` fill its message and must hold nothing personal."""
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
    """Read the six files of a campaign folder; FuxueError names file, key and what was expected."""
    data = read_toml(folder / "campaign.toml")
    get = Reader(folder / "campaign.toml", data)
    units = _units(folder / "units.csv")
    categories = _categories(folder / "categories.csv")
    campaign = Campaign(
        id=get.text("campaign.id", r"[a-z0-9][a-z0-9-]*"),
        notice=get.text("campaign.notice"),
        title=get.text("campaign.title"),
        title_en=get.text("campaign.title_en"),
        province=get.text("place.province"),
        city=get.text("place.city"),
        county=get.text("place.county"),
        county_en=get.text("place.county_en"),
        region=get.text("place.region", r"\d{6}"),
        organiser={key: get.text(f"organiser.{key}") for key in ("name", "name_en", "office", "office_en")},
        noticed=get.date("dates.noticed"),
        verification_due=get.date("dates.verification_due"),
        reports_due=get.date("dates.reports_due"),
        births_first=get.date("births.first"),
        births_last=get.date("births.last"),
        ages=Ages(get.date("ages.reference"), *(get.count(f"ages.{k}") for k in AGES)),
        limits=Limits(
            allow_macros=get.flag("limits.allow_macros"), **{key: get.count(f"limits.{key}") for key in LIMITS}
        ),
        units=units,
        categories=categories,
        rules=load_rules(Reader(folder / "rules.toml", read_toml(folder / "rules.toml")), [c.code for c in categories]),
        publication=load_publication(
            Reader(folder / "publication.toml", read_toml(folder / "publication.toml")),
            [u.slug for u in units],
            [c.code for c in categories],
        ),
        casework=load_casework(
            Reader(folder / "casework.toml", read_toml(folder / "casework.toml")),
            {*RESERVED, *(u.slug for u in units)},
            [c.code for c in categories],
            [c.code for c in categories if c.group == "to_return"],
        ),
        inspection=load_inspection(Reader(folder / "inspection.toml", read_toml(folder / "inspection.toml"))),
    )
    _in_order(get, campaign)
    return campaign


def _in_order(get: Reader, campaign: Campaign) -> None:
    if not campaign.noticed <= campaign.verification_due <= campaign.reports_due:
        get.fail("dates", "noticed ≤ verification_due ≤ reports_due")
    if campaign.births_first > campaign.births_last:
        get.fail("births", "first ≤ last")


def _read_csv(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            rows = list(csv.DictReader(handle, strict=True))
    except FileNotFoundError:
        raise FuxueError("campaign.missing_file", file=path.name) from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise FuxueError("campaign.bad_toml", file=path.name, reason=str(error)) from None
    wanted = list(columns)
    if rows and set(rows[0]) != set(wanted):
        raise FuxueError("campaign.bad_value", file=path.name, key="1", expected=",".join(wanted))
    for number, row in enumerate(rows, start=2):
        for column in wanted:
            if row.get(column) is None or (column != "aliases" and not row[column].strip()):
                raise FuxueError("campaign.bad_value", file=path.name, key=f"{column}:{number}", expected="text")
    if not rows:
        raise FuxueError("campaign.bad_value", file=path.name, key="1", expected=",".join(wanted))
    return rows


def _unique(path: Path, key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise FuxueError("campaign.bad_value", file=path.name, key=f"{key} {value}", expected="each value once")
        seen.add(value)


def _units(path: Path) -> tuple[Unit, ...]:
    rows = _read_csv(path, ("slug", "name", "kind", "name_en", "aliases"))
    units = tuple(
        Unit(r["slug"], r["name"], r["kind"], r["name_en"], tuple(filter(None, r["aliases"].split("|")))) for r in rows
    )
    _unique(path, "slug", (unit.slug for unit in units))
    _unique(path, "name", (name for unit in units for name in (unit.name, *unit.aliases)))
    for number, unit in enumerate(units, start=2):
        # Slugs become file names, scope names and addresses of pages.
        if not re.fullmatch(r"[a-z][a-z0-9-]*", unit.slug) or unit.slug in RESERVED:
            raise FuxueError("campaign.bad_value", file=path.name, key=f"slug:{number}", expected="[a-z][a-z0-9-]*")
    return units


def _categories(path: Path) -> tuple[Category, ...]:
    fields = ("code", "name", "group", "definition", "name_en", "definition_en")
    rows = _read_csv(path, fields)
    for number, row in enumerate(rows, start=2):
        if row["group"] not in GROUPS:
            expected = " or ".join(GROUPS)
            raise FuxueError("campaign.bad_value", file=path.name, key=f"group:{number}", expected=expected)
        if not re.fullmatch("[A-Z]", row["code"]):
            raise FuxueError("campaign.bad_value", file=path.name, key=f"code:{number}", expected="A … Z")
    _unique(path, "code", (row["code"] for row in rows))
    return tuple(Category(**{field: row[field] for field in fields}) for row in rows)
