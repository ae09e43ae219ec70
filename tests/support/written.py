"""Releases as they are written to a folder."""

from dataclasses import replace
from pathlib import Path

from etl.exchange.release import Release, read_release
from etl.exchange.release_folder import release_digest
from tests.support.releases import write_proved


def written(folder: Path, releases: list[Release]) -> list[Release]:
    """Releases put into a folder one after the other, each with its proof; as they then read."""
    for release in releases:
        earlier = {path.name: release_digest(path) for path in sorted(folder.glob("[0-9]*"))}
        write_proved(folder, replace(release, earlier=earlier))
    return [read_release(path) for path in sorted(folder.glob("[0-9]*"))]
