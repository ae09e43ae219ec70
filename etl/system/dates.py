"""Parsing of dates: the strict form YYYY-MM-DD, and the looser forms in which people write dates into cells.

Python's own `date.fromisoformat` also accepts ``20190226`` and ``2019-W08-1``; a test forbids its use in other modules.
"""

import datetime as dt
import re

ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
#: Forms such as 2019-02-26, 2019/2/26, 2019.2.26 and 2019年2月26日.
WRITTEN = re.compile(r"([0-9]{4})\s*[-./年]\s*([0-9]{1,2})\s*[-./月]\s*([0-9]{1,2})(?:\s*日)?")


def parse_date(text: str) -> dt.date:
    """Parse a text such as ``2019-02-26``. ValueError for any other form and for a day that does not exist."""
    return _date(ISO, text)


def parse_written(text: str) -> dt.date:
    """Parse a date in one of the forms of `WRITTEN`. ValueError for any other form or a day that does not exist."""
    return _date(WRITTEN, text)


def _date(form: re.Pattern[str], text: str) -> dt.date:
    found = form.fullmatch(text)
    if found is None:
        raise ValueError("no date")  # the text is not repeated, because it may be a name
    year, month, day = map(int, found.groups())
    return dt.date(year, month, day)
