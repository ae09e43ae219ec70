"""The work summary (工作总结, M14) of each unit and of the city: a sealed Word document with the record's figures."""

from collections import Counter
from collections.abc import Sequence

from etl.exchange.annex_rows import UnitSums
from etl.forms.definitions import CASES
from etl.report.summary_document import Facts, build_summary, chinese_day, summary_list, summary_words
from etl.rulebook.campaign import BUREAU, Campaign
from etl.vault.record import annex_counts, casework, inspection
from etl.vault.store.open import Vault
from etl.workflow.correspondence import reminders
from etl.workflow.documents import Document, units_and_city, write_document
from etl.workflow.run import Run
from etl.workflow.writing import writing

_KIND = "summary"


def write_summaries(run: Run, unit: str | None, *, city: bool) -> list[Document]:
    """The summary of one unit, of the city, or of all. FuxueError for an unknown unit."""
    wanted = units_and_city(run, unit, city=city)
    done, made = run.bar("工作总结", len(wanted)), []
    with writing(run, records=False) as vault:
        for scope in wanted:
            content = build_summary(summary_facts(run, vault, scope), run.day)
            made.append(write_document(run, _KIND, scope, content, ".docx"))
            done()
    return made


def summary_facts(run: Run, vault: Vault, scope: str) -> Facts:
    """Numbers and lists of a unit or of the city (`BUREAU`), by the names that the summary's texts use."""
    campaign = run.campaign
    sums = _of(annex_counts.unit_sums(vault, campaign, run.day), scope)
    figures = figures_of(campaign, sums)
    categories = {one.label: sum(own.categories[one.code] for own in sums) for one in campaign.categories}
    return {
        "name": campaign.county if scope == BUREAU else campaign.unit[scope].name,
        "signer": campaign.recipient_name(scope),
        "notice": campaign.notice,
        "day": chinese_day(run.day),
        **figures,
        "categories": summary_list(categories),
        **_cases(vault, campaign, scope),
        **_corrections(vault, campaign, scope),
        **_left(run, vault, scope),
        **_lock(run, vault, scope),
    }


def figures_of(campaign: Campaign, sums: Sequence[UnitSums]) -> dict[str, int]:
    """Issued, verified, unverified, deducted, to return, returned, still out."""
    groups = Counter[str]()
    for one in sums:
        for code, number in one.categories.items():
            groups[campaign.category[code].group] += number
    issued, verified, returned = (sum(getattr(one, key) for one in sums) for key in ("issued", "verified", "returned"))
    return {
        "issued": issued,
        "verified": verified,
        "unverified": issued - verified,
        "deducted": groups["deducted"],
        "to_return": groups["to_return"],
        "returned": returned,
        "still_out": groups["to_return"] - returned,
    }


def _of(sums: Sequence[UnitSums], scope: str) -> list[UnitSums]:
    return [one for one in sums if scope in (BUREAU, one.unit)]


def _cases(vault: Vault, campaign: Campaign, scope: str) -> Facts:
    work = [one for one in casework.work(vault, campaign, CASES) if scope in (BUREAU, one.recipient)]
    measures = Counter(one.values["measure"] for one in work if one.values.get("measure"))
    schooling = Counter(one.values["schooling"] for one in work if one.values.get("schooling"))
    closed = sum(one.is_closed for one in work)
    return {
        "case_files": len(work),
        "closed_cases": closed,
        "open_cases": len(work) - closed,
        "with_measure": measures.total(),
        "without_measure": sum(not one.is_closed and not one.values.get("measure") for one in work),
        "measures": summary_list(dict(measures.most_common())),
        "schooled": schooling.total(),
        "schooling": summary_list(dict(schooling.most_common())),
    }


def _corrections(vault: Vault, campaign: Campaign, scope: str) -> Facts:
    opened, closed = Counter[str](), Counter[str]()
    for unit, department, still_open, done in casework.corrections_by_unit(vault):
        if scope in (BUREAU, unit):
            opened[department] += still_open + done
            closed[department] += done
    form = summary_words()["words"]["department"]
    parts = [
        form.format(name=campaign.recipient_name(slug), opened=number, closed=closed[slug])
        for slug, number in opened.items()
    ]
    return {"corrections": opened.total(), "by_department": "；".join(parts)}


def _left(run: Run, vault: Vault, scope: str) -> Facts:
    found = Counter[str]()
    for slug, one in reminders(run, vault).items():
        if scope in (BUREAU, slug):
            found.update(one.numbers)
    return {"left": found.total(), "left_words": summary_list(found, "words")}


def _lock(run: Run, vault: Vault, scope: str) -> Facts:
    lock = inspection.base_lock(vault)
    if lock is None or lock.day > run.day:
        return {"is_locked": 0, "changes": 0, "is_unchanged": 0}
    deducted = [category.code for category in run.campaign.categories if category.group == "deducted"]
    changed = [one for one in inspection.changes(vault, deducted)
               if scope in (BUREAU, one.unit) and one.day <= run.day]  # fmt: skip
    base = figures_of(run.campaign, _of(annex_counts.unit_sums(vault, run.campaign, lock.day), scope))
    return {
        "is_locked": 1,
        "locked_on": chinese_day(lock.day),
        "locked_by": lock.by,
        **{f"base_{key}": base[key] for key in ("issued", "deducted", "to_return")},
        "changes": len(changed),
        "is_unchanged": int(not changed),
    }
