"""Every small change of a campaign's folder, harmless or not."""

from collections.abc import Callable, Mapping
from typing import Any

from etl.rulebook.campaign import RESERVED, Particulars
from etl.rulebook.datafile import checked
from etl.rulebook.departments import Casework
from etl.rulebook.flag_rules import Inspection
from etl.rulebook.publication import Publication
from etl.rulebook.rules import RuleBook
from tests.support.campaign_faults import Fault, csv_faults, toml_faults
from tests.support.homes import ROOT

FOLDER = ROOT / "campaign"


CODES = list("ABCDEFGHIJKLM")


UNITS = ["fuzhoucheng", "xianyuwan"]


#: Texts that are shown and not interpreted: any that can be shown is one.
TEXT = frozenset({"word", "wide", "braces", "brace", "own", "path", "bar", "date as text"})


#: The same in a list whose values are joined by bars.
ITEM = TEXT - {"bar"}


#: Messages, in which braces mean something.
MESSAGE = TEXT - {"braces", "brace", "own"}


IN_CELLS = frozenset({"number", "reserved", "capitals", "other letter", "other group"})


ONE_LESS = frozenset({"dropped"})


FRACTION = frozenset({"fraction"})


#: By file and key: what may be done there.
HARMLESS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "campaign.toml": {
        "campaign.id": frozenset({"word", "date as text"}),  # a name in small letters, digits and hyphens
        **dict.fromkeys(("campaign.notice", "campaign.title", "campaign.title_en"), TEXT),
        **dict.fromkeys(("place.province", "place.city", "place.county", "place.county_en"), TEXT),
        **dict.fromkeys(("organiser.name", "organiser.name_en", "organiser.office", "organiser.office_en"), TEXT),
        **dict.fromkeys(("licence.title", "licence.title_en"), TEXT),
        "licence.name": frozenset({"word", "date as text"}),  # letters, digits, dots, hyphens
        "limits.allow_macros": frozenset({"true", "false"}),  # what it is for
    },
    "units.csv": {
        "": frozenset({"row dropped"}),  # which units there are is the campaign's own matter (M2)
        "slug": frozenset({"word", "other group"}),
        "name": ITEM | IN_CELLS,
        **dict.fromkeys(("kind", "name_en"), TEXT | IN_CELLS),
        "aliases": TEXT | IN_CELLS | {"blank"},  # most have none; a bar parts two
    },
    "categories.csv": {
        "name": ITEM | IN_CELLS,
        **dict.fromkeys(("definition", "name_en", "definition_en"), TEXT | IN_CELLS),
    },
    "rules.toml": {
        "rules.*": ONE_LESS,  # a question that this county does not ask; those that it must ask are missed by name
        "rules.*.basis": TEXT,
        **dict.fromkeys(("rules.*.message", "rules.*.message_en"), MESSAGE),  # it need not mention all it could
        "rules.*.params.values": frozenset({"words"}),
        "rules.*.params.values.*": ONE_LESS | ITEM,  # words that are no names; of M10's own answers one may be missing
        "rules.*.params.categories.*": ONE_LESS,
    },
    "casework.toml": {
        # Another county has other departments, measures and lists, and may have fewer.
        **dict.fromkeys(("departments.*", "measures.*", "schooling.*", "departments.*.opened_by.*"), ONE_LESS),
        **dict.fromkeys(("measures.*.categories.*", "schooling.*.categories.*"), ONE_LESS),
        "departments.*.slug": frozenset({"word"}),
        **dict.fromkeys(("departments.*.name", "departments.*.name_en"), TEXT),
        **dict.fromkeys(("measures.*.name", "schooling.*.name"), ITEM),
        **dict.fromkeys(("departments.*.causes", "departments.*.outcomes", "cases.departments"), frozenset({"words"})),
        **dict.fromkeys(("departments.*.causes.*", "departments.*.outcomes.*", "cases.departments.*"), ITEM | ONE_LESS),
    },
    "inspection.toml": {
        # Other chances and bounds, within what they can be; a test that is not made.
        **dict.fromkeys(("alpha", "sample.confidence", "flags.*.params.least_difference", "flags.*.params.plausible"),
                        FRACTION),
        "flags.*": ONE_LESS,
        "flags.*.params.most": frozenset({"zero"}),
        "flags.*.basis": TEXT,
        **dict.fromkeys(("flags.*.message", "flags.*.message_en"), MESSAGE),
    },
    "publication.toml": {
        # No category is sensitive; a figure is not known beforehand; a reader takes less for granted; a table prints
        # less. Each is another promise that the code keeps.
        "threshold.category": frozenset({"dropped", "table"}),
        "threshold.category.*": ONE_LESS,
        **dict.fromkeys(("assumptions.*", "assumptions.*.fixed", "assumptions.*.fixed.*"), ONE_LESS),
        **dict.fromkeys(("assumptions.*.grows", "assumptions.*.grows.*", "tables.*.measures.*"), ONE_LESS),
        "known.cells": frozenset({"list"}),
        "known.own_row": frozenset({"true", "false"}),
        "known.cells.*": ONE_LESS,
        "tables.*.key": frozenset({"word"}),
        **dict.fromkeys(("tables.*.title", "tables.*.title_en", "assumptions.*.key"), TEXT),
    },
    "site.toml": {
        # Blank is not filled in yet: shown as such, and refused by --production.
        **dict.fromkeys(("identity.domain", "identity.id_code", "identity.icp", "identity.police", "identity.email"),
                        frozenset({"blank"})),
        "identity.phone": frozenset({"blank", "date as text"}),  # digits and hyphens
        "identity.address": TEXT | {"blank", "formula"},  # stands on a page, never in a cell
        "follows.*": frozenset({"twice"}),  # Chinese and English may be the same
        "follows.*.*": TEXT,
    },
}  # fmt: skip


#: What the data of each file that stands alone is read as.
LOADERS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "campaign.toml": lambda data: checked("campaign.toml", data, Particulars),
    "rules.toml": lambda data: checked("rules.toml", data, RuleBook),
    "casework.toml": lambda data: checked("casework.toml", data, Casework, taken={*RESERVED, *UNITS}),
    "inspection.toml": lambda data: checked("inspection.toml", data, Inspection),
    "publication.toml": lambda data: checked("publication.toml", data, Publication),
}


def faults_of(file: str, *, all_places: bool) -> list[Fault]:
    text = (FOLDER / file).read_text(encoding="utf-8")
    make = csv_faults if file.endswith(".csv") else toml_faults
    return list(make(text, all_places=all_places))
