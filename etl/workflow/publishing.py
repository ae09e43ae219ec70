"""Publishing: a process without a key makes the public folder from the releases."""

from collections.abc import Sequence
from pathlib import Path

from etl.exchange.release_folder import release_folders
from etl.findings import FuxueError
from etl.rulebook.campaign import load_campaign
from etl.system.home import Home
from etl.system.keyless import error_of, run_module
from etl.workflow.verifying import verify_release_folder


def publish(home: Home, campaign_folder: Path, *, production: bool = False, check: bool = False) -> None:
    """Make the public folder from all releases, in a process that gets no key by argument or environment.

    Every release is verified first, as any citizen can; FuxueError if one fails or there are none. `production` and
    `check` are options of `etl.publish`.
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
    """Make the site from all releases, in a process without a key that inherits the handles of locks `held`.

    `options` are further arguments of `etl.publish`. FuxueError if it fails.
    """
    command = ["etl.publish", "--quiet", "--released", str(released.absolute()), "--public", str(public.absolute())]
    done = run_module([*command, "--campaign", str(campaign_folder.absolute()), *options], held)
    if done.returncode:
        raise error_of(done.stderr, done.returncode)
