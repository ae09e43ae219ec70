"""Output of the command line: lines from `texts.toml`, JSON, progress bars, errors."""

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


#: The JSON output of a run, which is always a single document.
_document: dict[str, Any] = {}


@cache
def _console(*, stderr: bool = False) -> "Console":
    from rich.console import Console  # imported here, because it is slow and not every command prints

    return Console(stderr=stderr, highlight=False)


def configure(*, quiet: bool | None = None, as_json: bool | None = None) -> None:
    """Set for the whole run how much is printed, and if it is JSON; None leaves a setting unchanged."""
    _settings.update({name: value for name, value in (("quiet", quiet), ("json", as_json)) if value is not None})


def end() -> None:
    """Print the JSON document, if any, and reset the settings for another run in this process."""
    flush()
    configure(quiet=False, as_json=False)


def flush() -> None:
    """Print the JSON document and clear it, if JSON was asked for and the document is not empty."""
    if _settings["json"] and _document:
        import json  # imported here, like rich: not every command prints it

        print(json.dumps(_document, ensure_ascii=False, default=str), flush=True)
    _document.clear()


def say(key: str, /, **params: Any) -> None:
    """Print the text of a key in `texts.toml`, or add its parameters to the JSON document."""
    if _settings["json"]:
        result(key, **params)
    elif not _settings["quiet"]:
        _console().print(text(key, **_clean(params)), markup=False, soft_wrap=True)


def escape_markup(content: str) -> str:
    """A text for a table's cell, in which nothing is taken for markup or controls the terminal."""
    from rich.markup import escape

    return escape(_visible_lines(content))


def _visible_lines(content: str) -> str:
    return "\n".join(map(visible, content.split("\n")))


def _clean(value: Any) -> Any:
    """The same value, with only visible and encodable characters in all its texts and paths."""
    if isinstance(value, bytes):
        value = os.fsdecode(value)
    if isinstance(value, str | Path):
        return type(value)(_visible_lines(str(value)))
    if isinstance(value, Mapping):
        return {name: _clean(one) for name, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list | tuple) else value


def result(kind: str, /, **values: Any) -> None:
    """Add values to the run's JSON document; its `result` is the `kind` of the last call."""
    _document.update({"result": kind} | _clean(values))


def fail(error: FuxueError) -> None:
    """Print an error in Chinese and English on stderr, and add it to the JSON document if JSON was asked for."""
    chinese, english = error_texts(FuxueError(error.key, code=error.code, **_clean(error.params)))
    if _settings["json"]:
        result("error", key=error.key, message=chinese, message_en=english)
    _console(stderr=True).print(f"✗ {chinese}", style="bold red", markup=False, soft_wrap=True)
    _console(stderr=True).print(f"  {english}", style="dim", markup=False, soft_wrap=True)


def asked(question: FuxueError) -> bool:
    """Show a question at the terminal; True if the person agrees to go on. False if there is no terminal."""
    if _settings["json"] or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    fail(question)
    return click.confirm("仍要继续 / continue anyway?", default=False, err=True)


def progress_bar(title: str, total: int) -> Callable[[], None]:
    """Start a progress bar on stderr; call the returned function after each step. Silent without a terminal."""
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
    """True if JSON was asked for instead of texts."""
    return _settings["json"]


def show(what: object, *, always: bool = False) -> None:
    """Print a table or a line. With --quiet it is printed only if `always`, which is for results and faults."""
    if always or not _settings["quiet"]:
        _console().print(what)
