"""Who answers for the site, as a government site in China must say, and what follows from a result.

Both come from ``campaign/site.toml``; nothing is made up: what is not filled in is said to be so, or stops the run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from etl.findings import FuxueError
from etl.rulebook.campaign import GROUP_OF
from etl.rulebook.datafile import Reader, is_text, read_toml

_FILE = "site.toml"
#: What must be filled in, and how it looks.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        # Behind it the folder that the site lies in, if it does not lie at the top.
        "domain": r"([a-z0-9-]+\.)+[a-z0-9-]+(/[A-Za-z0-9~_-][A-Za-z0-9._~-]*)*",
        "id_code": r"[A-Za-z0-9]{10}",
        "icp": r"\S*ICP[备证]\S+",
        "police": r"\S*公网安备 ?[0-9]+号",
        "phone": r"[0-9()（）+、 -]*[0-9][0-9()（）+、 -]*",
        "email": r"[^@\s]+@[^@\s]+",
        "address": r"\S|\S.*\S",
    }
)
#: What stands where nothing was filled in: whoever wrote it down himself has not filled it in either.
UNFILLED = re.compile(r"待填|to be filled in", re.I)


@dataclass(frozen=True)
class Identity:
    """The fields of `FIELDS`, empty where nothing is known; what follows from a category, in Chinese and English."""

    fields: Mapping[str, str]
    follows: Mapping[str, Mapping[str, str]]

    @property
    def unfilled(self) -> tuple[str, ...]:
        """The fields that nobody has filled in yet."""
        return tuple(name for name in FIELDS if not self.fields[name])

    @property
    def domain(self) -> str:
        """The host's name alone, without the folder that the site may lie in."""
        return self.fields["domain"].partition("/")[0]

    @property
    def base(self) -> str:
        """The site's address with a slash behind it; empty while its domain is not known."""
        domain = self.fields["domain"]
        return f"https://{domain}/" if domain else ""


def load_identity(campaign: Path, categories: Iterable[str], *, production: bool = False) -> Identity:
    """Read `campaign`/site.toml; in `production` FuxueError ``publish.unfilled`` names every field without content."""
    get = Reader(campaign / _FILE, read_toml(campaign / _FILE))
    for table, names in (("", ("identity", "follows")), ("identity", FIELDS), ("follows", GROUP_OF)):
        get.only(table, names)
    identity = Identity(
        {name: _field(get, name, pattern) for name, pattern in FIELDS.items()},
        {code: _both(get, f"follows.{code}") for code in categories},
    )
    if production and identity.unfilled:
        raise FuxueError("publish.unfilled", file=_FILE, fields="、".join(f"identity.{f}" for f in identity.unfilled))
    return identity


def _field(get: Reader, name: str, pattern: str) -> str:
    value = get.value(f"identity.{name}", "text")
    # A telephone number may begin like a formula: it is never written into a cell.
    if not isinstance(value, str) or (value and not (is_text(f"x{value}") and _is_filled(value, pattern))):
        get.fail(f"identity.{name}", f"text matching {pattern}, or empty")
    return value


def _is_filled(value: str, pattern: str) -> bool:
    return UNFILLED.search(value) is None and re.fullmatch(pattern, value) is not None


def _both(get: Reader, key: str) -> dict[str, str]:
    texts = get.value(key, "two texts, Chinese and English")
    if not (isinstance(texts, list) and len(texts) == 2 and all(isinstance(t, str) and is_text(t) for t in texts)):
        get.fail(key, "two texts, Chinese and English")
    return dict(zip(("zh", "en"), texts, strict=True))
