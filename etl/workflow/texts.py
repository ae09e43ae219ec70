"""The message catalogue of the command line: Chinese first, English second (`texts.toml`)."""

import tomllib
from functools import cache
from importlib import resources

from etl.findings import FuxueError


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("etl.workflow").joinpath("texts.toml").read_text(encoding="utf-8"))


def text(key: str, language: str = "zh", /, **params: object) -> str:
    """The text of a key, filled. KeyError if the catalogue lacks it (a test compares code and catalogue).

    A parameter that is itself a text is given twice, in English as `name` and in Chinese as `name_zh`.
    """
    own = {name.removesuffix("_zh"): value for name, value in params.items() if name.endswith("_zh")}
    return _catalogue()[key][language].format(**params | (own if language == "zh" else {}))


def error_texts(error: FuxueError) -> tuple[str, str]:
    """What an error says, in Chinese and in English; its bare key if the catalogue lacks it."""
    if error.key not in _catalogue():
        return error.key, error.key
    return text(error.key, "zh", **error.params), text(error.key, "en", **error.params)
