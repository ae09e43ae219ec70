"""The README's commands run as they stand, and every message and option that the code names exists."""

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import pytest

from etl.cli.main import main
from tests.support.homes import ROOT
from tests.support.warm import run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def day_by_day() -> list[str]:
    """The commands of the campaign's section, without comments."""
    block = re.search(r"## A campaign, day by day.*?```sh\n(.*?)```", README, flags=re.S)
    assert block
    lines = [line.split("  #")[0].strip() for line in block[1].splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_the_day_by_day_commands_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "campaign", tmp_path / "campaign")
    # The one that is named and three others suffice: sealing and opening thirty takes most of the time.
    units = (tmp_path / "campaign/units.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [*units[:4], *(line for line in units[4:] if line.split(",")[0] in README)]
    (tmp_path / "campaign/units.csv").write_text("".join(kept), encoding="utf-8")
    (tmp_path / "var/private").mkdir(parents=True)  # a demo that was made before is not in the way
    (tmp_path / "var/private/vault.db").write_bytes(b"another key's")
    first, *others = [shlex.split(line) for line in day_by_day() if ".venv" not in line and "mkdir" not in line]
    assert first[0] == "export"
    for setting in first[1:]:
        monkeypatch.setenv(*setting.split("="))
    (tmp_path / "trial").mkdir()
    assert len(others) >= 20
    for program, script, *arguments in others:
        assert (program, script) == ("python", "build.py")
        done = run([*arguments, "--campaign", str(tmp_path / "campaign")], cwd=tmp_path)
        assert done.returncode == 0, (arguments, done.stdout[-2000:], done.stderr[-2000:])
    assert (tmp_path / "trial/var/public/site/index.html").is_file()


def test_the_two_commands_and_serve_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, flags=re.M)) <= targets


def test_ci_calls_the_readmes_two_commands_and_the_checks() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert [line for line in script.splitlines() if line.startswith("make ")] == [
        "make demo",
        "make check",
        "make test",
    ]


def test_every_file_that_the_documentation_links_exists() -> None:
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_path_that_the_documentation_names_exists() -> None:
    named = re.compile(r"(?:etl|plugins|tests|bench|campaign|site_templates|docs)/[a-z0-9_/.-]*[a-z0-9_]")
    wrong = [
        f"{page.relative_to(ROOT)}: {found[0]}"
        for page in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "bench/README.md")
        if page.name != "CHANGELOG.md"  # what it says of the past was true then
        for found in named.finditer(page.read_text(encoding="utf-8"))
        if not (ROOT / found[0]).exists()
    ]
    assert wrong == []


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def named(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=]", line)[0].lower() for line in requirements}


def test_every_dependency_is_pinned_with_hashes_and_explained() -> None:
    runs, tests = named(PROJECT["project"]["dependencies"]), named(PROJECT["dependency-groups"]["dev"])
    versions: dict[str, dict[str, str]] = {}
    for file in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / file).read_text(encoding="utf-8")
        versions[file] = {name.lower(): at for name, at in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, flags=re.M)}
        assert "--index-url" not in lock
        assert all("--hash=sha256:" in block for block in re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.M)[1:])
    locked = versions["requirements.lock"]
    assert runs <= set(locked)
    assert not tests & set(locked)
    assert tests <= set(versions["requirements-dev.lock"])
    assert locked.items() <= versions["requirements-dev.lock"].items()
    wanted = runs | tests | named(PROJECT["dependency-groups"]["cluster"])
    explained = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()
    assert not [name for name in wanted if name.removeprefix("datasette") not in explained]


def texts_named_in_code() -> set[str]:
    code = "\n".join(
        path.read_text(encoding="utf-8") for room in ("etl", "plugins") for path in (ROOT / room).rglob("*.py")
    )
    raised = set(re.findall(r'FuxueError\(\s*"([a-z_]+\.[a-z_]+)"', code))
    return raised | set(re.findall(r'(?<!get\.)\b(?:say|text)\("([a-z_]+\.[a-z_]+)"', code))


def test_every_message_that_the_code_names_stands_in_the_catalogue_in_both_languages() -> None:
    catalogue = tomllib.loads((ROOT / "etl/workflow/texts.toml").read_text(encoding="utf-8"))
    assert texts_named_in_code() - set(catalogue) == set()
    for key, entry in catalogue.items():
        assert set(entry) == {"zh", "en"}, key
        assert set(re.findall(r"{(\w+)}", entry["en"])) <= set(re.findall(r"{(\w+)}", entry["zh"])), key
        assert re.search(r"[\u4e00-\u9fff]", entry["zh"]), key


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "command"), commands(main), ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...], command: click.Command) -> None:
    assert command.help, path
    self_explaining = {"seed", "children", "profile", "host", "staff_port", "site_port", "data_port", "name", "file"}
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.name in self_explaining, (path, parameter.name)


def test_the_contracts_commands_exist() -> None:
    names = {" ".join(path) for path, _ in commands(main)}
    promised = {
        "demo",
        "synthesize list",
        "synthesize fill",
        "issue",
        "passwords",
        "check",
        "load",
        "status",
        "release",
    }
    promised |= {"publish", "verify", "serve staff", "serve public", "staff add"}
    assert promised <= names
