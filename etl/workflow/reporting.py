"""Feedback on returned workbooks: sealed for the sender, written to private/reports/."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from etl.exchange.checked import Checked
from etl.findings import Finding, FuxueError, Severity
from etl.forms.definitions import ANNEX4, Form
from etl.read import inbox
from etl.read.worker import take
from etl.report.feedback import build_feedback
from etl.system.bounded import Bounds, Broke, Exceeded, run_bounded
from etl.system.disk import write_private
from etl.system.file_names import safe_stem
from etl.system.sealing import NotSealed, seal, unseal
from etl.vault.record import issued, submissions
from etl.vault.store.open import Vault
from etl.workflow import loading
from etl.workflow.run import Run
from etl.workflow.writing import writing


@dataclass(frozen=True)
class Feedback:
    """The feedback on one workbook. `file` is None if the workbook's sender is unknown, or if making it `failed`."""

    checked: Checked
    file: Path | None
    failed: bool = False


def feedback(run: Run, paths: Sequence[Path], unit: str | None, *, allow_unsealed: bool = False) -> list[Feedback]:
    """Check files and write a sealed feedback for each that has errors or warnings.

    By default these are the newest loaded workbook of each recipient, and the files in the inbox. `unit` limits it to
    one unit or department; FuxueError if there is no such.
    """
    if unit is not None and unit not in run.campaign.unit and run.campaign.casework.department(unit) is None:
        raise FuxueError("campaign.no_unit", unit=unit)
    with writing(run, records=False) as vault:
        return _feedback(run, vault, paths, unit, allow_unsealed=allow_unsealed)


def _feedback(
    run: Run, vault: Vault, paths: Sequence[Path], unit: str | None, *, allow_unsealed: bool
) -> list[Feedback]:
    names = dict.fromkeys(paths, "") or _newest(run, vault)
    contents = {path: take(path, run.campaign.limits) for path in names}
    checked = loading.check_contents(run, vault, contents, allow_unsealed=allow_unsealed, names=names)
    wanted = [
        (path, one)
        for path, one in zip(names, checked, strict=True)
        if unit in (None, one.unit) and any(finding.severity is not Severity.NOTE for finding in one.findings)
    ]
    forms = {key: bundle.form for key, bundle in issued.issued(vault, run.campaign).items()}
    done = run.bar("反馈", len(wanted))
    made: list[Feedback] = []
    taken: set[str] = set()
    for path, one in wanted:
        form = forms.get((one.issue, one.unit), ANNEX4)
        made.append(_one(run, path, Path(names[path] or path), one, form, taken))
        done()
    return made


def _newest(run: Run, vault: Vault) -> dict[Path, str]:
    """Paths of the newest workbook of each recipient, with its original name; then of files that were never loaded."""
    found: dict[Path, str] = {}
    for one, name in submissions.newest_workbooks(vault):
        folder = run.home.received if one.is_accepted else run.home.refused
        place = inbox.place_of(folder, one.issue, one.unit, one.id, one.received, "")
        found |= {path: name for path in place.parent.glob(f"{place.stem}.*")}
    return found | dict.fromkeys(loading.never_loaded(run, vault), "")


def _one(run: Run, path: Path, came_as: Path, checked: Checked, form: Form, taken: set[str]) -> Feedback:
    """Write the feedback on one file, if its sender is known.

    `came_as` is its original name; `taken` are the names of feedback used in this run, and is added to.
    """
    if not checked.issue:
        return Feedback(checked, None)
    password = run.keys.password(checked.issue, checked.unit)
    title = f"{run.campaign.recipient_name(checked.unit)}：{checked.file} 的反馈"
    # A file refused by a rule about the file itself (F…) is not opened again; its feedback only lists the findings.
    is_readable = not any(f.rule[0] == "F" and f.severity is Severity.ERROR for f in checked.findings)
    data = take(path, run.campaign.limits) if is_readable else None
    content = _made(run, data, password, form, title, checked.findings)
    if content is None and data is not None:  # cells cannot be marked: list the findings, and say so in the title
        content = _made(run, None, password, form, f"{title}（原表未能标色，请对照单元格位置修改）", checked.findings)
    if content is None:
        return Feedback(checked, None, failed=True)
    target = run.home.reports / checked.issue / name_of(run, came_as, checked.unit, taken)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(target, content)
    return Feedback(checked, target)


def name_of(run: Run, path: Path, unit: str, taken: set[str]) -> str:
    """A name for the feedback on a unit's file that no other feedback of this run has; it is added to `taken`.

    Units often give files the same name, so the unit's slug comes first. If the name had to be changed to be safe, a
    keyed digest of the original name is added. A name that is still taken gets a number.
    """
    stem = safe_stem(path)
    if path.name.lower() not in (stem.lower(), f"{stem}.xlsx".lower()):
        mark = run.keys.mac("file-name", path.name.encode(errors="surrogatepass"))
        stem = f"{stem}-{mark.hex()[:8]}"
    if stem != unit and not stem.startswith(f"{unit}-"):
        stem = f"{unit}-{stem}"
    numbers = (f"-{number}" if number > 1 else "" for number in itertools.count(1))
    name = next(name for at in numbers if (name := f"{stem}{at}-feedback.xlsx").lower() not in taken)
    taken.add(name.lower())
    return name


def _made(run: Run, *arguments: object) -> bytes | None:
    """The result of `make` in a bounded child process, or None if that failed."""
    limits = run.campaign.limits
    bounds = Bounds(limits.seconds, limits.memory_bytes, limits.answer_bytes)
    try:
        made: bytes = run_bounded(make, arguments, bounds)
    except (Exceeded, Broke):
        return None
    return made


def make(data: bytes | None, password: str, form: Form, title: str, findings: Sequence[Finding]) -> bytes:
    """Runs in the child process: unseal a workbook, mark its faulty cells, seal it again.

    With `data` None the result only lists the findings.
    """
    plain = None
    if data is not None:
        try:
            plain = unseal(data, [password]).plain
        except NotSealed:
            plain = data
    return seal(build_feedback(plain, form, title, findings), password)
