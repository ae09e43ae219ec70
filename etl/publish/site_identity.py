"""Who answers for the site, as a government site in China must say, and what follows from a result.

Both come from ``campaign/site.toml``; nothing is made up: what is not filled in is said to be so, or stops the run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from etl.findings import FuxueError
from etl.rulebook.datafile import load_toml
from etl.rulebook.declared import GROUP_OF, Is, Text, is_text, one_of
from etl.rulebook.mistakes import bad_value

_FILE = "site.toml"
#: What stands where nothing was filled in: whoever wrote it down himself has not filled it in either.
UNFILLED = re.compile(r"待填|to be filled in", re.I)


def _field(pattern: str) -> Is:
    def is_fit(value: str) -> bool:
        # A telephone number may begin like a formula: it is never written into a cell.
        return not value or (is_text(f"x{value}") and not UNFILLED.search(value) and bool(re.fullmatch(pattern, value)))

    return Is(is_fit, "pattern_or_empty", pattern=pattern)


@dataclass(frozen=True)
class _Fields:
    # Behind it the folder that the site lies in, if it does not lie at the top.
    domain: Annotated[str, _field(r"([a-z0-9-]+\.)+[a-z0-9-]+(/[A-Za-z0-9~_-][A-Za-z0-9._~-]*)*")]
    id_code: Annotated[str, _field(r"[A-Za-z0-9]{10}")]
    icp: Annotated[str, _field(r"\S*ICP[备证]\S+")]
    police: Annotated[str, _field(r"\S*公网安备 ?[0-9]+号")]
    phone: Annotated[str, _field(r"[0-9()（）+、 -]*[0-9][0-9()（）+、 -]*")]
    email: Annotated[str, _field(r"[^@\s]+@[^@\s]+")]
    address: Annotated[str, _field(r"\S|\S.*\S")]


@dataclass(frozen=True)
class _Site:
    identity: _Fields
    follows: Mapping[Annotated[str, one_of(GROUP_OF)], Annotated[tuple[Text, Text], Is(bool, "pair")]]


#: What must be filled in.
FIELDS = tuple(field.name for field in fields(_Fields))


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
    site = load_toml(campaign / _FILE, _Site)
    for code in categories:
        if code not in site.follows:
            raise bad_value(_FILE, f"follows.{code}", "pair")
    follows = {code: dict(zip(("zh", "en"), site.follows[code], strict=True)) for code in categories}
    identity = Identity(vars(site.identity), follows)
    if production and identity.unfilled:
        raise FuxueError("publish.unfilled", file=_FILE, fields="、".join(f"identity.{f}" for f in identity.unfilled))
    return identity
