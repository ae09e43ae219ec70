"""Findings (faults in data) and errors (a command cannot go on). Neither contains a child's name or ID number."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a finding means for its workbook: an error refuses it, a warning is kept with the row, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One fault at one place of a file, with a message that says how to mend it.

    `serial` is the 原始序号 of the row or None; `cell` is an address such as ``J7``, or empty for the whole file.
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
        """File, sheet and cell in one line, for people."""
        return " ".join(part for part in (self.file, self.sheet, self.cell) if part)


class FuxueError(Exception):
    """A command cannot go on. `key` names a text in `texts.toml`, `params` fill it, `code` is the exit code."""

    def __init__(self, key: str, /, *, code: int = 2, **params: object) -> None:
        super().__init__(key)
        self.key = key
        self.code = code
        self.params = params

    def __str__(self) -> str:
        """The key and its parameters, for developers; `build.py` prints the text of `texts.toml` instead."""
        return f"{self.key} {self.params}" if self.params else self.key


def has_errors(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """True if one of the findings refuses its workbook."""
    return any(finding.severity is Severity.ERROR for finding in findings)
