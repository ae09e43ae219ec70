"""The rule book as data: another county is another folder, and every fault names file, key and what was expected."""

import json
import re
import shutil
from pathlib import Path

import pytest

from etl.check.predicates import PREDICATE_FUNCTIONS
from etl.findings import FuxueError
from etl.rulebook import rules
from etl.rulebook.campaign import Campaign, load_campaign
from tests.support.homes import ROOT


def test_wafangdian_has_thirty_units_of_three_kinds_and_thirteen_categories(campaign: Campaign) -> None:
    kinds = [unit.kind for unit in campaign.units]
    assert {kind: kinds.count(kind) for kind in kinds} == {"镇": 13, "乡": 8, "街道": 9}
    assert "".join(category.code for category in campaign.categories) == "ABCDEFGHIJKLM"
    assert [c.code for c in campaign.categories if c.group == "to_return"] == list("IJKLM")


def test_another_county_is_another_folder(small: Campaign) -> None:
    assert (small.id, len(small.units), small.region) == ("qingshi-2020", 3, "990101")
    assert small.reports_due.isoformat() == "2020-03-16"


def test_every_predicate_that_the_rule_book_may_name_exists_and_is_used(campaign: Campaign) -> None:
    assert (
        {rule.predicate for rule in campaign.rules if rule.predicate}
        == set(PREDICATE_FUNCTIONS)
        == set(rules.PREDICATES)
    )


def test_every_rule_that_the_code_raises_is_in_the_contract(campaign: Campaign) -> None:
    code = "".join(p.read_text(encoding="utf-8") for room in ("issue", "read", "check", "workflow")
                   for p in (ROOT / "etl" / room).glob("*.py"))  # fmt: skip
    assert set(re.findall(r'"([LFRED]\d\d)"', code)) == set(rules.RAISED)
    assert {rule.id for rule in campaign.rules if not rule.predicate} == set(rules.RAISED)


#: Areas that are not what they should be, and the key that is named.
AREAS = [
    ('key = "a"', 'parts = ["xutun", "nowhere"]', "areas[1].parts"),
    ('key = "xutun"', 'parts = ["liguan"]', "areas[1].key"),
    ('key = "city"', 'parts = ["liguan"]', "areas[1].key"),
    ('key = "a"', 'parts = ["a"]', "areas[1].parts"),
    (
        'key = "a"',
        'parts = ["liguan"]\n[[areas]]\nkey = "b"\ntitle = "乙"\ntitle_en = "B"\nparts = ["liguan"]',
        "areas[2].parts",
    ),
]


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
        ("rules.toml", 'severity = "error"', 'severity = "fatal"', "rules[L01].severity"),
        ("rules.toml", 'id = "L02"', 'id = "L01"', "id L01"),
        ("rules.toml", 'id = "R01"', 'id = "X01"', "rules[X01].predicate"),
        ("rules.toml", 'predicate = "never"', 'predicate = "nevr"', "rules[A11].predicate"),
        ("rules.toml", 'column = "team"', 'column = "tem"', "rules[A06].column"),
        ("rules.toml", 'age = "under_age"', 'age = "undr_age"', "rules[A07].params.age"),
        ("rules.toml", 'categories = ["G"]', 'categories = ["Z"]', "rules[A10].params.categories"),
        ("rules.toml", 'params = { group = "to_return", values = ["是", "否"] }', "", "rules[A04].params"),
        ("rules.toml", 'values = ["是", "否"]', 'values = ["是", "好"]', "rules[A04].params.values"),
        ("rules.toml", 'values = ["是", "否"]', 'values = "是否"', "rules[A04].params.values"),
        ("rules.toml", 'group = "to_return"', 'group = "deducted"', "rules[A04].params.values"),
        (
            "rules.toml",
            'id = "A01"\nbasis = "M9"\nseverity = "error"',
            'id = "A01"\nbasis = "M9"\nseverity = "note"',
            "rules[A01].severity",
        ),
        ("rules.toml", 'id = "A01"', 'id = "A99"', "A01"),
        (
            "rules.toml",
            'predicate = "listed"\ncolumn = "category"',
            'predicate = "never"\ncolumn = "category"',
            "rules[A02].params",
        ),
        ("rules.toml", 'predicate = "listed"', 'predicate = "filled"', "rules[A02].predicate"),
        (
            "rules.toml",
            'predicate = "named"\ncolumn = "team"',
            'predicate = "named"\ncolumn = "returned"',
            "rules[A13].column",
        ),
        (
            "rules.toml",
            'id = "F02"\nbasis = "M18"\nseverity = "error"',
            'id = "F02"\nbasis = "M18"\nseverity = "warning"',
            "rules[F02].severity",
        ),
        ("rules.toml", 'id = "L01"', 'id = "L01"\ncolumn = "team"', "rules[L01].column"),
        ("rules.toml", "{columns}", "{columns:d}", "rules[L01].message"),
        ("categories.csv", "I,因病因残,to_return", "I,因病因残,deducted", "group:10"),
        ("categories.csv", "J,入寺入教", "M,入寺入教", "code M"),
        ("categories.csv", "name_en,definition_en", "name_en,name_en", "1:name_en"),
        ("units.csv", "复州镇", "复州镇|", "aliases:2"),
        ("units.csv", "复州城镇", "=复州城镇", "name:2"),
        ("campaign.toml", "seconds = 60", "seconds = 100_000_000_000_000_000_000", "limits.seconds"),
        ("campaign.toml", "last = 2011-08-31", "last = 2031-08-31", "births"),
        ("campaign.toml", "noticed = 2019-02-19", "noticed = 1019-02-19", "dates.noticed"),
        ("campaign.toml", 'county = "瓦房店市"', 'county = "瓦房店\\u202e市"', "place.county"),
        ("publication.toml", "own_row = true", 'own_row = "yes"', "known.own_row"),
        ("publication.toml", 'key = "none"', 'key = "none"\ngrows = ["returned"]', "assumptions"),
        ("publication.toml", 'grows = ["verified", "returned"]', 'grows = "verified"', "assumptions[1].grows"),
        ("publication.toml", "[threshold.category]", "[threshold.categories]", "threshold.categories"),
        ("rules.toml", "核查结果为空。", "核查结果为空{foo}。", "rules[A01].message"),
        ("rules.toml", "核查结果为空。", "核查结果为空{。", "rules[A01].message"),
        ("rules.toml", 'predicate = "filled"', 'predicate = ["filled"]', "rules[A01].predicate"),
        ("rules.toml", 'column = "category"', "column = { a = 1 }", "rules[A01].column"),
        ("rules.toml", 'column = "category"', 'column = "category"\nparams = 7', "rules[A01].params"),
        ("rules.toml", 'column = "category"', 'column = "category"\nparams = ["x"]', "rules[A01].params"),
        ("casework.toml", 'slug = "household-registry"', 'slug = "xutun"', "departments[1].slug"),
        ("casework.toml", 'slug = "household-registry"', 'slug = "Household Registry"', "departments[1].slug"),
        ("casework.toml", 'slug = "household-registry"', 'slug = "bureau"', "departments[1].slug"),
        (
            "casework.toml",
            'slug = "school-registry"\nname = "学校（学籍管理）"',
            'slug = "school-registry"\nname = "公安户籍部门"',
            "departments.name",
        ),
        ("casework.toml", 'opened_by = ["C", "D"]', 'opened_by = ["C", "Z"]', "departments[2].opened_by"),
        ("casework.toml", 'categories = ["K"]', 'categories = ["Z"]', "measures[7].categories"),
        ("casework.toml", 'categories = ["K"]', 'categories = "K"', "measures[7].categories"),
        ("casework.toml", 'name = "进入特教学校"', 'name = "随班就读"', "measures[2].name"),
        ("casework.toml", 'slug = "household-registry"', 'slug = "school-registry"', "departments.slug"),
        ("casework.toml", 'opened_by = ["A"]', 'opened_by = ["K"]', "departments[1].opened_by"),
        ("casework.toml", 'opened_by = ["A"]', "opened_by = []", "departments[1].opened_by"),
        ("casework.toml", '"查无此人", ', '"查无|此人", ', "departments[1].causes"),
        ("casework.toml", '"已注销", "已更正"', '"已更正", "已更正"', "departments[1].outcomes"),
        ("casework.toml", 'name = "随班就读"', 'name = "随班|就读"', "measures[1].name"),
        ("casework.toml", 'categories = ["J", "L"]', 'categories = ["A"]', "measures[5].categories"),
        ("casework.toml", 'categories = ["I", "J", "K", "L", "M"]', 'categories = ["I"]', "schooling"),
        ("casework.toml", 'departments = ["乡镇（街道）"', "departments = [7", "cases.departments"),
        ("casework.toml", '[[measures]]\nname = "随班就读"', '[[measures]]\nnom = "随班就读"', "measures[1].nom"),
        ("units.csv", "aliases", "aliases,remark", "1:remark"),
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
        ("publication.toml", "k = 5", "k = 2", "threshold.k"),
        ("publication.toml", 'key = "units"', 'key = "sqlite_units"', "tables.sqlite_units.key"),
        ("publication.toml", 'title = "', 'title = "全市\u3000', "tables.city.title"),
        ("publication.toml", 'key = "still"', 'key = "still\u2003so"', "assumptions[1].key"),
        ("campaign.toml", 'id = "', f'id = "{"x" * 60}', "campaign.id"),
        ("publication.toml", "I = 10", "I = 2", "threshold.category.I"),
        ("publication.toml", 'cells = ["city.suspected"]', 'cells = ["santai.suspected"]', "known.cells"),
        ("publication.toml", "I = 10", "Z = 10", "threshold.category.Z"),
        ("publication.toml", 'rows = "unit"\n', 'rows = "unit"\nweight = 1\n', "tables.units.weight"),
        *(
            (
                "publication.toml",
                "[known]\n",
                f'[[areas]]\n{key}\ntitle = "甲"\ntitle_en = "A"\n{parts}\n\n[known]\n',
                place,
            )
            for key, parts, place in AREAS
        ),
        ("publication.toml", 'rows = "city"', 'rows = "sex"', "tables.city.rows"),
        ("publication.toml", 'rows = "unit"', 'rows = "city"', "tables.rows"),
        ("publication.toml", 'cells = ["city.suspected"]', 'cells = ["city.suspectd"]', "known.cells"),
        ("publication.toml", 'cells = ["city.suspected"]', 'cells = ["city.unverified"]', "known.cells"),  # not printed
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


def test_measures_of_a_table_that_overlap_are_named(tmp_path: Path) -> None:
    """Of a table's measures one is part of the other, or they share no state."""
    folder = shutil.copytree(ROOT / "campaign", tmp_path / "campaign")
    path = folder / "publication.toml"
    content = path.read_text(encoding="utf-8").replace(
        "# Tables.", '[[measures]]\nkey = "settled"\nequals = ["deducted", "returned"]\n\n# Tables.'
    )
    path.write_text(
        content.replace('"returned", "still_out"]\ntitle', '"to_return", "settled"]\ntitle'), encoding="utf-8"
    )
    with pytest.raises(FuxueError, match="campaign.bad_value") as caught:
        load_campaign(folder)
    assert caught.value.params["key"] == "tables.city.measures"


@pytest.mark.parametrize("code", "IJKLM")
def test_a_category_to_return_without_a_measure_is_named(tmp_path: Path, code: str) -> None:
    """M17: whoever is to be returned can be given a measure."""
    folder = tmp_path / "campaign"
    shutil.copytree(ROOT / "campaign", folder)
    path = folder / "casework.toml"
    measures, heading, rest = path.read_text(encoding="utf-8").partition("[[schooling]]")

    def without(found: re.Match[str]) -> str:
        left = [one for one in re.findall("[A-M]", found[1]) if one != code]
        return f"categories = {json.dumps(left)}" if left else f'categories = ["{"M" if code == "I" else "I"}"]'

    path.write_text(re.sub(r"categories = \[(.*)\]", without, measures) + heading + rest, encoding="utf-8")
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    expected = {
        "file": "casework.toml",
        "key": "measures",
        "expected": f"at least one for {code}",
        "expected_zh": f"{code} 类至少有一项",
    }
    assert caught.value.params == expected


@pytest.mark.parametrize(
    "file", ["campaign.toml", "units.csv", "categories.csv", "rules.toml", "publication.toml", "casework.toml"]
)
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
