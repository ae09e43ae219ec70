"""One strict form of a date everywhere, and the forms in which people write one into a cell."""

import datetime as dt
import re

import pytest
from click.testing import CliRunner

from etl.cli.main import main
from etl.forms.id_number import birth_of, is_valid
from etl.system.dates import parse_date, parse_written
from tests.support.homes import ROOT

WHY = "^no date$|^month|^day|^year"  # and never what was written
DAY = dt.date(2019, 2, 6)
#: What Python's own parsers or `\d` take for a date, and no form of ours.
STRANGE = ["20190206", "2019-W06-3", "2019W063", "2019-W06", "2019-037", "２０１９-02-06", "٢٠١٩-٠٢-٠٦", "2019-02-06 0",
           "2019-02-06T00:00", "+2019-02-06", "2019-02-06 ", " 2019-02-06", "2019-02-06\n", "19-02-06", "02019-02-06",
           "2019--2-6", "2019-2_1-06", "", "2019-02-30", "2019-13-01", "0000-01-01", "2019-02", "43502"]  # fmt: skip


def test_a_date_is_year_month_day_in_ascii_digits() -> None:
    assert parse_date("2019-02-06") == DAY


@pytest.mark.parametrize("text", [*STRANGE, "2019-2-6", "2019/02/06", "2019年2月6日"])
def test_no_other_text_is_a_date(text: str) -> None:
    with pytest.raises(ValueError, match=WHY):
        parse_date(text)


@pytest.mark.parametrize("text", ["2019-02-06", "2019-2-6", "2019/2/6", "2019.2.6", "2019年2月6日", "2019年02月06",
                                  "2019 年 2 月 6 日"])  # fmt: skip
def test_a_person_writes_a_date_in_several_ways(text: str) -> None:
    assert parse_written(text) == DAY


@pytest.mark.parametrize("text", STRANGE)
def test_nothing_else_is_taken_for_a_written_date(text: str) -> None:
    with pytest.raises(ValueError, match=WHY):
        parse_written(text)


@pytest.mark.parametrize("number", [
    "21028120030230001X", "210281+20030115000", "210281 2003011500", "21028120_30115000", "210281２００３0115000X",
])  # fmt: skip
def test_a_birth_date_is_digits_and_nothing_that_reads_as_a_number(number: str) -> None:
    assert birth_of(number) is None
    assert not is_valid(number)


@pytest.mark.parametrize("given", ["20190206", "2019-W06-3", "2019-2-6", "２０１９-02-06", "2019-02-30"])
@pytest.mark.parametrize("command", [["status", "--as-of"], ["vault", "purge", "--by", "甲", "--before"],
                                     ["staff", "audit", "export", "--since"]])  # fmt: skip
def test_a_day_on_the_command_line_is_written_in_that_form_alone(command: list[str], given: str) -> None:
    done = CliRunner().invoke(main, [*command, given])
    assert done.exit_code == 2
    assert "2019-02-26" in done.output
    assert "日期请写成" in done.output


def test_no_other_module_makes_a_date_of_a_text() -> None:
    """The parsers of the standard library take forms that nobody means (released.py guards its own, written by us)."""
    own = {"etl/system/dates.py", "etl/exchange/release.py"}
    lenient = re.compile(r"fromisoformat\(|strptime\(|fromisocalendar\(|click\.DateTime\(\[")
    found = [
        str(path.relative_to(ROOT))
        for room in ("etl", "plugins")
        for path in sorted((ROOT / room).rglob("*.py"))
        if lenient.search(path.read_text(encoding="utf-8"))
    ]
    assert set(found) <= own
