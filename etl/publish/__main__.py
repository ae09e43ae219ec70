"""`python -m etl.publish`: releases in, public folder out. Runs without keys; errors go to stderr as JSON."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.campaign import load_campaign
from etl.findings import FuxueError
from etl.processes import report
from etl.publish.database import write_database
from etl.publish.downloads import write_downloads
from etl.publish.pages import write_pages
from etl.publish.source import load_source
from etl.publish.swap import replacing
from etl.publish.words import load_words

TEMPLATES = Path(__file__).resolve().parents[2] / "site_templates"
DATABASE = "fuxue.db"


@dataclass(frozen=True)
class Published:
    """What was written: the release shown, how many releases the data holds, pages, files and their bytes."""

    release: str
    releases: int
    pages: int
    files: int
    bytes: int


def publish(released: Path, public: Path, campaign: Path, templates: Path = TEMPLATES) -> Published:
    """Replace the folder `public` by the site and database made of all releases; on any error leave it as it is."""
    words = load_words(templates)
    source = load_source(released, load_campaign(campaign))
    with replacing(public) as fresh:
        site = fresh / "site"
        write_database(fresh / DATABASE, source, words)
        files = write_downloads(site, source, words, fresh / DATABASE)
        pages = write_pages(site, templates, source, words, files)
        sizes = [path.stat().st_size for path in fresh.rglob("*") if path.is_file()]
    return Published(source.latest.name, len(source.releases), pages, len(sizes), sum(sizes))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the exit code is 0 or the error's code."""
    parser = argparse.ArgumentParser(prog="python -m etl.publish", description=__doc__)
    for name, help_text in (
        ("--released", "folder of the releases"),
        ("--public", "folder to replace"),
        ("--campaign", "campaign folder"),
    ):
        parser.add_argument(name, type=Path, required=True, metavar="DIR", help=help_text)
    parser.add_argument("--quiet", action="store_true", help="print nothing on success")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    try:
        result = publish(options.released, options.public, options.campaign)
    except FuxueError as error:
        return report(error)
    if options.json:
        print(json.dumps(asdict(result)))
    elif not options.quiet:
        print(f"{result.release} → {options.public}: {result.pages} + {result.files - result.pages}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
