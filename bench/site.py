"""Public pages: processor time per page and for a county's unit pages, beside Pelican and Eleventy, and its growth.

All render the same pages, word for word, from the same releases. Eleventy does so in two ways: in its own, from data
by our templates in its Nunjucks (`eleventy_data`), and, as Pelican does, from the finished content of each page, which
it only puts into the layout (`…_layout`): that leaves it less to do than ours does.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import common, site_eleventy, site_peers
from bench.site_made import make
from etl.publish.languages import load_words
from etl.publish.site_identity import load_identity
from etl.publish.source import load_source
from etl.rulebook.campaign import load_campaign

RELEASES = 3
TEMPLATES = common.ROOT / "site_templates"


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        found = {"machine": common.machine(), "county": _county(Path(folder) / "county", options)}
        found["growth"] = {str(units): _grown(Path(folder) / f"of{units}", units) for units in options.growth}
    for title, figures in found.items():
        if title != "growth":
            common.show(title, figures)
    for units, figures in found["growth"].items():
        common.show(f"whole site of {units} units", figures)
    print(json.dumps(found))


def _options() -> argparse.Namespace:
    parser = common.parser("site", __doc__)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--growth", type=int, nargs="*", default=[1000, 10_000, 40_000], metavar="UNITS")
    parser.add_argument("--pelican", default="pelican", help="its command (PyPI pelican==4.12.0)")
    parser.add_argument("--eleventy", default="eleventy", help="its command (npm @11ty/eleventy@3.1.8)")
    options = parser.parse_args()
    for name in ("pelican", "eleventy"):
        if not shutil.which(getattr(options, name)):
            parser.error(f"--{name}: {getattr(options, name)} is not there")
    return options


def _county(folder: Path, options: argparse.Namespace) -> Mapping[str, object]:
    """All side by side, so that what else the machine does meets all alike."""
    campaign, released = make(folder, common.ROOT / "campaign", options.units, RELEASES)
    publish = _publish(released, campaign, folder / "public")
    runs = {"ours": _ours(released, campaign, folder / "ours"), "ours_whole_site": publish}
    publish()
    runs |= _peers(folder, campaign, released, options)
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repeat):
        for name, run in runs.items():
            taken[name].append(run())
    for out in (path for path in folder.glob("out-*")):
        _compare(folder / "public/site", out, options.units)
    _compare(folder / "public/site", folder / "ours", options.units)
    seconds = {f"{name}_s": common.middle(values) for name, values in taken.items()}
    pages = {"ours_ms_per_page": [round(1000 * one / options.units / 2, 3) for one in common.middle(taken["ours"], 4)]}
    times = {
        f"{name}_÷_ours": common.ratios(taken[name], taken["ours"]) for name in runs if not name.startswith("ours")
    }
    return {"pages": options.units * 2, **seconds, **pages, **times}


def _peers(folder: Path, campaign: Path, released: Path, options: argparse.Namespace) -> dict[str, Callable[[], float]]:
    site, source = folder / "public/site", load_source(released, load_campaign(campaign))
    identity = load_identity(campaign, source.campaign.category)
    site_eleventy.write_eleventy(folder / "data", TEMPLATES, source, load_words(TEMPLATES), identity)
    site_peers.write_eleventy(folder / "eleventy", site)
    site_peers.write_pelican(folder / "pelican", site)
    pelican = [options.pelican, "-q", "-s", "pelicanconf.py", "-o", str(folder / "out-pelican")]
    return {
        "eleventy_data": _run([options.eleventy], folder / "data", folder / "out-data"),
        "eleventy_layout": _run([options.eleventy], folder / "eleventy", folder / "out-eleventy"),
        "pelican_layout": _run(pelican, folder / "pelican", folder / "out-pelican"),
    }


def _ours(released: Path, campaign: Path, out: Path) -> Callable[[], float]:
    return _run([sys.executable, "-m", "bench.site_ours", str(released), str(campaign), str(out)], common.ROOT, out)


def _publish(released: Path, campaign: Path, public: Path) -> Callable[[], float]:
    command = [sys.executable, "-m", "etl.publish", "--quiet", "--released", str(released)]
    return _run([*command, "--campaign", str(campaign), "--public", str(public)], common.ROOT, public)


def _run(command: list[str], folder: Path, out: Path) -> Callable[[], float]:
    """Seconds of processor that a command takes, into an empty folder; all of its threads and of what it started."""

    def run() -> float:
        shutil.rmtree(out, ignore_errors=True)
        return _measured(command, folder, out)[0]

    return run


def _measured(command: list[str], folder: Path, out: Path) -> tuple[float, int]:
    environment = {**os.environ, "OUT": str(out), "PYTHONPATH": str(common.ROOT)}
    child = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{command[0]}: {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def _compare(site: Path, out: Path, units: int) -> None:
    """Each page says what ours says, but for white space."""
    found = sorted(path for path in out.rglob("*.html"))
    if len(found) != 2 * units:
        raise SystemExit(f"{out.name}: {len(found)} pages")
    for path in found:
        if _text(path) != _text(site / path.relative_to(out)):
            raise SystemExit(f"{out.name}: {path.relative_to(out)} differs")


def _text(path: Path) -> str:
    return "".join(path.read_text(encoding="utf-8").split())


def _grown(folder: Path, units: int) -> Mapping[str, object]:
    """The whole site with its data, of many units."""
    campaign, released = make(folder, common.ROOT / "campaign", units, RELEASES)
    command = [sys.executable, "-m", "etl.publish", "--quiet", "--released", str(released)]
    command += ["--campaign", str(campaign), "--public", str(folder / "public")]
    seconds, memory = _measured(command, common.ROOT, folder / "public")
    pages = sum(1 for _ in (folder / "public/site").rglob("*.html"))
    shutil.rmtree(folder)
    return {
        "pages": pages,
        "processor_s": round(seconds, 1),
        "ms_per_page": round(1000 * seconds / pages, 3),
        "memory_MB": memory // 1024,
    }
