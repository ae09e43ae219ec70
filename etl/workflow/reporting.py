"""Documents that the bureau makes: each sealed for whom it is meant, into private/reports/."""

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
    """One workbook's feedback: where it lies; None if nobody can be told whose the workbook is, or if it `failed`."""

    checked: Checked
    file: Path | None
    failed: bool = False


def feedback(run: Run, paths: Sequence[Path], unit: str | None, *, allow_unsealed: bool = False) -> list[Feedback]:
    """Check files and write a sealed feedback for each that has something to mend.

    By default the newest of each unit or department, heard or still in the inbox.
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
    """Where the newest workbook of each receiver lies, with the name under which it came; then what was never heard."""
    found: dict[Path, str] = {}
    for one, name in submissions.newest_workbooks(vault):
        folder = run.home.received if one.is_accepted else run.home.refused
        place = inbox.place_of(folder, one.issue, one.unit, one.id, one.received, "")
        found |= {path: name for path in place.parent.glob(f"{place.stem}.*")}
    return found | dict.fromkeys(loading.never_loaded(run, vault), "")


def _one(run: Run, path: Path, came_as: Path, checked: Checked, form: Form, taken: set[str]) -> Feedback:
    """Write the feedback on one file, if it is known whose it is; `taken` are the names of this run, kept up."""
    if not checked.issue:
        return Feedback(checked, None)
    password = run.keys.password(checked.issue, checked.unit)
    title = f"{run.campaign.recipient_name(checked.unit)}：{checked.file} 的反馈"
    # A file that was refused as a file is not opened again: then there is only the list of findings.
    is_readable = not any(f.rule[0] == "F" and f.severity is Severity.ERROR for f in checked.findings)
    data = take(path, run.campaign.limits) if is_readable else None
    content = _made(run, data, password, form, title, checked.findings)
    if content is None and data is not None:  # what cannot be marked is told in words alone, and that it could not
        content = _made(run, None, password, form, f"{title}（原表未能标色，请对照单元格位置修改）", checked.findings)
    if content is None:
        return Feedback(checked, None, failed=True)
    target = run.home.reports / checked.issue / name_of(run, came_as, checked.unit, taken)
    target.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(target, content)
    return Feedback(checked, target)


def name_of(run: Run, path: Path, unit: str, taken: set[str]) -> str:
    """What the feedback on a file of a unit is called: never as that on another file.

    Units call their files alike, so the unit's slug comes first. Names that had to be changed to be safe could become
    one: a keyed mark of the name as it came tells them apart. What is still the same within a run is numbered.
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
    """What `make` gives in a bounded child, or None if it was stopped or broke."""
    limits = run.campaign.limits
    bounds = Bounds(limits.seconds, limits.memory_bytes, limits.answer_bytes)
    try:
        made: bytes = run_bounded(make, arguments, bounds)
    except (Exceeded, Broke):
        return None
    return made


def make(data: bytes | None, password: str, form: Form, title: str, findings: Sequence[Finding]) -> bytes:
    """In the child: unseal, mark, seal again."""
    plain = None
    if data is not None:
        try:
            plain = unseal(data, [password]).plain
        except NotSealed:
            plain = data
    return seal(build_feedback(plain, form, title, findings), password)
