"""Days on the command line: written 2019-02-26 and in no other way."""

import datetime as dt

import click

from etl.cli.texts import text
from etl.dates import parse_date


class Day(click.DateTime):
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


DAY = Day()
