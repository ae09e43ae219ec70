"""The two languages of the site: message catalogues, the form of numbers and dates, names from the campaign."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from etl.exchange.release import Release
from etl.findings import FuxueError
from etl.rulebook.datafile import read_toml

#: The pages of the first language are at the root of the site.
LANGUAGES = ("zh", "en")
_TAGS = {"zh": "zh-CN", "en": "en"}
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class Words:
    """The texts of one language, by dotted key. Calling it returns a text; a missing key is an error."""

    lang: str
    messages: Mapping[str, str]
    _plain: dict[str, str] = field(default_factory=dict, repr=False, compare=False)

    def __call__(self, key: str, **params: object) -> str:
        """The text at `key`, filled with `params`. Raises FuxueError ``publish.no_text`` if there is none."""
        if params:
            return self._pattern(key).format(**params)
        if key not in self._plain:
            self._plain[key] = self._pattern(key).format()
        return self._plain[key]

    def html(self, key: str, **params: object) -> Markup:
        """The text at `key` as HTML, filled with `params`; those that are `Markup` are not escaped."""
        return escape(self._pattern(key)).format(**params)

    def _pattern(self, key: str) -> str:
        if key not in self.messages:
            raise FuxueError("publish.no_text", text=key, language=self.lang)
        return self.messages[key]

    def count(self, key: str, number: int) -> str:
        """The text for a quantity: `key`.one or `key`.other, filled with the number as ``n``."""
        return self(f"{key}.{'one' if number == 1 else 'other'}", n=self.number(number))

    @property
    def tag(self) -> str:
        """The language tag for HTML, such as ``zh-CN``."""
        return _TAGS[self.lang]

    @property
    def prefix(self) -> str:
        """The folder of this language's pages, relative to the site's root."""
        return "" if self.lang == LANGUAGES[0] else f"{self.lang}/"

    def number(self, value: int) -> str:
        """A whole number with thousands separators."""
        return f"{value:,}"

    def date(self, day: dt.date) -> str:
        """A date with its year."""
        if self.lang == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def day(self, day: dt.date) -> str:
        """A date without its year."""
        return f"{day.month}月{day.day}日" if self.lang == "zh" else f"{day.day} {_MONTHS[day.month - 1][:3]}"

    def dated(self, release: Release, *, twice: bool, full: bool = False) -> str:
        """A release's day, with its year if `full`; `twice` adds the release number, if another has the same day."""
        day = self.date(release.as_of) if full else self.day(release.as_of)
        return self("head.numbered", date=day, number=release.name) if twice else day

    def of(self, item: Any, field: str = "name") -> str:
        """The text of a field of campaign data (an object or a mapping) that exists as `field` and `field`_en."""
        name = field if self.lang == "zh" else f"{field}_en"
        return str(item[name] if isinstance(item, Mapping) else getattr(item, name))


def load_words(templates: Path) -> tuple[Words, ...]:
    """Both languages, Chinese first, from ``messages.<lang>.toml`` in `templates`."""
    return tuple(Words(lang, flatten(read_toml(templates / f"messages.{lang}.toml"))) for lang in LANGUAGES)


def flatten(tree: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Flatten nested tables of texts to one mapping with dotted keys. Raises FuxueError if a value is not a text."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{before}{key}.")
        elif isinstance(value, str):
            flat[before + key] = value
        else:
            raise FuxueError("publish.no_text", text=before + key, language="")
    return flat
