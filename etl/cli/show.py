"""Printing results of commands: tables, sums, paths. Names and ID numbers of children are never printed."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence

from rich.table import Table

from etl.cli import console
from etl.exchange.checked import Checked
from etl.findings import Finding, FuxueError, Severity
from etl.rulebook.campaign import Campaign
from etl.system.home import Home
from etl.workflow import inspecting
from etl.workflow.demonstrating import DemoResult
from etl.workflow.issuing import Handed
from etl.workflow.reporting import Feedback
from etl.workflow.run import Run
from etl.workflow.standing import Standing as Standing
from etl.workflow.texts import text

#: The most findings shown per file; the others are only counted.
MOST_SHOWN = 12
SEVERITY_MARKS = {Severity.ERROR: "[red]错误[/]", Severity.WARNING: "[yellow]提示[/]", Severity.NOTE: "[blue]备注[/]"}


def empty_table(*columns: str, title: str | None = None) -> Table:
    """An empty table with these headings."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def show_findings(findings: Sequence[Finding]) -> None:
    """Show the first findings in a table; in JSON all of them."""
    if console.wants_json():
        console.result("findings", findings=[_finding(finding) for finding in findings])
        return
    if not findings:
        return
    table = empty_table("", "规则", "位置", "说明与改法")
    for finding in findings[:MOST_SHOWN]:
        table.add_row(
            SEVERITY_MARKS[finding.severity],
            finding.rule,
            console.escape_markup(finding.place),
            console.escape_markup(finding.message),
        )
    console.show(table, always=True)
    if len(findings) > MOST_SHOWN:
        console.show(f"…… 另有 {len(findings) - MOST_SHOWN} 处", always=True)


def show_checked(kind: str, files: Sequence[tuple[Checked, str]]) -> None:
    """Show the outcome of each file with the numbers of its findings, and the errors of refused files.

    `files` are (result of checking, outcome); `kind` is ``check`` or ``load``.
    """
    if console.wants_json():
        console.result(kind, files=[_as_json(checked, outcome) for checked, outcome in files])
        return
    table = empty_table("文件", "结果", "错误", "提示", "备注")
    for checked, outcome in files:
        counts = [str(sum(f.severity is s for f in checked.findings)) for s in Severity]
        table.add_row(console.escape_markup(checked.file), text(f"{kind}.{outcome}"), *counts)
    console.show(table)
    for checked, outcome in files:
        if outcome == "refused":
            show_findings([f for f in checked.findings if f.severity is Severity.ERROR])
    outcomes = [outcome for _, outcome in files]
    console.say(
        f"{kind}.done",
        files=len(files),
        **{o: outcomes.count(o) for o in ("accepted", "refused", "known", "superseded")},
    )
    if unsealed := sum(not checked.sealed and outcome == "accepted" for checked, outcome in files):
        console.say("load.unsealed_left", count=unsealed)


def show_feedback(campaign: Campaign, made: Sequence[Feedback]) -> None:
    """Show how often each rule was broken with the first places, and the path of each feedback."""
    sums: dict[str, list[Finding]] = {}
    for finding in (finding for one in made for finding in one.checked.findings):
        sums.setdefault(finding.rule, []).append(finding)
    if console.wants_json():
        files = [
            {"file": m.checked.file, "unit": m.checked.unit, "feedback": m.file and str(m.file), "failed": m.failed}
            for m in made
        ]
        rules = {rule: {"count": len(own), "first": [f.place for f in own[:3]]} for rule, own in sums.items()}
        console.result("feedback", files=files, rules=rules)
        return
    if sums:
        console.show(_rules(sums))
    for one in made:
        name = campaign.recipient_name(one.checked.unit)
        if one.failed:
            console.fail(FuxueError("report.failed", file=one.checked.file))
        else:
            console.say(
                "report.feedback" if one.file else "report.nobody", name=name, file=one.file or one.checked.file
            )
    if not made:
        console.say("report.nothing")


def _rules(sums: Mapping[str, Sequence[Finding]]) -> Table:
    table = empty_table("", "规则", "处数", "最先几处", "说明与改法")
    for rule, own in sorted(sums.items(), key=lambda pair: (list(Severity).index(pair[1][0].severity), pair[0])):
        places = "\n".join(finding.place for finding in own[:3])
        table.add_row(
            SEVERITY_MARKS[own[0].severity],
            rule,
            str(len(own)),
            console.escape_markup(places),
            console.escape_markup(own[0].message),
        )
    return table


def _as_json(checked: Checked, outcome: str) -> dict[str, object]:
    findings = [_finding(finding) for finding in checked.findings]
    return {"file": checked.file, "outcome": outcome, "unit": checked.unit, "findings": findings}


def _finding(finding: Finding) -> dict[str, object]:
    fields = ("rule", "severity", "file", "sheet", "cell", "serial", "message", "message_en")
    return {name: getattr(finding, name) for name in fields}


def show_issue(handed: Handed, home: Home) -> None:
    """Show the result of issuing a list. FuxueError (exit 1) if the list has faults or needs decisions."""
    show_findings(handed.findings)
    if handed.decision_workbooks and not console.wants_json():
        for workbook in handed.decision_workbooks:
            console.say(f"issue.{workbook.stem}", file=workbook)
    if not handed.issue:
        console.result("findings", decision_workbooks=[str(workbook) for workbook in handed.decision_workbooks])
        count = sum(finding.severity is Severity.ERROR for finding in handed.findings)
        raise FuxueError("issue.refused", count=count, code=1)
    console.say("issue.done", issue=handed.issue, children=handed.rows, units=handed.recipients,
        folder=home.outbox / handed.issue)  # fmt: skip
    whole = handed.completeness
    console.say("issue.complete", listed=whole.listed, issued=whole.issued, excluded=whole.excluded, known=handed.known)
    console.result("issue.done")


def show_passwords(campaign: Campaign, passwords: Sequence[tuple[str, str, str]]) -> None:
    """Show passwords of workbooks; the custodian hands them over separately from the files."""
    if console.wants_json():
        console.result(
            "passwords", passwords=[dict(zip(("issue", "unit", "password"), p, strict=True)) for p in passwords]
        )
        return
    table = empty_table("下发", "单位", "口令")
    for issue, unit, password in passwords:
        table.add_row(issue, campaign.recipient_name(unit), password)
    console.show(table, always=True)


def show_status(campaign: Campaign, day: dt.date, status: Standing, home: Home) -> None:
    """Show the status of each unit, days left, completeness of the list, corrections, cases, and files not loaded."""
    left = (campaign.reports_due - day).days
    whole = status.completeness
    if console.wants_json():
        console.result("status", as_of=day, days_left=left, units=[vars(row) for row in status.units],
               listed=whole.listed, issued=whole.issued, excluded=whole.excluded,
               corrections=_open_closed(status.corrections), cases=_open_closed(status.cases),
               deliverables=[vars(one) | {"state": one.state} for one in status.ledger],
               returns_without_receipt=dict(Counter(one.unit for one in status.bare_returns)),
               not_loaded=status.not_loaded)  # fmt: skip
        return
    when = f"距上报截止还有 {left} 天" if left >= 0 else f"已超过上报截止 {-left} 天"
    table = empty_table(
        "单位", "下发人数", "收到", "退回", "状态", "建档未复学", "复学缺凭据", "材料", title=f"{day}　{when}"
    )
    bare = Counter(one.unit for one in status.bare_returns)
    for row in status.units:
        state = "[green]已报齐[/]" if row.is_complete else "[red]未报齐[/]"
        cases = str(status.cases.get(row.unit, (0, 0))[0])
        owed = [one.state == "received" for one in status.ledger if one.unit == row.unit]
        table.add_row(
            campaign.unit[row.unit].name, str(row.children), str(row.received), str(row.refused), state, cases,
            str(bare[row.unit]), f"{sum(owed)}/{len(owed)}",
        )  # fmt: skip
    console.show(table, always=True)
    console.say("status.complete", listed=whole.listed, issued=whole.issued, excluded=whole.excluded)
    for slug, (open_, closed) in status.corrections.items():
        console.say("status.corrections", name=campaign.recipient_name(slug), open=open_, closed=closed)
    if status.not_loaded:
        console.say("status.not_loaded", count=status.not_loaded, folder=home.inbox)


def _open_closed(sums: Mapping[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {slug: {"open": open_, "closed": closed} for slug, (open_, closed) in sums.items()}


def show_demo(demo: DemoResult, home: Home) -> None:
    """Show the demo's steps, the paths of its results, and how to serve it."""
    look = {
        "网页": home.public / "site" / "index.html",
        "开放数据": home.public / "fuxue.db",
        "公布": home.released / demo.release.name,
        "加密库": home.vault,
    }
    if console.wants_json():
        console.result("demo", steps=demo.lines, look=look, release=demo.release.name)
        return
    table = empty_table("步骤", "结果", "秒", title=text("demo.title"))
    for what, how_much, seconds in demo.lines:
        table.add_row(what, how_much, f"{seconds:.1f}")
    table.add_section()
    for what, path in look.items():
        table.add_row(what, str(path), "")
    table.add_section()
    table.add_row("启动查询与网站", "make serve", "")
    for name, password in demo.accounts:
        table.add_row(f"演示账号 {name}", password, "")
    console.show(table)


def show_addresses(
    host: str, ports: Mapping[str, int], logins: Sequence[tuple[str, str]], *, tls: bool = False
) -> None:
    """Show the servers' addresses, and for a demo the `logins` (name, password); `tls` is about the staff instance."""
    shown = f"[{host}]" if ":" in host else host
    schemes = {"staff": "https" if tls else "http"}
    addresses = {name: f"{schemes.get(name, 'http')}://{shown}:{port}/" for name, port in ports.items()}
    if console.wants_json():
        console.result("serve", addresses=addresses, logins=dict(logins))
        console.flush()  # immediately, because the command runs until it is interrupted
        return
    for name, address in addresses.items():
        console.say(f"serve.{name}", address=address)
    for name, password in logins:
        console.say("serve.login", name=name, password=password)


def show_staff(accounts: Sequence[tuple[str, str, bool, str]]) -> None:
    """Show all staff accounts, each (name, scopes, is disabled, last login)."""
    if console.wants_json():
        console.result(
            "staff",
            accounts=[dict(zip(("name", "scopes", "disabled", "last_login"), a, strict=True)) for a in accounts],
        )
        return
    table = empty_table("账号", "范围", "停用", "最近登录")
    for name, scopes, disabled, last in accounts:
        table.add_row(name, scopes, "是" if disabled else "", last)
    console.show(table, always=True)


def show_inspected(run: Run, found: inspecting.Inspected) -> None:
    """Show the flags with their reasons, the bounds of the sample, and the workbook's path; no names."""
    if console.wants_json():
        fields = ("rule", "unit", "message", "message_en")
        console.result("flags", flags=[{name: getattr(flag, name) for name in fields} for flag in found.flags])
    elif found.flags:
        table = empty_table("单位", "编号", "疑点与理由")
        for flag in found.flags:
            table.add_row(run.campaign.unit[flag.unit].name, flag.rule, console.escape_markup(flag.message))
        console.show(table)
    units = len({flag.unit for flag in found.flags})
    console.say(
        "flags.found" if found.flags else "flags.none", answers=found.answers, count=len(found.flags), units=units
    )
    if not found.is_locked:
        console.say("flags.not_locked")
    if (sample := found.sample) is not None:
        drawn = sample.sample
        console.say("flags.bound", **inspecting.bounds(run, drawn))
        about = {"number": sample.number, "seed": drawn.seed, "size": drawn.size, "of": drawn.population}
        console.result("flags", sample=about)
    console.say("flags.file", file=found.file)
    console.result("flags")
