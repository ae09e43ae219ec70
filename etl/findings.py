"""Faults in data are findings; faults of a run are errors. Neither ever holds a child's name or ID number."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding does to its workbook: an error refuses it, a warning is kept with the row, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One fault, at one place, in words that a clerk can act on.

    `serial` is the 原始序号 of the row or None; `cell` is an address such as ``J7`` or empty for a whole file.
    """

    rule: str
    severity: Severity
    file: str
    message: str
    message_en: str
    sheet: str = ""
    cell: str = ""
    serial: str | None = None

    @property
    def place(self) -> str:
        """File, sheet and cell as a person reads them."""
        return " ".join(part for part in (self.file, self.sheet, self.cell) if part)


class FuxueError(Exception):
    """A run that cannot go on. `key` names a text in `texts.toml`; `params` fill it; `code` is the exit code."""

    def __init__(self, key: str, /, *, code: int = 2, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.code = code
        self.params = params

    def __str__(self) -> str:
        """The key and its parameters, for a developer; `build.py` prints the catalogue's text."""
        return f"{self.key} {self.params}" if self.params else self.key


def has_errors(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """True if one of the findings refuses its workbook."""
    return any(finding.severity is Severity.ERROR for finding in findings)
