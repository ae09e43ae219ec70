"""What the command line shows: tables, progress bars, findings, errors. Never a name or an ID number of a child."""

import datetime as dt
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from etl.campaign import Campaign
from etl.check.check import Checked
from etl.cli.demo import DemoResult
from etl.cli.issuing import Handed
from etl.cli.reporting import Feedback
from etl.cli.steps import Status as Standing
from etl.cli.texts import error_texts, text
from etl.findings import Finding, FuxueError, Severity
from etl.home import Home
from etl.released import Release, Status

#: Findings shown per file; the rest are counted.
SHOWN = 12
MARK = {Severity.ERROR: "[red]错误[/]", Severity.WARNING: "[yellow]提示[/]", Severity.NOTE: "[blue]备注[/]"}

_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
_settings = {"quiet": False, "json": False}
_progress: list[Progress] = []


#: What a run has to say in JSON: one document, however many things are said.
_document: dict[str, Any] = {}


def configure(*, quiet: bool | None = None, as_json: bool | None = None) -> None:
    """Set how much is said, and in which form, for the whole run."""
    _settings.update({name: value for name, value in (("quiet", quiet), ("json", as_json)) if value is not None})


def end() -> None:
    """Print what is left to say, and leave nothing behind for another run in this process."""
    flush()
    configure(quiet=False, as_json=False)


def flush() -> None:
    """Print the document, if JSON was asked for and there is something to say."""
    if _settings["json"] and _document:
        print(json.dumps(_document, ensure_ascii=False, default=str), flush=True)
    _document.clear()


def say(key: str, /, **params: Any) -> None:
    """One line from the catalogue, or its parameters as JSON."""
    if _settings["json"]:
        result(key, **params)
    elif not _settings["quiet"]:
        _out.print(text(key, **params), markup=False, soft_wrap=True)


def result(kind: str, /, **values: Any) -> None:
    """Add to the run's JSON document; the last kind names it."""
    _document.update({"result": kind} | values)


def fail(error: FuxueError) -> None:
    """What went wrong, in Chinese and English, on stderr; as JSON on stdout too if that was asked for."""
    chinese, english = error_texts(error)
    if _settings["json"]:
        result("error", key=error.key, message=chinese, message_en=english)
    _err.print(f"✗ {chinese}", style="bold red", markup=False, soft_wrap=True)
    _err.print(f"  {english}", style="dim", markup=False, soft_wrap=True)


def bar(title: str, total: int) -> Callable[[], None]:
    """A progress bar on stderr; call the result once per thing done. Silent where nobody watches."""
    if _settings["quiet"] or not sys.stderr.isatty() or total < 2:
        return lambda: None
    for old in _progress:
        old.stop()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=_err)
    _progress[:] = [progress]
    task = progress.add_task(title, total=total)
    progress.start()

    def tick() -> None:
        progress.advance(task)
        if progress.finished:
            progress.stop()

    return tick


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def show_findings(findings: Sequence[Finding]) -> None:
    """Findings one by one, the first few of each file; all of them in JSON."""
    if _settings["json"]:
        result("findings", findings=[_finding(finding) for finding in findings])
        return
    if not findings:
        return
    table = _table("", "规则", "位置", "说明与改法")
    for finding in findings[:SHOWN]:
        table.add_row(MARK[finding.severity], finding.rule, escape(finding.place), escape(finding.message))
    _out.print(table)
    if len(findings) > SHOWN:
        _out.print(f"…… 另有 {len(findings) - SHOWN} 处", markup=False)


def show_checked(kind: str, files: Sequence[tuple[Checked, str]]) -> None:
    """What became of each file: outcome, counts, the errors with their cells; notes and warnings as counts.

    `kind` is check (nothing is recorded) or load.
    """
    if _settings["json"]:
        result(kind, files=[_as_json(checked, outcome) for checked, outcome in files])
        return
    table = _table("文件", "结果", "错误", "提示", "备注")
    for checked, outcome in files:
        counts = [str(sum(f.severity is s for f in checked.findings)) for s in Severity]
        table.add_row(escape(checked.file), text(f"{kind}.{outcome}"), *counts)
    if not _settings["quiet"]:
        _out.print(table)
    for checked, outcome in files:
        if outcome == "refused":
            show_findings([f for f in checked.findings if f.severity is Severity.ERROR])
    outcomes = [outcome for _, outcome in files]
    say(f"{kind}.done", files=len(files), **{o: outcomes.count(o) for o in ("accepted", "refused", "known")})
    if unsealed := sum(not checked.sealed and outcome == "accepted" for checked, outcome in files):
        say("load.unsealed_left", count=unsealed)


def show_feedback(campaign: Campaign, made: Sequence[Feedback]) -> None:
    """Where each feedback lies, and over all of them: how often each rule was broken, and where first."""
    sums: dict[str, list[Finding]] = {}
    for finding in (finding for one in made for finding in one.checked.findings):
        sums.setdefault(finding.rule, []).append(finding)
    if _settings["json"]:
        files = [{"file": m.checked.file, "unit": m.checked.unit, "feedback": m.file and str(m.file)} for m in made]
        rules = {rule: {"count": len(own), "first": [f.place for f in own[:3]]} for rule, own in sums.items()}
        result("feedback", files=files, rules=rules)
        return
    if sums and not _settings["quiet"]:
        _out.print(_rules(sums))
    for one in made:
        name = campaign.recipient_name(one.checked.unit)
        say("report.feedback" if one.file else "report.nobody", name=name, file=one.file or one.checked.file)
    if not made:
        say("report.nothing")


def _rules(sums: Mapping[str, Sequence[Finding]]) -> Table:
    table = _table("", "规则", "处数", "最先几处", "说明与改法")
    for rule, own in sorted(sums.items(), key=lambda pair: (list(Severity).index(pair[1][0].severity), pair[0])):
        places = "\n".join(finding.place for finding in own[:3])
        table.add_row(MARK[own[0].severity], rule, str(len(own)), escape(places), escape(own[0].message))
    return table


def _as_json(checked: Checked, outcome: str) -> dict[str, object]:
    findings = [_finding(finding) for finding in checked.findings]
    return {"file": checked.file, "outcome": outcome, "unit": checked.unit, "findings": findings}


def _finding(finding: Finding) -> dict[str, object]:
    fields = ("rule", "severity", "file", "sheet", "cell", "serial", "message", "message_en")
    return {name: getattr(finding, name) for name in fields}


def show_issue(handed: Handed, home: Home) -> None:
    """What issuing a list did; FuxueError (exit 1) if it has faults or leaves something for a person to decide."""
    show_findings(handed.findings)
    if handed.papers and not _settings["json"]:
        for paper in handed.papers:
            say(f"issue.{paper.stem}", file=paper)
    if not handed.issue:
        result("findings", papers=[str(paper) for paper in handed.papers])
        count = sum(finding.severity is Severity.ERROR for finding in handed.findings)
        raise FuxueError("issue.refused", count=count, code=1)
    say("issue.done", issue=handed.issue, children=handed.rows, units=handed.receivers,
        folder=home.outbox / handed.issue)  # fmt: skip
    whole = handed.completeness
    say("issue.complete", listed=whole.listed, issued=whole.issued, excluded=whole.excluded, known=handed.known)
    result("issue.done")


def show_passwords(campaign: Campaign, passwords: Sequence[tuple[str, str, str]]) -> None:
    """Passwords of workbooks, for the custodian to hand over apart from the files."""
    if _settings["json"]:
        result("passwords", passwords=[dict(zip(("issue", "unit", "password"), p, strict=True)) for p in passwords])
        return
    table = _table("下发", "单位", "口令")
    for issue, unit, password in passwords:
        table.add_row(issue, campaign.recipient_name(unit), password)
    _out.print(table)


def show_status(campaign: Campaign, day: dt.date, status: Standing) -> None:
    """Where each unit stands, and how many days are left; the list's completeness; corrections and cases."""
    left = (campaign.reports_due - day).days
    whole = status.completeness
    if _settings["json"]:
        result("status", as_of=day, days_left=left, units=[vars(row) for row in status.units],
               listed=whole.listed, issued=whole.issued, excluded=whole.excluded,
               corrections=_open_closed(status.corrections), cases=_open_closed(status.cases))  # fmt: skip
        return
    when = f"距上报截止还有 {left} 天" if left >= 0 else f"已超过上报截止 {-left} 天"
    table = _table("单位", "下发人数", "收到", "退回", "状态", "建档未复学", title=f"{day}　{when}")
    for row in status.units:
        state = "[green]已报齐[/]" if row.is_complete else "[red]未报齐[/]"
        cases = str(status.cases.get(row.unit, (0, 0))[0])
        table.add_row(
            campaign.unit[row.unit].name, str(row.children), str(row.received), str(row.refused), state, cases
        )
    _out.print(table)
    say("status.complete", listed=whole.listed, issued=whole.issued, excluded=whole.excluded)
    for slug, (open_, closed) in status.corrections.items():
        say("status.corrections", name=campaign.recipient_name(slug), open=open_, closed=closed)


def _open_closed(sums: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {slug: {"open": open_, "closed": closed} for slug, (open_, closed) in sums.items()}


def show_release(campaign: Campaign, release: Release, home: Home, *, dry_run: bool) -> None:
    """What a release tells and withholds."""
    cells = [(row, cell) for table in release.tables for (row, _), cell in table.cells.items()]
    printed = sum(cell.status is Status.PUBLISHED for _, cell in cells)
    withheld = sum(cell.status is Status.SUPPRESSED for _, cell in cells)
    if silent := sorted({row for row, cell in cells if cell.status is Status.NOT_DUE}):
        say("release.silent", count=len(silent), units="、".join(campaign.unit[slug].name for slug in silent))
    folder = home.released / release.name
    key = "release.dry" if dry_run else "release.done"
    say(key, release=release.name, printed=printed, withheld=withheld, folder=folder)


def show_demo(demo: DemoResult, home: Home) -> None:
    """The closing table: what was done, where to look, how to serve."""
    look = {
        "网页": home.public / "site" / "index.html",
        "开放数据": home.public / "fuxue.db",
        "公布": home.released / demo.release.name,
        "加密库": home.vault,
    }
    if _settings["json"]:
        result("demo", steps=demo.lines, look=look, release=demo.release.name)
        return
    if _settings["quiet"]:
        return
    table = _table("步骤", "结果", "秒", title=text("demo.title"))
    for what, how_much, seconds in demo.lines:
        table.add_row(what, how_much, f"{seconds:.1f}")
    table.add_section()
    for what, path in look.items():
        table.add_row(what, str(path), "")
    table.add_section()
    table.add_row("启动查询与网站", "make serve", "")
    for name, password in demo.accounts:
        table.add_row(f"演示账号 {name}", password, "")
    _out.print(table)


def show_addresses(host: str, ports: Mapping[str, int], logins: Sequence[tuple[str, str]]) -> None:
    """Where to look with a browser; for a demo, whom to log in as."""
    shown = f"[{host}]" if ":" in host else host
    addresses = {name: f"http://{shown}:{port}/" for name, port in ports.items()}
    if _settings["json"]:
        result("serve", addresses=addresses, logins=dict(logins))
        flush()  # now: serving goes on until it is interrupted
        return
    for name, address in addresses.items():
        say(f"serve.{name}", address=address)
    for name, password in logins:
        say("serve.login", name=name, password=password)


def show_staff(accounts: Sequence[tuple[str, str, bool, str]]) -> None:
    """All staff accounts."""
    if _settings["json"]:
        result(
            "staff",
            accounts=[dict(zip(("name", "scopes", "disabled", "last_login"), a, strict=True)) for a in accounts],
        )
        return
    table = _table("账号", "范围", "停用", "最近登录")
    for name, scopes, disabled, last in accounts:
        table.add_row(name, scopes, "是" if disabled else "", last)
    _out.print(table)
