"""Old releases are taken over as they were, with the same bytes as if all were made anew, and never if touched."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from etl.publish import downloads, pages
from etl.publish.__main__ import publish_site
from tests.support.releases import write_release
from tests.support.sample_release import CAMPAIGN, copied, tree
from tests.support.sample_releases import made_stack, publish_stack, stack


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is rendered and written for a release, from now on."""
    seen: list[str] = []
    render, files = pages._render, downloads._files

    def watched_render(env: Any, page: pages.Page, t: Any, other: Any) -> str:
        seen.append(t.prefix + page.path)
        return render(env, page, t, other)

    def watched_files(source: Any, release: Any, words: Any) -> dict[str, bytes]:
        seen.append(f"data/{release.name}")
        return files(source, release, words)

    monkeypatch.setattr(pages, "_render", watched_render)
    monkeypatch.setattr(downloads, "_files", watched_files)
    return seen


def of_releases(made: list[str]) -> list[str]:
    return sorted(name for name in made if name.startswith(("data/0", "releases/0", "en/releases/0")))


def test_a_further_release_makes_its_own_and_takes_the_others_over(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: list[str]
) -> None:
    public = copied(made_stack(tmp_path_factory, 2), tmp_path)
    made.clear()
    write_release(tmp_path / "released", stack()[2])
    publish_site(tmp_path / "released", public, CAMPAIGN)
    assert of_releases(made) == ["data/0003", "en/releases/0003/index.html", "releases/0003/index.html"]
    assert tree(public) == tree(made_stack(tmp_path_factory))


def test_nothing_is_taken_over_when_all_is_checked(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: list[str]
) -> None:
    public = copied(made_stack(tmp_path_factory, 1), tmp_path)
    made.clear()
    with pytest.raises(Exception, match=r"publish\.check"):  # a release made by hand has no proof
        publish_site(tmp_path / "released", public, CAMPAIGN, check=True)
    assert of_releases(made) == ["data/0001", "en/releases/0001/index.html", "releases/0001/index.html"]


def test_a_file_that_was_touched_is_made_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: list[str]
) -> None:
    public = copied(made_stack(tmp_path_factory, 3), tmp_path)
    before = tree(public)
    for file in ("site/data/0001/units.csv", "site/en/releases/0002/index.html"):
        (public / file).write_text("170 → 17")
    (public / "site/data/0003/fuxue.zip").unlink()
    made.clear()
    publish_site(tmp_path / "released", public, CAMPAIGN)
    assert of_releases(made) == ["data/0001", "data/0003", "en/releases/0002/index.html", "releases/0002/index.html"]
    assert tree(public) == before


@pytest.mark.prove
def test_another_rule_book_or_template_makes_all_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: list[str]
) -> None:
    public = copied(made_stack(tmp_path_factory, 1), tmp_path)
    campaign = shutil.copytree(CAMPAIGN, tmp_path / "campaign")
    with (campaign / "site.toml").open("a", encoding="utf-8") as handle:
        handle.write("\n# touched\n")
    made.clear()
    publish_site(tmp_path / "released", public, campaign)
    assert of_releases(made) == ["data/0001", "en/releases/0001/index.html", "releases/0001/index.html"]


@pytest.mark.parametrize("content", ["whole", *(pytest.param(c, marks=pytest.mark.prove) for c in ("", "[]", "key"))])
def test_a_manifest_that_makes_no_sense_is_not_followed(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, made: list[str], content: str
) -> None:
    public = copied(made_stack(tmp_path_factory, 1), tmp_path)
    before = tree(public)
    entries = json.loads((public / "made.json").read_text())
    entries["data/0001"]["files"] = {"../released/0001/release.json": ""}
    texts = {"whole": json.dumps(entries), "key": '{"data/0001": {"key": 1}}'}
    (public / "made.json").write_text(texts.get(content, content))
    made.clear()
    publish_site(tmp_path / "released", public, CAMPAIGN)
    assert "data/0001" in of_releases(made)
    assert tree(public) == before


def test_a_public_folder_is_whole_where_files_have_one_name_only(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    before = tree(made_stack(tmp_path_factory))
    monkeypatch.setattr("etl.publish.reuse.os.link", refuse)
    assert tree(publish_stack(tmp_path)) == before
