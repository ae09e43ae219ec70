"""Common options of all commands, the settings made from them, and how errors end a run."""

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from etl.cli import console
from etl.cli.parameters import DAY
from etl.findings import FuxueError
from etl.system.home import ROOT, Home

if TYPE_CHECKING:
    from etl.workflow.run import Run

#: Exit code of a run that was interrupted (128 + SIGINT).
INTERRUPTED = 130


class Settings:
    """The values of the common options. The campaign and the key are opened only for commands that need them."""

    def __init__(self) -> None:
        self.home, self.campaign_folder = Home(Path("var")), ROOT / "campaign"
        self.key_file: Path | None = None
        self.yes = False

    def key(self) -> Path:
        """The path of the master key's file. FuxueError if none is given and the home is not a demo."""
        key_file = self.key_file or (self.home.demo_key if self.home.demo_key.exists() else None)
        if key_file is None:
            raise FuxueError("key.needed")
        return key_file

    def run(self, day: dt.datetime | None = None) -> "Run":
        """Open the run that a command works with (`open_run`); `day` None means today."""
        from etl.workflow.opening import open_run

        return open_run(self.home, self.campaign_folder, self.key(), day.date() if day else dt.date.today(),
                        console.progress_bar, self.agree)  # fmt: skip

    def agree(self, question: FuxueError) -> bool:
        """True if --yes was given, or the person at the terminal agrees now."""
        return self.yes or console.asked(question)


def _set_home(given: Settings, value: Path) -> None:
    given.home = Home(value)


def _set_campaign(given: Settings, value: Path) -> None:
    given.campaign_folder = value


def _set_key(given: Settings, value: Path) -> None:
    given.key_file = value


def _set_yes(given: Settings, value: bool) -> None:
    given.yes = value


def _set_quiet(_: Settings, value: bool) -> None:
    console.configure(quiet=value)


def _set_json(_: Settings, value: bool) -> None:
    console.configure(as_json=value)


def _option(name: str, act: Callable[[Settings, Any], None], **attributes: Any) -> click.Option:
    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        # The option may come before or after the command's name; where it is not given, the setting stays.
        if value:
            act(context.ensure_object(Settings), value)

    return click.Option([name], expose_value=False, is_eager=True, callback=callback, **attributes)


def common_options() -> list[click.Option]:
    """New copies of the common options, which may come before or after the command's name."""
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        _option(
            "--home", _set_home, type=folder, envvar="FUXUE_HOME", help="Folder of the three zones (default: var)."
        ),
        _option("--campaign", _set_campaign, type=folder, help="Folder with the rule book (default: campaign)."),
        _option(
            "--key-file",
            _set_key,
            type=click.Path(path_type=Path),
            envvar="FUXUE_KEY_FILE",
            help="The custodian's master key (a removable device).",
        ),
        _option("--yes", _set_yes, is_flag=True, help="Answer yes to every question, for example about the day."),
        _option("--quiet", _set_quiet, is_flag=True, help="Print only results and errors."),
        _option("--json", _set_json, is_flag=True, help="Machine-readable result on stdout."),
    ]


class Command(click.Command):
    """A command that also takes the common options."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.params += common_options()


class Group(Command, click.Group):
    """A group of commands; it and its commands also take the common options."""

    command_class = Command
    group_class = type


def _is_of_database(error: Exception) -> bool:
    """True if SQLCipher raised the error. The library is not imported here: without it, no database was opened."""
    library = sys.modules.get("sqlcipher3.dbapi2")
    return library is not None and isinstance(error, library.DatabaseError)


class Main(Group):
    """The main group. It turns every expected error into a message in Chinese and English and an exit code."""

    def invoke(self, context: click.Context) -> object:
        """Run the command; exit 1 for findings, 2 for an error, 3 for an unsafe release or a failed verification."""
        try:
            return super().invoke(context)
        except FuxueError as error:
            console.fail(error)
            sys.exit(error.code)
        except OSError as error:
            console.fail(FuxueError("disk.failed", file=error.filename or "?", reason=error.strerror or "?"))
            sys.exit(2)
        except Exception as error:
            if not _is_of_database(error):
                raise
            console.fail(FuxueError("vault.failed", reason=error))
            sys.exit(2)
        except KeyboardInterrupt:
            console.fail(FuxueError("interrupted"))
            sys.exit(INTERRUPTED)
        finally:
            console.end()


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
as_of = click.option("--as-of", type=DAY, help="Work as on this day (default: today).")
settings = click.make_pass_decorator(Settings)
