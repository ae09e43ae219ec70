"""How the command line speaks: lines from the catalogue, JSON, progress bars, errors."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from etl.findings import FuxueError
from etl.system.file_names import visible
from etl.workflow.texts import error_texts, text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_settings = {"quiet": False, "json": False}
_progress: list["Progress"] = []


#: What a run has to say in JSON: one document, however many things are said.
_document: dict[str, Any] = {}


@cache
def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console  # here only: a command that says nothing does not wait for it

    return Console(stderr=stderr, highlight=False)


def configure(*, quiet: bool | None = None, as_json: bool | None = None) -> None:
    """Set how much is said, and in which form, for the whole run."""
    _settings.update({name: value for name, value in (("quiet", quiet), ("json", as_json)) if value is not None})


def end() -> None:
    """Print what is left to say, and leave nothing behind for another run in this process."""
    flush()
    configure(quiet=False, as_json=False)


def flush() -> None:
    """Print the document, if JSON was asked for and there is something to say."""
    if _settings["json"] and _document:
        print(json.dumps(_document, ensure_ascii=False, default=str), flush=True)
    _document.clear()


def say(key: str, /, **params: Any) -> None:
    """One line from the catalogue, or its parameters as JSON."""
    if _settings["json"]:
        result(key, **params)
    elif not _settings["quiet"]:
        _console().print(text(key, **_clean(params)), markup=False, soft_wrap=True)


def escape_markup(words: str) -> str:
    """A text for a table's cell: nothing in it is markup, or steers the terminal."""
    from rich.markup import escape

    return escape(_visible_lines(words))


def _visible_lines(words: str) -> str:
    return "\n".join(map(visible, words.split("\n")))


def _clean(value: Any) -> Any:
    """The same value; texts and paths in it hold only signs that can be shown and encoded, whoever wrote them."""
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    if isinstance(value, str | Path):
        return type(value)(_visible_lines(str(value)))
    if isinstance(value, Mapping):
        return {name: _clean(one) for name, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list | tuple) else value


def result(kind: str, /, **values: Any) -> None:
    """Add to the run's JSON document; the last kind names it."""
    _document.update({"result": kind} | _clean(values))


def fail(error: FuxueError) -> None:
    """What went wrong, in Chinese and English, on stderr; as JSON on stdout too if that was asked for."""
    chinese, english = error_texts(FuxueError(error.key, code=error.code, **_clean(error.params)))
    if _settings["json"]:
        result("error", key=error.key, message=chinese, message_en=english)
    _console(stderr=True).print(f"✗ {chinese}", style="bold red", markup=False, soft_wrap=True)
    _console(stderr=True).print(f"  {english}", style="dim", markup=False, soft_wrap=True)


def asked(question: FuxueError) -> bool:
    """Whether a person at the terminal agrees to go on all the same; False where there is none."""
    if _settings["json"] or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    fail(question)
    return click.confirm("仍要继续 / go on all the same?", default=False, err=True)


def progress_bar(title: str, total: int) -> Callable[[], None]:
    """A progress bar on stderr; call the result once per thing done. Silent where nobody watches."""
    if _settings["quiet"] or not sys.stderr.isatty() or total < 2:
        return lambda: None
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    for old in _progress:
        old.stop()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=_console(stderr=True))
    _progress[:] = [progress]
    task = progress.add_task(title, total=total)
    progress.start()

    def tick() -> None:
        progress.advance(task)
        if progress.finished:
            progress.stop()

    return tick


def wants_json() -> bool:
    """True if one JSON document is asked for in the place of words."""
    return _settings["json"]


def show(what: object, *, always: bool = False) -> None:
    """Print a table or a line as it is, unless it is to be quiet; `always` is for what was asked for or went wrong."""
    if always or not _settings["quiet"]:
        _console().print(what)
