"""The texts of the command line, in Chinese and English (`texts.toml`)."""

from functools import cache
from pathlib import Path

from etl.findings import FuxueError


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    import tomllib  # imported here, because `--help` prints no text of the catalogue

    return tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))


def text(key: str, language: str = "zh", /, **params: object) -> str:
    """The text of a key, with its parameters filled in. KeyError if it is missing; a test compares code and texts.

    A parameter that is itself a text is passed twice, in English as `name` and in Chinese as `name_zh`.
    """
    own = {name.removesuffix("_zh"): value for name, value in params.items() if name.endswith("_zh")}
    return _catalogue()[key][language].format(**params | (own if language == "zh" else {}))


def error_texts(error: FuxueError) -> tuple[str, str]:
    """An error's text in Chinese and in English; its key if it has no text."""
    if error.key not in _catalogue():
        return error.key, error.key
    return text(error.key, "zh", **error.params), text(error.key, "en", **error.params)
