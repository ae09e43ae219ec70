"""The rule book as data: loads and validates `campaign/` into frozen dataclasses. Changing it touches no Python."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from etl.findings import Finding, FuxueError
from etl.rulebook.datafile import Reader, check_once, read_csv, read_toml
from etl.rulebook.departments import Casework, load_casework
from etl.rulebook.flag_rules import Inspection, load_inspection
from etl.rulebook.publication import Publication, load_publication
from etl.rulebook.rules import AGES, Rule, load_rules

#: The bureau as a receiver of workbooks and as a scope.
BUREAU = "bureau"
INSPECTORATE = "inspectorate"
#: Names that a unit may not have: rows of tables, scopes and folders of the site use them.
RESERVED = (BUREAU, "city", "data", "en", "inspectorate", "receipts")
#: The categories of 核查结果 (M9, annex 2) in their order, with their groups: forms, sums and pages are made for these.
GROUP_OF = {**dict.fromkeys("ABCDEFGH", "deducted"), **dict.fromkeys("IJKLM", "to_return")}
#: Tables of campaign.toml, and their keys.
_TABLES: Mapping[str, tuple[str, ...]] = {
    "campaign": ("id", "notice", "title", "title_en"),
    "place": ("province", "city", "county", "county_en", "region"),
    "organiser": ("name", "name_en", "office", "office_en"),
    "dates": ("noticed", "verification_due", "reports_due"),
    "births": ("first", "last"),
    "ages": ("reference", *AGES),
}


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


#: The most that each limit may be: what the system, the libraries and a sheet can hold.
_MOST = {"file_bytes": 1 << 40, "unpacked_bytes": 1 << 40, "rows": 1_048_576, "cell_characters": 32_767,
        "seconds": 86_400, "memory_bytes": 1 << 44, "answer_bytes": 1 << 31, "spin_count": 10_000_000}  # fmt: skip


#: More rows than this, the program that checks a release does not read.
MOST_UNITS = 4_000


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
    """Read a campaign folder; FuxueError names file, key and what was expected."""
    get = _reader(folder, "campaign")
    get.only("", (*_TABLES, "limits"))
    for table, names in {**_TABLES, "limits": (*_MOST, "allow_macros")}.items():
        get.only(table, names)
    units = _units(folder / "units.csv")
    categories = _categories(folder / "categories.csv")
    codes, to_return = [c.code for c in categories], [c.code for c in categories if c.group == "to_return"]
    campaign = Campaign(
        id=get.text("campaign.id", r"[a-z0-9][a-z0-9-]{0,59}"),
        notice=get.text("campaign.notice"),
        title=get.text("campaign.title"),
        title_en=get.text("campaign.title_en"),
        province=get.text("place.province"),
        city=get.text("place.city"),
        county=get.text("place.county"),
        county_en=get.text("place.county_en"),
        region=get.text("place.region", "[1-9][0-9]{5}"),
        organiser={key: get.text(f"organiser.{key}") for key in _TABLES["organiser"]},
        noticed=get.date("dates.noticed"),
        verification_due=get.date("dates.verification_due"),
        reports_due=get.date("dates.reports_due"),
        births_first=get.date("births.first"),
        births_last=get.date("births.last"),
        ages=Ages(get.date("ages.reference"), *(get.count(f"ages.{k}", 150) for k in AGES)),
        limits=_limits(get),
        units=units,
        categories=categories,
        rules=load_rules(_reader(folder, "rules"), codes),
        publication=load_publication(_reader(folder, "publication"), codes),
        casework=load_casework(_reader(folder, "casework"), {*RESERVED, *(u.slug for u in units)}, codes, to_return),
        inspection=load_inspection(_reader(folder, "inspection")),
    )
    _in_order(get, campaign)
    return campaign


def _limits(get: Reader) -> Limits:
    counts = {key: get.count(f"limits.{key}", most) for key, most in _MOST.items()}
    return Limits(allow_macros=get.flag("limits.allow_macros"), **counts)


def _reader(folder: Path, name: str) -> Reader:
    path = folder / f"{name}.toml"
    return Reader(path, read_toml(path))


def _in_order(get: Reader, campaign: Campaign) -> None:
    if not campaign.noticed <= campaign.verification_due <= campaign.reports_due:
        get.fail("dates", "noticed ≤ verification_due ≤ reports_due")
    if not campaign.births_first <= campaign.births_last <= campaign.noticed:
        get.fail("births", "first ≤ last ≤ dates.noticed")


def _units(path: Path) -> tuple[Unit, ...]:
    rows = read_csv(path, ("slug", "name", "kind", "name_en", "aliases"), optional=("aliases",))
    units = tuple(
        Unit(r["slug"], r["name"], r["kind"], r["name_en"], tuple(r["aliases"].split("|") if r["aliases"] else ()))
        for r in rows
    )
    if len(units) > MOST_UNITS:
        _fail(path, f"slug:{MOST_UNITS + 2}", f"at most {MOST_UNITS} units")
    check_once(path, "slug", (unit.slug for unit in units))
    check_once(path, "name", (name for unit in units for name in (unit.name, *unit.aliases)))
    for number, unit in enumerate(units, start=2):
        # Slugs become file names, scope names and addresses of pages.
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", unit.slug) or unit.slug in RESERVED:
            _fail(path, f"slug:{number}", "[a-z][a-z0-9-]*, at most 40 signs, none of " + ", ".join(RESERVED))
        if any(not alias.strip() or alias != alias.strip() for alias in unit.aliases):
            _fail(path, f"aliases:{number}", "names with “|” between them, or nothing")
        if "|" in unit.name:
            _fail(path, f"name:{number}", "a name without “|”")
    return units


def _categories(path: Path) -> tuple[Category, ...]:
    fields = ("code", "name", "group", "definition", "name_en", "definition_en")
    rows = read_csv(path, fields)
    check_once(path, "code", (row["code"] for row in rows))
    check_once(path, "name", (row["name"] for row in rows))
    wanted = [*GROUP_OF, *[""] * len(rows)]
    for number, (row, code) in enumerate(zip(rows, wanted, strict=False), start=2):
        if row["code"] != code:
            _fail(
                path, f"code:{number}", f"{code or 'nothing'}; just the thirteen categories A … M, in this order (M9)"
            )
        if row["group"] != GROUP_OF[code]:
            _fail(path, f"group:{number}", f"{GROUP_OF[code]}: A … H are deducted, I … M to_return (annex 2)")
        if "|" in row["name"]:
            _fail(path, f"name:{number}", "a name without “|”")
    if len(rows) < len(GROUP_OF):
        _fail(path, f"code {[*GROUP_OF][len(rows)]}", "each of the thirteen categories A … M (M9)")
    return tuple(Category(**row) for row in rows)


def _fail(path: Path, key: str, expected: str) -> NoReturn:
    raise FuxueError("campaign.bad_value", file=path.name, key=key, expected=expected)
