"""Shared fixtures: two campaigns, and homes with a small issue, filled or loaded. All people are made up."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

import tests.support.quick  # noqa: F401 - changes what it loads
from etl.rulebook.campaign import Campaign, load_campaign
from etl.synthetic.population import Person, make_population
from etl.system.home import Home
from etl.vault.store.keys import demo_master, new_key
from etl.workflow import inspecting, issuing, loading, releasing, synthesizing, upkeep
from etl.workflow.run import Run
from tests.support.chromium import CHROMIUM, QUIET
from tests.support.homes import ACCOUNTS, CHILDREN, FULL, ROOT, SEED, at_due, put_in_place, silent_bar, with_limits_of
from tests.support.once import made_once

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Files that take longest, which come first: processes that share the work then end together.
LONG = (
    "test_readme", "test_site_browser", "test_demo", "test_libreoffice_selfcheck", "test_hostile", "test_vault_crash",
    "test_check_census", "test_issue_crash", "test_inbox", "test_staff_browser", "test_staff_matrix", "test_staff_sql",
    "test_check_outcome", "test_issue_decisions", "test_serve_public", "test_upkeep", "test_staff_routes",
    "test_mutation", "test_pages_faults", "test_protect", "test_vault", "test_casework", "test_feedback",
)  # fmt: skip


#: Every run of `make test` tries the same examples.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture(scope="session", autouse=True)
def _quick_password_hashes() -> Iterator[None]:
    """A hash of a test's password costs little: 480,000 rounds each took a quarter of the time of the staff tests."""
    from datasette_accounts import passwords

    before = passwords.hash_password.__defaults__
    passwords.hash_password.__defaults__ = (None, 1000)
    yield
    passwords.hash_password.__defaults__ = before


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Debian's chromium. Open for a module's tests only: while it is, no other event loop can run."""
    from playwright.sync_api import sync_playwright

    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split())
        yield started
        started.close()


@pytest.fixture(scope="session")
def campaign() -> Campaign:
    return load_campaign(ROOT / "campaign")


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another county: three units, other dates, another region; the rule book's rest is the same."""
    folder = tmp_path_factory.mktemp("campaign") / "qingshi"
    shutil.copytree(ROOT / "campaign", folder)
    shutil.copytree(ROOT / "tests/support/campaigns" / "qingshi", folder, dirs_exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def small(small_folder: Path) -> Campaign:
    return load_campaign(small_folder)


@pytest.fixture(scope="session")
def people(small: Campaign) -> list[Person]:
    return make_population(small, CHILDREN, SEED)


@pytest.fixture(scope="session")
def issued_once(tmp_path_factory: pytest.TempPathFactory, small: Campaign, small_folder: Path) -> Path:
    """A home in which `CHILDREN` children of three units were issued and every unit has filled its workbook."""

    def make(root: Path) -> None:
        home = Home(root)
        home.prepare()
        keys = new_key(home.demo_key, demo_master(SEED))
        run = Run(home, small_folder, small, keys, small.noticed, silent_bar)
        path = home.private / "list.xlsx"
        synthesizing.synthesize_list(small, path, CHILDREN, SEED, "default")
        handed = issuing.issue_list(run, path)
        assert (handed.issue, handed.rows, handed.findings) == ("20200302-01", CHILDREN, ())
        synthesizing.synthesize_fill(run, CHILDREN, SEED, "default")

    return made_once(tmp_path_factory, "issued", make)


@pytest.fixture
def run(issued_once: Path, tmp_path: Path, small: Campaign, small_folder: Path) -> Run:
    """A fresh copy of the issued and filled home, on the day when reports are due."""
    shutil.copytree(issued_once, tmp_path / "var")
    return at_due(tmp_path / "var", small, small_folder)


@pytest.fixture(scope="session")
def further(
    tmp_path_factory: pytest.TempPathFactory, small: Campaign, small_folder: Path
) -> Callable[[str, Path, Callable[[Run], object]], Path]:
    """Makes a home out of another that was made before: its name, the other, and what is done in a copy of that."""

    def make(name: str, before: Path, do: Callable[[Run], object]) -> Path:
        def one(root: Path) -> None:
            shutil.copytree(before, root)
            do(at_due(root, small, small_folder))

        return made_once(tmp_path_factory, name, one)

    return make


@pytest.fixture(scope="session")
def loaded_once(issued_once: Path, further: Callable[..., Path]) -> Path:
    """The same with all three workbooks accepted."""

    def load(run: Run) -> None:
        outcomes = loading.load_files(run, sorted(run.home.inbox.glob("*.xlsx")))
        assert [one.outcome for one in outcomes] == ["accepted"] * 3

    return further("loaded", issued_once, load)


@pytest.fixture
def loaded(run: Run, loaded_once: Path) -> Run:
    """A fresh copy of the home in which all three workbooks are accepted."""
    return put_in_place(run, loaded_once)


@pytest.fixture(scope="session")
def released_once(loaded_once: Path, further: Callable[..., Path]) -> Path:
    """The same with its first release."""
    return further("released", loaded_once, releasing.release_figures)


@pytest.fixture
def released(run: Run, released_once: Path) -> Run:
    """A fresh copy of the home of which all was released once."""
    return put_in_place(run, released_once)


@pytest.fixture(scope="session")
def cases_once(loaded_once: Path, further: Callable[..., Path]) -> Path:
    """The loaded home with the case workbooks handed out."""
    return further("cases", loaded_once, lambda run: issuing.issue_form(run, "cases", None))


@pytest.fixture
def cases(run: Run, cases_once: Path) -> Run:
    """A fresh copy of the home in which the case workbooks are handed out."""
    return put_in_place(run, cases_once)


@pytest.fixture(scope="session")
def corrections_once(loaded_once: Path, further: Callable[..., Path]) -> Path:
    """The loaded home with the corrections workbooks handed out."""
    return further("corrections", loaded_once, lambda run: issuing.issue_form(run, "corrections", None))


@pytest.fixture
def corrections(run: Run, corrections_once: Path) -> Run:
    """A fresh copy of the home in which the corrections workbooks are handed out."""
    return put_in_place(run, corrections_once)


@pytest.fixture(scope="session")
def full_once(loaded_once: Path, further: Callable[..., Path]) -> tuple[Path, Path]:
    """A home that holds all that a home can, and a copy of its record as it was before most of that."""
    from plugins.launch import add_account

    def fill(run: Run) -> None:
        upkeep.back_up(run, run.home.root.with_name("full-earlier.db"))
        issuing.issue_form(run, "corrections", None)
        issuing.issue_form(run, "cases", None)
        inspecting.lock_base(run, "测试员")
        releasing.release_figures(run, closing=True)
        for scope in ACCOUNTS:
            add_account(run.home, run.keys, scope, scope, "a long password of a clerk")
        assert upkeep.verify_record(run).links == FULL

    made = further("full", loaded_once, fill)
    return made, made.with_name("full-earlier.db")


@pytest.fixture
def password(run: Run) -> Callable[[str], str]:
    """A unit's password in the one issue."""
    return partial(run.keys.password, "20200302-01")


@pytest.fixture
def with_limits(run: Run) -> Callable[..., Run]:
    """The run with other limits on returned workbooks."""

    def make(**limits: int) -> Run:
        return replace(run, campaign=replace(run.campaign, limits=with_limits_of(run.campaign.limits, **limits)))

    return make
