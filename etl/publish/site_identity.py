"""Who is responsible for the site (a legal requirement for government sites in China), and what follows from a result.

Both are read from ``campaign/site.toml``. A field that is not filled in is shown as such or, in production, refused.
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
#: Placeholder texts for a missing value; a field that contains one counts as not valid.
UNFILLED = re.compile(r"待填|to be filled in", re.I)


def _field(pattern: str) -> Is:
    def is_fit(value: str) -> bool:
        # The "x" in front lets a telephone number begin like a formula; it is never written into a spreadsheet.
        return not value or (is_text(f"x{value}") and not UNFILLED.search(value) and bool(re.fullmatch(pattern, value)))

    return Is(is_fit, "pattern_or_empty", pattern=pattern)


@dataclass(frozen=True)
class _Fields:
    # The host name, followed by the folder of the site unless it is at the top.
    domain: Annotated[str, _field(r"([a-z0-9-]+\.)+[a-z0-9-]+(/[A-Za-z0-9~_-][A-Za-z0-9._~-]*)*")]
    id_code: Annotated[str, _field(r"[A-Za-z0-9]{10}")]
    icp: Annotated[str, _field(r"\S*ICP[备证]\S+")]
    police: Annotated[str, _field(r"\S*公网安备 ?[0-9]+号")]
    phone: Annotated[str, _field(r"[0-9()（）+、 -]*[0-9][0-9()（）+、 -]*")]
    email: Annotated[str, _field(r"[^@\s]+@[^@\s]+")]
    address: Annotated[str, _field(r"\w|\S.*\w.*\S|\w.*\S|\S.*\w")]


@dataclass(frozen=True)
class _Site:
    identity: _Fields
    follows: Mapping[Annotated[str, one_of(GROUP_OF)], Annotated[tuple[Text, Text], Is(bool, "pair")]]


#: The names of the fields that must be filled in.
FIELDS = tuple(field.name for field in fields(_Fields))


@dataclass(frozen=True)
class Identity:
    """The fields of `FIELDS` (empty if not filled in), and what follows from each category, by code and language."""

    fields: Mapping[str, str]
    follows: Mapping[str, Mapping[str, str]]

    @property
    def unfilled(self) -> tuple[str, ...]:
        """The names of the fields that are not filled in yet."""
        return tuple(name for name in FIELDS if not self.fields[name])

    @property
    def domain(self) -> str:
        """The host name, without the folder of the site."""
        return self.fields["domain"].partition("/")[0]

    @property
    def base(self) -> str:
        """The site's address, ending with a slash; empty while its domain is not known."""
        domain = self.fields["domain"]
        return f"https://{domain}/" if domain else ""


def load_identity(campaign: Path, categories: Iterable[str], *, production: bool = False) -> Identity:
    """Read site.toml in the folder `campaign`; `categories` are the codes that it must explain.

    Raises FuxueError if the file is not valid or, in `production`, ``publish.unfilled`` if a field is not filled in.
    """
    site = load_toml(campaign / _FILE, _Site)
    for code in categories:
        if code not in site.follows:
            raise bad_value(_FILE, f"follows.{code}", "pair")
    follows = {code: dict(zip(("zh", "en"), site.follows[code], strict=True)) for code in categories}
    identity = Identity(vars(site.identity), follows)
    if production and identity.unfilled:
        raise FuxueError("publish.unfilled", file=_FILE, fields="、".join(f"identity.{f}" for f in identity.unfilled))
    return identity
