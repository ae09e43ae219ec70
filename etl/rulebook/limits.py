"""What a returned workbook may be. Its own module, of the standard library alone: hostile files are read under it."""

from dataclasses import dataclass
from typing import Annotated, Any


class Core:
    """For pydantic, which reads this of an annotation: what stands in the file, in the words of its core schemas."""

    def __init__(self, kind: str, **bounds: object) -> None:
        self.schema = {"type": kind, "strict": True, **bounds}

    def __get_pydantic_core_schema__(self, *_: Any) -> Any:
        """The schema that takes the place of the type's own."""
        return self.schema


def whole(least: int, most: int) -> Core:
    """A whole number from `least` to `most`."""
    return Core("int", ge=least, le=most)


@dataclass(frozen=True)
class Limits:
    """How large, deep and slow a returned workbook may be, what it may give, and whether it may hold macros.

    No more than the system, the libraries and a sheet can hold.
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
