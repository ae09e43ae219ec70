"""The rule book as data: another county is another folder, and every fault names file, key and what was expected."""

import re
import shutil
from pathlib import Path

import pytest

from etl import rulebook
from etl.campaign import Campaign, load_campaign
from etl.check.predicates import PREDICATES
from etl.findings import FuxueError
from tests.conftest import ROOT


def test_wafangdian_has_thirty_units_of_three_kinds_and_thirteen_categories(campaign: Campaign) -> None:
    kinds = [unit.kind for unit in campaign.units]
    assert {kind: kinds.count(kind) for kind in kinds} == {"镇": 13, "乡": 8, "街道": 9}
    assert "".join(category.code for category in campaign.categories) == "ABCDEFGHIJKLM"
    assert [c.code for c in campaign.categories if c.group == "to_return"] == list("IJKLM")


def test_another_county_is_another_folder(small: Campaign) -> None:
    assert (small.id, len(small.units), small.region) == ("qingshi-2020", 3, "990101")
    assert small.reports_due.isoformat() == "2020-03-16"


def test_every_predicate_that_the_rule_book_may_name_exists_and_is_used(campaign: Campaign) -> None:
    assert {rule.predicate for rule in campaign.rules if rule.predicate} == set(PREDICATES) == set(rulebook.PREDICATES)


def test_every_rule_that_the_code_raises_is_in_the_contract(campaign: Campaign) -> None:
    code = "".join(p.read_text(encoding="utf-8") for room in ("issue", "read", "check", "cli")
                   for p in (ROOT / "etl" / room).glob("*.py"))  # fmt: skip
    assert set(re.findall(r'"([LFR]\d\d)"', code)) == set(rulebook.RAISED)
    assert {rule.id for rule in campaign.rules if not rule.predicate} == set(rulebook.RAISED)


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("campaign.toml", "noticed = 2019-02-19", 'noticed = "2019-02-19"', "dates.noticed"),
        ("campaign.toml", "noticed = 2019-02-19", "", "dates.noticed"),
        ("campaign.toml", "noticed = 2019-02-19", "noticed = 2019-03-19", "dates"),
        ("campaign.toml", "first = 2002-09-01", "first = 2022-09-01", "births"),
        ("campaign.toml", "over_age = 16", "over_age = 0", "ages.over_age"),
        ("campaign.toml", 'region = "210281"', "region = 210281", "place.region"),
        ("units.csv", "fuzhoucheng,", "City Hall,", "slug:2"),
        ("units.csv", "xianyuwan,", "fuzhoucheng,", "slug fuzhoucheng"),
        ("units.csv", "fuzhoucheng,", "bureau,", "slug:2"),
        ("units.csv", "复州镇", "仙浴湾", "name 仙浴湾"),
        ("categories.csv", "B,在校有学籍,deducted", "B,在校有学籍,other", "group:3"),
        ("categories.csv", "B,", "A,", "code A"),
        ("rules.toml", 'severity = "error"', 'severity = "fatal"', "rules[1].severity"),
        ("rules.toml", 'id = "L02"', 'id = "L01"', "id L01"),
        ("rules.toml", 'id = "R01"', 'id = "X01"', "rules[25].predicate"),
        ("rules.toml", 'predicate = "never"', 'predicate = "nevr"', "rules[43].predicate"),
        ("rules.toml", 'column = "team"', 'column = "tem"', "rules[38].column"),
        ("rules.toml", 'age = "under_age"', 'age = "undr_age"', "rules[40].params.age"),
        ("rules.toml", 'categories = ["G"]', 'categories = ["Z"]', "rules[43].params.categories"),
        ("rules.toml", 'params = { group = "to_return", values = ["是", "否"] }', "", "rules[36].params"),
        ("rules.toml", "核查结果为空。", "核查结果为空{foo}。", "rules[33].message"),
        ("rules.toml", "核查结果为空。", "核查结果为空{。", "rules[33].message"),
        ("units.csv", "aliases", "aliases,remark", "1"),
        (
            "publication.toml",
            'equals = ["returned", "still_out"]',
            'equals = ["returned", "verified"]',
            "measures.suspected.equals",
        ),
        (
            "publication.toml",
            'equals = ["unverified", "verified"]',
            'equals = ["verified"]',
            "measures.suspected.equals",
        ),
        ("publication.toml", 'key = "city"', 'key = "../../x"', "tables.../../x.key"),
        ("publication.toml", 'key = "units"', 'key = "city"', "tables.city"),
        ("publication.toml", 'measures = ["verified"]', 'measures = ["suspected"]', "tables.categories.measures"),
        ("publication.toml", 'cells = ["city.suspected"]', 'cells = [["a"]]', "known.cells"),
        ("publication.toml", "k = 5", "k = 1", "threshold.k"),
        ("publication.toml", "I = 10", "Z = 10", "threshold.category.Z"),
        ("publication.toml", 'whole = "verified"', 'whole = "verifed"', "groups"),
        ("publication.toml", "weight = 40", "weight = 0", "tables.city.weight"),
        ("publication.toml", 'rows = "city"', 'rows = "sex"', "tables.city.rows"),
        ("publication.toml", 'cells = ["city.suspected"]', 'cells = ["city.suspectd"]', "known.cells"),
    ],
)
def test_a_wrong_value_is_named_with_file_and_key(tmp_path: Path, file: str, old: str, new: str, key: str) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(ROOT / "campaign", folder)
    content = (folder / file).read_text(encoding="utf-8")
    assert old in content
    (folder / file).write_text(content.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    assert (caught.value.params["file"], caught.value.params["key"]) == (file, key)


@pytest.mark.parametrize("file", ["campaign.toml", "units.csv", "categories.csv", "rules.toml", "publication.toml"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "campaign"
    shutil.copytree(ROOT / "campaign", folder)
    (folder / file).write_bytes(b"\xff\xfe[[[")
    with pytest.raises(FuxueError, match=file):
        load_campaign(folder)
    (folder / file).unlink()
    with pytest.raises(FuxueError, match="campaign.missing_file") as caught:
        load_campaign(folder)
    assert caught.value.params["file"] == file
