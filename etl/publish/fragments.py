"""Renders parts of pages that depend on few arguments only once; the pages of all units share them."""

from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any

import jinja2

from etl.exchange.release import Release
from etl.publish.charts import BarShape, ShownFigure
from etl.publish.languages import Words


def _value(t: Words, figure: ShownFigure) -> Hashable:
    return t.lang, figure.status, figure.value, figure.low, figure.high


def _chart(bar: BarShape | None, measure: str, height: int = 0) -> Hashable:
    return bar, measure, height


def _kinds(t: Words, kinds: tuple[str, ...] = ()) -> Hashable:
    return t.lang, kinds


def _masthead(t: Words, top: str, release: Release) -> Hashable:
    return t.lang, top, release.name


def _marks(t: Words, page: Any, release: Release) -> Hashable:
    return t.lang, page.above, release.name


def _stamp(t: Words, release: Release) -> Hashable:
    return t.lang, release.name


def _trail(t: Words, top: str, parent: str) -> Hashable:
    return t.lang, top, parent


def _place(t: Words, top: str, page: Any) -> Hashable:
    """The entry of the menu that is marked: the page itself or the page above it."""
    return t.lang, top, page.above, page.path if page.path.count("/") < 2 else ""


#: Macros by template, each with a function that maps its arguments to the key under which its output is reused.
_SHARED: Mapping[str, Mapping[str, Callable[..., Hashable]]] = MappingProxyType(
    {
        "figures.html": {
            "hatching": tuple,
            "value": _value,
            "rects": _chart,
            "chart": _chart,
            "symbols": _kinds,
            "meanings": _kinds,
            "heads": _kinds,
        },
        "macros.html": {"trail": _trail},
        "shell.html": {
            "marks": _marks,
            "masthead": _masthead,
            "entries": _place,
            "foot_of": _place,
            "stamp": _stamp,
        },
    }
)


def reuse_fragments(env: jinja2.Environment) -> None:
    """Make the macros of `_SHARED` return their earlier output when they are called with equal arguments.

    Call this before any template of `env` is used and after all its globals are set.
    """
    for template, macros in _SHARED.items():
        module = env.get_template(template).module
        for name, key in macros.items():
            setattr(module, name, _once(getattr(module, name), key))


def _once(macro: Callable[..., str], key: Callable[..., Hashable]) -> Callable[..., str]:
    known: dict[Hashable, str] = {}

    def shared(*arguments: Any) -> str:
        at = key(*arguments)
        if at not in known:
            known[at] = macro(*arguments)
        return known[at]

    return shared
