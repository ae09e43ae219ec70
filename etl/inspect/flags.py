"""The inspectorate's flags (M19): reports that are unlikely by chance or in the time given. Questions, not verdicts."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from etl.exchange.current_answer import CurrentAnswer
from etl.exchange.flag import Flag
from etl.inspect.chance import as_far, at_least
from etl.rulebook.campaign import Campaign
from etl.rulebook.flag_rules import FlagRule

#: Separators between the names of a team.
SEPARATORS = re.compile(r"[\s、，,;；/.和及]+")
#: A unit is compared with the others only if they have given at least this many answers.
PEERS = 30

#: How often each (code, 复学情况) was answered.
Answers = Counter[tuple[str, str]]


@dataclass(frozen=True)
class _Ask:
    """The input of every test: its rule, the significance level `alpha`, and all rows and counted answers by unit.

    `deducted` are the codes A–H. `visiting` is the number of days from the notice to the day when all visits are due
    (M5), counting both.
    """

    rule: FlagRule
    alpha: float
    rows: Mapping[str, Sequence[CurrentAnswer]]
    answers: Mapping[str, Answers]
    deducted: frozenset[str]
    visiting: int

    @cached_property
    def _all(self) -> Answers:
        return sum(self.answers.values(), Answers())

    def others(self, unit: str) -> Answers:
        """The answers of all units but one."""
        return self._all - self.answers[unit]


#: (a unit that a test flags, the parameters of the message).
Hit = tuple[str, Mapping[str, object]]


def find_flags(reported: Sequence[CurrentAnswer], campaign: Campaign) -> list[Flag]:
    """All flags on the current answers of all units, in the order of the rules, then of the campaign's units."""
    own: dict[str, list[CurrentAnswer]] = {unit.slug: [] for unit in campaign.units}
    for row in reported:
        own.get(row.unit, []).append(row)  # rows of a unit that the campaign no longer has are left out
    rows = {unit: theirs for unit, theirs in own.items() if theirs}
    answers = {unit: Answers((row.code, row.returned) for row in theirs) for unit, theirs in rows.items()}
    deducted = frozenset(category.code for category in campaign.categories if category.group == "deducted")
    visiting = max((campaign.verification_due - campaign.noticed).days + 1, 1)
    flags = []
    for rule in campaign.inspection.flags:
        ask = _Ask(rule, campaign.inspection.alpha, rows, answers, deducted, visiting)
        for unit, params in _TESTS[rule.test](ask):
            flags.append(Flag(rule.id, unit, rule.message.format(**params), rule.message_en.format(**params)))
    return flags


def _deductions(ask: _Ask) -> Iterator[Hit]:
    """Units whose share of deducted children differs from that of all others (exact test, Bonferroni-corrected)."""
    for unit, rows in ask.rows.items():
        others = ask.others(unit)
        if others.total() < PEERS:
            continue
        count = _deducted(ask, ask.answers[unit])
        peers = _share(_deducted(ask, others), others.total())
        is_far = abs(count / len(rows) - peers) >= ask.rule.params["least_difference"]
        if is_far and as_far(count, len(rows), peers) <= ask.alpha / len(ask.rows):
            yield unit, {"count": count, "of": len(rows), "share": _percent(count / len(rows)),
                         "peers": _percent(peers), "chance": _chance(ask.alpha)}  # fmt: skip


def _deducted(ask: _Ask, answers: Answers) -> int:
    return sum(count for (code, _), count in answers.items() if code in ask.deducted)


def _returned(ask: _Ask, answers: Answers) -> tuple[int, int]:
    """(number of children returned, number of children to return)."""
    back = sum(count for (code, returned), count in answers.items() if code not in ask.deducted and returned == "是")
    return back, answers.total() - _deducted(ask, answers)


def _all_returned(ask: _Ask) -> Iterator[Hit]:
    """Units with all children returned, although at the others' rate some should still be out."""
    to_return = {unit: _returned(ask, answers) for unit, answers in ask.answers.items()}
    asked = {unit: pair for unit, pair in to_return.items() if pair[1] >= ask.rule.params["least"]}
    for unit, (own, of) in asked.items():
        back, others = _returned(ask, ask.others(unit))
        if others < PEERS or own < of:
            continue
        peers = min(_share(back, others), ask.rule.params["plausible"])
        if peers**of <= ask.alpha / len(asked):
            yield unit, {"of": of, "peers": _percent(peers), "chance": _chance(ask.alpha)}


def _members(team: str) -> frozenset[str]:
    """The names of a team, regardless of order and separators."""
    return frozenset(name for name in SEPARATORS.split(team) if name)


def _same_team(ask: _Ask) -> Iterator[Hit]:
    """Units with a team that made more visits per day than is plausible (`most_per_day`)."""
    most = ask.rule.params["most_per_day"]
    for unit, rows in ask.rows.items():
        doors = Counter((_members(row.first_team), min(row.days, ask.visiting)) for row in rows)
        (_, days), count = max(doors.items(), key=lambda pair: (pair[1] / pair[0][1], pair[1]))
        if count > most * days:
            yield unit, {"count": count, "days": days, "rate": -(-count // days), "most": most}


def _copied_down(ask: _Ask) -> Iterator[Hit]:
    """Units with a run of equal answers, row after row, that is too long for chance."""
    total = sum(map(len, ask.rows.values()))
    for unit, rows in ask.rows.items():
        longest = max(len(list(run)) for _, run in groupby(rows, key=lambda row: (row.code, row.returned)))
        least = _least_run(ask, total, ask.others(unit))
        if least and longest >= least:
            yield unit, {"count": longest, "least": least, "chance": _chance(ask.alpha)}


def _least_run(ask: _Ask, total: int, answers: Answers) -> int:
    """The shortest run that is expected at most `alpha` times among all rows, given the others' `answers`.

    A run of r rows may begin at each of `total` rows, with probability share**r for an answer of this share. 0 if there
    are fewer than `PEERS` answers.
    """
    given = answers.total()
    if given < PEERS:
        return 0
    shares = [_share(count, given) for count in answers.values()]
    least = int(ask.rule.params["least"])
    while total * sum(share**least for share in shares) > ask.alpha:
        least += 1
    return least


def _after_lock(ask: _Ask) -> Iterator[Hit]:
    """Units that moved more children from to-return to deducted after the base was locked than is plausible."""
    locked = {unit: [row for row in rows if row.locked and row.locked not in ask.deducted]
              for unit, rows in ask.rows.items()}  # fmt: skip
    asked = {unit: rows for unit, rows in locked.items() if rows}
    for unit, rows in asked.items():
        moved = [row for row in rows if row.code in ask.deducted]
        chance = at_least(len(moved), len(rows), ask.rule.params["plausible"])
        if len(moved) >= ask.rule.params["least"] and chance <= ask.alpha / len(asked):
            ways = Counter(f"{row.locked}→{row.code}" for row in moved)
            yield unit, {"count": len(moved), "of": len(rows),
                         "changes": "、".join(f"{way} {count}" for way, count in sorted(ways.items()))}  # fmt: skip


def _no_police(ask: _Ask) -> Iterator[Hit]:
    """Units with more missing children (G) without a police reference than the rule allows."""
    for unit, rows in ask.rows.items():
        missing = [row for row in rows if row.code == "G"]
        unknown = sum(not row.has_police_ref for row in missing)
        if unknown > ask.rule.params["most"]:
            yield unit, {"count": unknown, "of": len(missing)}


def _share(count: int, of: int) -> float:
    """An estimated share by Laplace's rule of succession, which is never 0 or 1."""
    return (count + 1) / (of + 2)


def _percent(share: float) -> str:
    return f"{share * 100:.0f}"


def _chance(alpha: float) -> str:
    return f"{alpha * 100:g}%"


_TESTS: Mapping[str, Callable[[_Ask], Iterator[Hit]]] = {
    "deductions": _deductions,
    "all_returned": _all_returned,
    "same_team": _same_team,
    "copied_down": _copied_down,
    "after_lock": _after_lock,
    "no_police": _no_police,
}
