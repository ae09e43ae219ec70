"""The bureau's letters as pages: what `print/letter.typ` is given (texts: `letters.toml`)."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Reminder:
    """What a unit has not done by the due day.

    `work` are numbers by the keys of ``[reminder.work]``; `owed` are (document, on what, state, day, who received it);
    `returns` are (serial, name, keys of what is missing).
    """

    work: Mapping[str, int]
    owed: Sequence[tuple[str, str, str, str, str]] = ()
    returns: Sequence[tuple[str, str, Sequence[str]]] = ()

    @property
    def numbers(self) -> dict[str, int]:
        """How much is left of each kind: the `work`, documents ``owed``, ``returns`` that nothing shows."""
        return {**self.work, "owed": len(self.owed), "returns": len(self.returns)}

    @property
    def is_due(self) -> bool:
        """Whether anything is left to remind of."""
        return any(self.numbers.values())


@cache
def letter_words() -> dict[str, Any]:
    """The content of `letters.toml`."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def letter_page(kind: str, to: str, sender: str, day: str, facts: Mapping[str, object], tables: Any) -> dict[str, Any]:
    """The data of a letter: its title and paragraphs are those of `kind`, filled in with `facts`."""
    words = letter_words()
    return {
        "title": words[kind]["title"],
        "sign": words["sign"],
        "flipped": words[kind]["flipped"],
        "to": to,
        "paragraphs": [one.format(**facts) for one in words[kind]["paragraphs"]],
        "tables": tables,
        "from": sender,
        "date": day,
        "receipt": [(name, "") for name in words["receipt"]],
    }


def notice_table(rows: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """The table of a correction notice: `rows` are texts by key of the corrections form, `cause` if it is known."""
    words = letter_words()["notice"]
    keys = ("reference", "name", "sex", "id_number", "household", "category")
    lines = [
        [*(row[key] for key in keys), row.get("cause", ""), words["asked_again" if row.get("cause") else "asked"]]
        for row in rows
    ]
    return [_table(words["table"].format(count=len(rows)), words, lines)]


def reminder_tables(reminder: Reminder) -> list[dict[str, Any]]:
    """The tables of a reminder, without those that would be empty."""
    words = letter_words()["reminder"]
    work = [[words["work"][key], str(number)] for key, number in reminder.work.items() if number]
    owed = [
        [what, medium, words["owed"][state].format(day=day, by=by)] for what, medium, state, day, by in reminder.owed
    ]
    returns = [
        [serial, name, "、".join(words["returns"][key] for key in missing)]
        for serial, name, missing in reminder.returns
    ]
    filled = (("work", work), ("owed", owed), ("returns", returns))
    return [_table(words[name]["title"], words[name], lines) for name, lines in filled if lines]


def _table(title: str, words: Mapping[str, Any], lines: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {
        "title": title,
        "heads": words["heads"],
        "columns": words["columns"],
        "rows": [list(line) for line in lines],
    }
