"""Types of command-line parameters: a day in the form 2019-02-26, and the path of a returned file."""

import datetime as dt
import os
from pathlib import Path

import click

from etl.system.dates import parse_date
from etl.workflow.texts import text


class DayType(click.DateTime):
    """A day, as a datetime at midnight. An invalid value gets a message in Chinese and English."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """Parse a day."""
        if isinstance(value, dt.datetime):
            return value
        try:
            return dt.datetime.combine(parse_date(str(value)), dt.time())
        except ValueError:
            self.fail(f"{text('option.day', 'zh')} {text('option.day', 'en')}", param, ctx)


class ReturnedType(click.Path):
    """The path of a returned file. It must exist.

    A file that cannot be read is accepted here and gets a finding later, so that the other files are still read.
    """

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, also of a folder, a broken link or an unreadable file. A usage error if there is nothing."""
        if isinstance(value, str | os.PathLike) and os.path.lexists(value):
            return Path(value)
        return Path(os.fsdecode(super().convert(value, param, ctx)))  # type: ignore[arg-type]


DAY = DayType()
RETURNED_FILE = ReturnedType()
