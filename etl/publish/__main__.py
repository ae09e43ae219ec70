"""`python -m etl.publish`: makes the public folder from the releases, without any key; errors are JSON on stderr."""

import argparse
import gc
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from etl.findings import FuxueError
from etl.publish.database import content_digest, write_database
from etl.publish.downloads import write_downloads
from etl.publish.hosting import write_hosting
from etl.publish.instance import write_instance
from etl.publish.languages import load_words
from etl.publish.offer import Offer
from etl.publish.pages import write_pages
from etl.publish.questions import load_questions, try_questions, write_engine
from etl.publish.reuse import Kept
from etl.publish.site_identity import load_identity
from etl.publish.source import load_source
from etl.publish.swap import replacing
from etl.rulebook.campaign import load_campaign
from etl.system.keyless import report_error

TEMPLATES = Path(__file__).resolve().parents[2] / "site_templates"
CODE = Path(__file__).resolve().parent
_DATABASE = "fuxue.db"
#: Arguments of `gc.set_threshold`: collect rarely, since all objects live to the end and form no cycles.
RARELY = (50_000, 20, 100)


@dataclass(frozen=True)
class Published:
    """The result: the newest release, the numbers of releases, pages, files, and bytes in all files.

    `content` is the digest of the database's content; it is the same for the same releases on every machine.
    """

    release: str
    releases: int
    pages: int
    files: int
    bytes: int
    content: str


def publish_site(
    released: Path,
    public: Path,
    campaign: Path,
    templates: Path = TEMPLATES,
    *,
    production: bool = False,
    check: bool = False,
) -> Published:
    """Replace the folder `public` by the site and the database of all releases; on any error leave it unchanged.

    `released`, `campaign` and `templates` are folders. In `production` every field of the site's identity must be
    filled in. With `check` nothing is reused from the old folder, and the result is checked before it replaces it.
    Raises FuxueError.
    """
    words, questions = load_words(templates), load_questions(templates)
    source = load_source(released, load_campaign(campaign))
    identity = load_identity(campaign, source.campaign.category, production=production)
    with replacing(public) as fresh:
        site = fresh / "site"
        kept = Kept(fresh, None if check else public, (CODE, templates, campaign))
        write_database(fresh / _DATABASE, source, words)
        try_questions(fresh / _DATABASE, questions, words)
        files = write_downloads(site, source, words, fresh / _DATABASE, kept)
        offer = Offer(tuple(files), questions, write_engine(site, templates, fresh / _DATABASE))
        pages = write_pages(site, templates, source, words, offer, identity, kept)
        write_hosting(fresh)
        write_instance(fresh, templates, source, questions, words)
        kept.save()
        if check:
            from etl.publish.checks import check_public  # imported here because only this loads the HTML parser

            check_public(fresh, source, words, identity.base)
        sizes = [path.stat().st_size for path in fresh.rglob("*") if path.is_file()]
        content = content_digest(fresh / _DATABASE)
    return Published(source.latest.name, len(source.releases), pages, len(sizes), sum(sizes), content)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0 or the error's exit code."""
    parser = argparse.ArgumentParser(prog="python -m etl.publish", description=__doc__)
    for name, help_text in (
        ("--released", "folder of the releases"),
        ("--public", "folder to replace"),
        ("--campaign", "campaign folder"),
    ):
        parser.add_argument(name, type=Path, required=True, metavar="DIR", help=help_text)
    parser.add_argument("--production", action="store_true", help="refuse a site whose identity is not filled in")
    parser.add_argument("--check", action="store_true", help="check everything before it takes its place")
    parser.add_argument("--quiet", action="store_true", help="print nothing on success")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    try:
        folders = (options.released, options.public, options.campaign)
        result = publish_site(*folders, production=options.production, check=options.check)
    except FuxueError as error:
        return report_error(error)
    if options.json:
        print(json.dumps(asdict(result)))
    elif not options.quiet:
        print(f"{result.release} → {options.public}: {result.pages} + {result.files - result.pages}")
    return 0


if __name__ == "__main__":
    gc.set_threshold(*RARELY)
    raise SystemExit(main())
