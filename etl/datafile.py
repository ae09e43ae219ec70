"""Typed look-ups in the campaign's TOML files; every failure names the file, the key and what was expected."""

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from etl.findings import FuxueError


@dataclass(frozen=True)
class Reader:
    """Typed look-ups in one TOML file; every failure names file, key and what was expected."""

    path: Path
    data: Mapping[str, Any]

    def fail(self, key: str, expected: str) -> NoReturn:
        """Raise the error that names this file and `key`."""
        raise FuxueError("campaign.bad_value", file=self.path.name, key=key, expected=expected)

    def value(self, key: str, expected: str) -> Any:
        """The value at a dotted key."""
        node: Any = self.data
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                self.fail(key, expected)
            node = node[part]
        return node

    def text(self, key: str, pattern: str = r"(?s).*\S.*") -> str:
        """A non-empty string, or one that matches `pattern`."""
        value = self.value(key, "text")
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            self.fail(key, f"text matching {pattern}")
        return value

    def date(self, key: str) -> dt.date:
        """A TOML date such as 2019-02-19."""
        value = self.value(key, "a date, such as 2019-02-19")
        if type(value) is not dt.date:
            self.fail(key, "a date, such as 2019-02-19")
        return value

    def count(self, key: str) -> int:
        """A whole number above zero."""
        value = self.value(key, "a whole number > 0")
        if type(value) is not int or value <= 0:
            self.fail(key, "a whole number > 0")
        return value

    def flag(self, key: str) -> bool:
        """Either true or false."""
        value = self.value(key, "true or false")
        if not isinstance(value, bool):
            self.fail(key, "true or false")
        return value


def read_toml(path: Path) -> Mapping[str, Any]:
    """A TOML file of the campaign as a mapping."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FuxueError("campaign.missing_file", file=path.name) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FuxueError("campaign.bad_toml", file=path.name, reason=str(error)) from None
