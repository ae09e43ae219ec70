"""What a mistake in the campaign's files says was expected: a plain table, in Chinese and in English."""

import pickle
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from etl.findings import FuxueError
from etl.publish.site_identity import _Site
from etl.rulebook.campaign import Campaign, Category, Particulars, Unit, load_campaign
from etl.rulebook.datafile import _declared, checked
from etl.rulebook.departments import Casework
from etl.rulebook.flag_rules import Inspection
from etl.rulebook.limits import Limits
from etl.rulebook.publication import Publication
from etl.rulebook.rules import RuleBook
from etl.workflow.texts import error_texts
from tests.support.homes import ROOT

TEXTS: Mapping[str, Mapping[str, str]] = tomllib.loads(
    (ROOT / "etl/rulebook/expected.toml").read_text(encoding="utf-8")
)
SHAPES = (Particulars, RuleBook, Casework, Inspection, Publication, _Site, dict[int, Unit], dict[int, Category])
#: Words of the files themselves, which are written the same in Chinese.
NAMES = {
    "true", "false", "noticed", "verification_due", "reports_due", "first", "last", "dates", "deducted", "to_return",
    "error", "ranges", "sqlite_", "rows", "verified", "city", "suspected", "fixed", "grows", "UTF",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_every_expectation_is_said_in_chinese_and_in_english(name: str) -> None:
    text = TEXTS[name]
    assert set(text) == {"zh", "en"}
    assert re.search("[\u4e00-\u9fff]", text["zh"])
    assert not re.search("[\u4e00-\u9fff，。：；、（）“]", text["en"].replace("“|”", ""))
    words = re.findall(r"[A-Za-z_]{3,}", re.sub(r"{\w+}", "", text["zh"]))
    assert set(words) <= NAMES
    assert set(re.findall(r"{(\w+)}", text["zh"])) <= {*re.findall(r"{(\w+)}", text["en"]), "line"}


def nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every description in a JSON Schema."""
    if isinstance(schema, Mapping):
        if "type" in schema or "says" in schema:
            yield schema
        for inner in schema.values():
            yield from nodes(inner)


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_is_declared_has_its_expectation(shape: Any) -> None:
    found = list(nodes(_declared(shape)[1]))
    assert found
    for node in found:
        kind = node.get("says") or ("enum" if "enum" in node else node["type"])
        assert kind == "string" or kind in TEXTS


def test_whatever_a_check_reports_is_in_the_table_and_the_table_holds_nothing_else() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for room in ("rulebook", "publish")
                     for path in (ROOT / "etl" / room).glob("*.py"))  # fmt: skip
    named = {name for name in TEXTS if f'"{name}"' in code}
    assert set(TEXTS) - named <= {"integer", "number", "boolean", "object"}  # which are JSON Schema's own


def test_each_language_has_its_own_expectation() -> None:
    error = FuxueError("campaign.bad_value", file="f", key="k", expected="a date", expected_zh="日期")
    assert error_texts(error) == ("f 中“k”不对，应为：日期", "f: k is wrong or missing; expected a date")


def test_a_reader_of_hostile_files_does_without_pydantic() -> None:
    code = "import sys, etl.read.worker; print([name for name in sys.modules if name.startswith('pydantic')])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_what_is_declared_is_an_ordinary_dataclass(campaign: Campaign) -> None:
    """It can be changed and handed to another process; only what is read from a file is validated."""
    changed = replace(campaign, publication=replace(campaign.publication, k=1))
    assert pickle.loads(pickle.dumps(changed)) == changed != campaign  # noqa: S301 - made in this line
    assert type(campaign.limits) is Limits


@pytest.mark.parametrize("key", ["[key]", "place.county", "", "a b"])
def test_a_key_of_any_name_that_nothing_is_declared_for_is_reported(key: str) -> None:
    data = tomllib.loads((ROOT / "campaign/campaign.toml").read_text(encoding="utf-8"))
    with pytest.raises(FuxueError, match="campaign.bad_value") as caught:
        checked("campaign.toml", {**data, key: "x"}, Particulars)
    assert key in str(caught.value.params["key"])
    assert str(caught.value.params["expected"]).startswith("no such key")
    with pytest.raises(FuxueError, match="campaign.bad_value") as caught:
        checked("campaign.toml", {**data, "limits": {**data["limits"], key: 1}}, Particulars)
    assert caught.value.params["key"] == f"limits.{key}"


def test_a_table_without_rows_and_one_in_another_encoding_differ_from_wrong_columns(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "campaign", tmp_path / "campaign"))
    units = (folder / "units.csv").read_text(encoding="utf-8")
    (folder / "units.csv").write_text(units.splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    assert error_texts(caught.value)[0] == "units.csv 中“2”不对，应为：至少一行数据"
    (folder / "units.csv").write_text(units, encoding="gbk")
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    assert "请另存为 UTF-8" in error_texts(caught.value)[0]
