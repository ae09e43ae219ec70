"""Limits of a returned workbook. The module imports the standard library only, since reader processes load it."""

from dataclasses import dataclass
from typing import Annotated, Any


class Core:
    """An annotation for pydantic that gives a field's core schema: a type (`kind`), strictly, and its bounds."""

    def __init__(self, kind: str, **bounds: object) -> None:
        self.schema = {"type": kind, "strict": True, **bounds}

    def __get_pydantic_core_schema__(self, *_: Any) -> Any:
        """The schema that replaces the one of the type."""
        return self.schema


def whole(least: int, most: int) -> Core:
    """A whole number from `least` to `most`."""
    return Core("int", ge=least, le=most)


@dataclass(frozen=True)
class Limits:
    """Limits of reading a returned workbook; `campaign.toml` explains each.

    The bounds of the limits themselves are what the system, the libraries and a sheet can handle.
    """

    file_bytes: Annotated[int, whole(1, 1 << 40)]
    unpacked_bytes: Annotated[int, whole(1, 1 << 40)]
    rows: Annotated[int, whole(1, 1_048_576)]
    cell_characters: Annotated[int, whole(1, 32_767)]
    seconds: Annotated[int, whole(1, 86_400)]
    memory_bytes: Annotated[int, whole(1, 1 << 44)]
    answer_bytes: Annotated[int, whole(1, 1 << 31)]
    spin_count: Annotated[int, whole(1, 10_000_000)]
    allow_macros: Annotated[bool, Core("bool")]
