"""Releases become the public folder, in a process that is given no key."""

from collections.abc import Sequence
from pathlib import Path

from etl.exchange.release_folder import release_folders
from etl.findings import FuxueError
from etl.rulebook.campaign import load_campaign
from etl.system.home import Home
from etl.system.keyless import error_of, run_module
from etl.workflow.verifying import verify_release_folder


def publish(home: Home, campaign_folder: Path, *, production: bool = False, check: bool = False) -> None:
    """Publish in a process of its own that is given no key: neither as an argument nor in its environment.

    Every release is verified first, as anyone could: nothing is published that has become readable on the way.
    """
    folders = release_folders(home.released)
    if not folders:
        raise FuxueError("release.nothing")
    for folder in folders:
        verify_release_folder(load_campaign(campaign_folder), folder)
    options = [name for name, wanted in (("--production", production), ("--check", check)) if wanted]
    with home.lock():
        make_site(home.released, home.public, campaign_folder, options, home.held())


def make_site(released: Path, public: Path, campaign_folder: Path, options: Sequence[str] = (),
              held: tuple[int, ...] = ()) -> None:  # fmt: skip
    """Make the site of all releases, in a process that keeps the locks `held` and is given no key."""
    command = ["etl.publish", "--quiet", "--released", str(released.absolute()), "--public", str(public.absolute())]
    done = run_module([*command, "--campaign", str(campaign_folder.absolute()), *options], held)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
