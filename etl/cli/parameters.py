"""Kinds of parameters: a day, written 2019-02-26 and in no other way; one of many files that came back."""

import datetime as dt
import os
from pathlib import Path

import click

from etl.system.dates import parse_date
from etl.workflow.texts import text


class DayType(click.DateTime):
    """An option's value as midnight of a day; a wrong one is told in Chinese and English."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        """The day that was written."""
        if isinstance(value, dt.datetime):
            return value
        try:
            return dt.datetime.combine(parse_date(str(value)), dt.time())
        except ValueError:
            self.fail(f"{text('option.day', 'zh')} {text('option.day', 'en')}", param, ctx)


class ReturnedType(click.Path):
    """A file that came back. What cannot be read is found later, as a fault of that file: it must not stop the others.

    A name at which nothing lies is a slip of whoever typed it, and is told at once.
    """

    def __init__(self) -> None:
        super().__init__(exists=True, path_type=Path)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, also of a folder, a broken link or a file that nobody may read."""
        if isinstance(value, str | os.PathLike) and os.path.lexists(value):
            return Path(value)
        return Path(os.fsdecode(super().convert(value, param, ctx)))  # type: ignore[arg-type]


DAY = DayType()
RETURNED_FILE = ReturnedType()
