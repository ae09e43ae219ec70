"""Every mistake in any file of a campaign's folder is named with file and key; none passes, none ends in a traceback.

`HARMLESS` says which changes are no mistakes, and why. `make prove` makes every mistake at every key.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from etl.findings import FuxueError
from etl.publish import site_identity
from etl.rulebook import campaign as campaigns
from etl.rulebook import datafile
from etl.rulebook.campaign import load_campaign
from etl.workflow.texts import error_texts
from tests.support.campaign_changes import CODES, FOLDER, HARMLESS, LOADERS, faults_of
from tests.support.campaign_faults import CELLS, RETYPED, Fault, dump


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("campaign") / "copy"
    shutil.copytree(FOLDER, made)
    return made


def load_all(folder: Path) -> None:
    """All that any command reads of the folder."""
    site_identity.load_identity(folder, load_campaign(folder).category)


def load(folder: Path, file: str, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file would be after the fault goes through its loader; what is no TOML through the file."""
    if fault.data is None:
        (folder / file).write_text(fault.text, encoding="utf-8")
        {"units.csv": campaigns._units, "categories.csv": campaigns._categories}.get(file, lambda _: load_all(folder))(
            folder / file
        )
    elif file in LOADERS:
        LOADERS[file](fault.data)
    else:
        data: Mapping[str, Any] = fault.data
        with monkeypatch.context() as patched:
            patched.setattr(datafile, "read_toml", lambda _: data)
            site_identity.load_identity(folder, CODES)


def judge(file: str, fault: Fault, error: FuxueError | None) -> str:
    """What is wrong with how a mistake was met; empty if nothing."""
    if error is None:
        return "" if fault.what in HARMLESS[file].get(fault.place, ()) else "passed"
    if error.params.get("file") != file:
        return f"file {error.params.get('file')}"
    key = str(error.params.get("key", ""))
    # A row as a whole has no key of its own, nor has one that is missed where the others need it.
    if not key or (fault.names and not any(name in key for name in fault.names[:1]) and not _missed(fault, key)):
        return f"key {key}"
    said = error_texts(error)
    if not all(file in one and key in one for one in said):
        return f"text {said}"
    return "" if all(is_in_both(error, name) for name in ("expected", "reason") if name in error.params) else "language"


def is_in_both(error: FuxueError, name: str) -> bool:
    """True if what was expected is said in Chinese, and in English in other words; names of keys may be in both."""
    chinese, english = str(error.params.get(f"{name}_zh", "")), str(error.params[name])
    return re.search("[\u4e00-\u9fff]", chinese) is not None and english not in ("", chinese)


def _missed(fault: Fault, key: str) -> bool:
    """True where the message names another key: the old name of a renamed one, or the list that lacks something."""
    missed = {
        "measures.*.key": "measures.",
        "schooling.*.categories.*": "schooling",
        "measures.*.categories.*": "measures",
        "tables.*.measures.*": "known.cells",  # a known total that is no longer printed
    }
    return fault.place == "rules.*" or key.startswith(missed.get(fault.place, "?"))


def met(folder: Path, file: str, faults: list[Fault], monkeypatch: pytest.MonkeyPatch,
        how: Callable[[Fault], None]) -> list[tuple[str, str, str]]:  # fmt: skip
    """(what, place, complaint) of every fault that was not met as it should."""
    wrong = []
    for fault in faults:
        error: FuxueError | None = None
        try:
            how(fault)
        except FuxueError as caught:
            error = caught
        except Exception as other:  # noqa: BLE001 - that is what is looked for
            wrong.append((fault.what, fault.place, repr(other)))
            continue
        if complaint := judge(file, fault, error):
            wrong.append((fault.what, fault.place, complaint))
    (folder / file).write_bytes((FOLDER / file).read_bytes())
    return wrong


def test_every_file_of_the_folder_is_tried() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(HARMLESS)


@pytest.mark.parametrize("file", HARMLESS)
def test_every_mistake_is_named_with_file_and_key(folder: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(file, all_places=False)
    assert len(faults) > 200
    assert met(folder, file, faults, monkeypatch, lambda fault: load(folder, file, fault, monkeypatch)) == []


@pytest.mark.prove
@pytest.mark.parametrize("file", HARMLESS)
def test_every_mistake_at_every_key_is_named(folder: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = faults_of(file, all_places=True)
    assert met(folder, file, faults, monkeypatch, lambda fault: load(folder, file, fault, monkeypatch)) == []


@pytest.mark.prove
@pytest.mark.parametrize("file", HARMLESS)
def test_a_mistake_is_named_as_it_is_typed(folder: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into the file, and read with the whole folder."""

    def typed(fault: Fault) -> None:
        (folder / file).write_text(fault.text, encoding="utf-8")
        load_all(folder)

    assert met(folder, file, faults_of(file, all_places=False), monkeypatch, typed) == []


def test_what_is_allowed_is_something_that_can_happen() -> None:
    known = {*RETYPED, *CELLS, "dropped", "row dropped"}
    assert all(kinds <= known for places in HARMLESS.values() for kinds in places.values())


@pytest.mark.parametrize("file", [name for name in HARMLESS if name.endswith(".toml")])
def test_a_file_that_is_taken_apart_and_written_again_is_the_same(folder: Path, file: str) -> None:
    """Else a mistake could be one of the test's own making."""
    import tomllib

    data = tomllib.loads((FOLDER / file).read_text(encoding="utf-8"))
    assert tomllib.loads(dump(data)) == data


def test_a_fourteenth_category_is_refused_in_words_that_say_why(folder: Path) -> None:
    with (folder / "categories.csv").open("a", encoding="utf-8") as handle:
        handle.write("N,另一类,to_return,又一类,Another,One more\n")
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    shutil.copy(FOLDER / "categories.csv", folder)
    assert (caught.value.params["file"], caught.value.params["key"]) == ("categories.csv", "code:15")
    assert "thirteen" in str(caught.value.params["expected"])


@pytest.mark.parametrize(("content", "key"), [
    (b"[campaign]\nid = 'x'\nid = 'y'\n", "[campaign] id"),
    (b"[campaign]\nid = \n", "[campaign] id"),
    (b"[campaign]\nid = 'x'\n[campaign]\n", "[campaign]"),
    (b"[campaign]\nnotice = '\xb9\xab\xb8\xe6'\n", "[campaign] notice"),  # saved as GBK
    (b"[ages]\nover_age = " + b"9" * 5000 + b"\n", "?"),  # more digits than Python reads
    (b"x = " + b"[" * 100_000, "?"),
])  # fmt: skip
def test_a_file_that_cannot_be_parsed_is_reported_with_the_place(folder: Path, content: bytes, key: str) -> None:
    (folder / "campaign.toml").write_bytes(content)
    with pytest.raises(FuxueError) as caught:
        load_campaign(folder)
    shutil.copy(FOLDER / "campaign.toml", folder)
    assert caught.value.params["file"] == "campaign.toml"
    assert key == "?" or caught.value.params["key"] == key


@pytest.mark.parametrize("file", HARMLESS)
def test_a_folder_in_a_files_place_is_reported(folder: Path, file: str) -> None:
    (folder / file).unlink()
    (folder / file).mkdir()
    with pytest.raises(FuxueError) as caught:
        load_all(folder)
    (folder / file).rmdir()
    shutil.copy(FOLDER / file, folder)
    assert caught.value.params["file"] == file
