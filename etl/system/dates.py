"""Where text becomes a date: one strict form, and the looser ones in which a person may write it into a cell.

Python's own `date.fromisoformat` also takes ``20190226`` and ``2019-W08-1``; a test keeps it out of every other module.
"""

import datetime as dt
import re

ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
#: 2019-02-26, 2019/2/26, 2019.2.26, 2019年2月26日.
WRITTEN = re.compile(r"([0-9]{4})\s*[-./年]\s*([0-9]{1,2})\s*[-./月]\s*([0-9]{1,2})(?:\s*日)?")


def parse_date(text: str) -> dt.date:
    """The date that a text such as ``2019-02-26`` is. ValueError for any other form and for a day that never was."""
    return _date(ISO, text)


def parse_written(text: str) -> dt.date:
    """The date that a person wrote in one of the forms of `WRITTEN`. ValueError for everything else."""
    return _date(WRITTEN, text)


def _date(form: re.Pattern[str], text: str) -> dt.date:
    found = form.fullmatch(text)
    if found is None:
        raise ValueError("no date")  # what was written there is not repeated: it may be a name
    year, month, day = map(int, found.groups())
    return dt.date(year, month, day)
