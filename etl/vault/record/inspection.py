"""For the inspectorate: answers without names, from which flags are found; the base lock; samples for second visits."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

from etl.exchange.current_answer import CurrentAnswer
from etl.exchange.sample import Sample
from etl.findings import FuxueError
from etl.system.dates import parse_date
from etl.vault.record.count import CURRENT, moment
from etl.vault.store import chain
from etl.vault.store.open import Vault

# Every current answer, with the team and the day of the unit's first accepted workbook, and the category in the locked
# base.
REPORTED = f"""
{CURRENT}, first AS (
  SELECT min(id) AS id, issue, unit FROM workbook WHERE status = 'accepted' AND received <= :day GROUP BY issue, unit
), lock AS (
  SELECT max(w.id) AS id FROM workbook w
  JOIN base_lock b ON w.id <= b.last_workbook AND w.received <= b.locked_on AND b.locked_on <= :day
  WHERE w.status = 'accepted' GROUP BY w.issue, w.unit
), locked AS (
  SELECT a.* FROM lock JOIN answer a ON a.workbook = lock.id
)
SELECT c.unit, c.issue, c.serial, a.category, a.returned, f.team,
       CAST(max(julianday(w.received) - julianday(i.issued_on), 0) AS INTEGER) + 1,
       coalesce(l.category, ''),
       EXISTS (SELECT 1 FROM police_ref p WHERE p.issue = c.issue AND p.serial = c.serial AND p.recorded_on <= :day)
FROM said a
JOIN child c ON c.issue = a.issue AND c.serial = a.serial
JOIN issue i ON i.id = c.issue
JOIN first ON first.issue = c.issue AND first.unit = c.unit
JOIN workbook w ON w.id = first.id
JOIN answer f ON f.workbook = first.id AND f.serial = c.serial
LEFT JOIN locked l ON l.issue = c.issue AND l.serial = c.serial
ORDER BY c.issue, c.serial
"""

# Every answer outside the locked base that moves a child into or out of the deducted, with the category before it.
# An answer received after the day of the lock is outside, even if its workbook has a lower number than the lock names.
CHANGES = """
WITH given AS (
  SELECT a.*, w.id > b.last_workbook OR w.received > b.locked_on AS is_later
  FROM answer a JOIN workbook w ON w.id = a.workbook JOIN base_lock b
), version AS (
  SELECT issue, serial, workbook, category, is_later,
         lag(category) OVER (PARTITION BY issue, serial ORDER BY is_later, workbook) AS earlier
  FROM given
)
SELECT w.received, w.unit, v.issue, v.serial, coalesce(v.earlier, ''), v.category, f.name, f.leader,
       coalesce(n.name, '')
FROM version v JOIN workbook w ON w.id = v.workbook JOIN filler f ON f.workbook = w.id
LEFT JOIN file_name n ON n.workbook = w.id
WHERE v.is_later
  AND (v.category IN ({marks})) <> (coalesce(v.earlier, '') IN ({marks}))
ORDER BY v.workbook, v.issue, v.serial
"""


@dataclass(frozen=True)
class Change:
    """An answer that changed the base after its lock (M13), with the workbook's file name, filler and leader.

    `earlier` and `code` are the categories before and after; `earlier` is empty if the child had no answer yet.
    """

    day: dt.date
    unit: str
    issue: str
    serial: str
    earlier: str
    code: str
    filler: str
    leader: str
    file: str


@dataclass(frozen=True)
class Drawn:
    """A child of a sample, with what its unit had reported when the sample was drawn."""

    unit: str
    issue: str
    serial: str
    name: str = field(repr=False)
    household: str = field(repr=False)
    code: str
    returned: str


@dataclass(frozen=True)
class Lock:
    """The locked base (M13): day, person, and the sums that it fixed."""

    day: dt.date
    by: str
    suspected: int
    unverified: int
    deducted: int
    returned: int


def current_answers(vault: Vault, day: dt.date) -> list[CurrentAnswer]:
    """The current answers as of `day`, sorted by issue and serial."""
    rows = vault.connection.execute(REPORTED, moment(vault, day))
    names = [column.name for column in fields(CurrentAnswer)]
    return [CurrentAnswer(**dict(zip(names, row, strict=True)) | {"has_police_ref": bool(row[-1])}) for row in rows]


def insert_base_lock(vault: Vault, deducted: Sequence[str], by: str, day: dt.date) -> Lock:
    """Lock the base as of `day`; `deducted` are the codes of 核减.

    It covers what was issued and accepted by that day; later answers count as changes. FuxueError if the base is locked
    already or nothing was issued.
    """
    marks = ", ".join(f":code{n}" for n in range(len(deducted)))
    codes = {f"code{n}": code for n, code in enumerate(deducted)}
    with vault.transaction() as db:
        if (before := base_lock(vault)) is not None:
            raise FuxueError("base.locked", day=before.day, by=before.by)
        db.execute(
            f"""INSERT INTO base_lock {CURRENT}
            SELECT 1, :day, :by, (SELECT coalesce(max(id), 0) FROM workbook WHERE received <= :day), count(*),
                   sum(a.serial IS NULL), coalesce(sum(a.category IN ({marks})), 0), coalesce(sum(a.returned = '是'), 0)
            FROM child c JOIN issue i ON i.id = c.issue AND i.issued_on <= :day
            LEFT JOIN said a ON a.issue = c.issue AND a.serial = c.serial HAVING count(*) > 0""",
            {**moment(vault, day), **codes, "by": by},
        )
        lock = base_lock(vault)
        if lock is None:
            raise FuxueError("issue.none")
        chain.append(vault, "base_lock", 1, day)
    return lock


def base_lock(vault: Vault) -> Lock | None:
    """The locked base, or None if it is not locked."""
    query = "SELECT locked_on, locked_by, suspected, unverified, deducted, returned FROM base_lock"
    row = vault.connection.execute(query).fetchone()
    return None if row is None else Lock(parse_date(row[0]), *row[1:])


def changes(vault: Vault, deducted: Sequence[str]) -> list[Change]:
    """Every answer after the lock that moves a child into or out of `deducted`; empty while the base is not locked."""
    query = CHANGES.format(marks=", ".join("?" for _ in deducted))
    rows = vault.connection.execute(query, [*deducted, *deducted])
    return [Change(parse_date(day), *rest) for day, *rest in rows]


@dataclass(frozen=True)
class RecordedSample:
    """A sample on record: its number, who drew it and when, and its children with the answers of that time."""

    number: int
    by: str
    day: dt.date
    sample: Sample
    children: Sequence[Drawn]


def record_sample(vault: Vault, sample: Sample, by: str, day: dt.date) -> int:
    """Record a sample with its seed and the person who drew it, in one transaction; return its number."""
    with vault.transaction() as db:
        number = chain.next_id(db, "revisit")
        db.execute(
            "INSERT INTO revisit VALUES (?, ?, ?, ?, ?, ?, ?)",
            [number, day.isoformat(), by, sample.seed, sample.margin, sample.if_none, sample.population],
        )
        keys = [(number, *key) for own in sample.chosen.values() for key in own]
        db.executemany("INSERT INTO revisit_child VALUES (?, ?, ?)", keys)
        chain.append(vault, "revisit", number, day)
    return number


def recorded_sample(vault: Vault, number: int) -> RecordedSample:
    """The sample with a number, as drawn. FuxueError if there is none, or if its children were purged."""
    query = "SELECT drawn_by, drawn_on, seed, margin, if_none, coalesce(population, 0) FROM revisit WHERE id = ?"
    row = vault.connection.execute(query, [number]).fetchone()
    chosen: dict[str, list[tuple[str, str]]] = {}
    query = """SELECT c.unit, r.issue, r.serial FROM revisit_child r JOIN child c
               ON c.issue = r.issue AND c.serial = r.serial WHERE r.revisit = ? ORDER BY c.unit, r.issue, r.serial"""
    for unit, *key in vault.connection.execute(query, [number]):
        chosen.setdefault(unit, []).append((key[0], key[1]))
    if row is None or not chosen:
        raise FuxueError("flags.no_sample", number=number)
    by, day, seed, margin, if_none, population = row
    sample = Sample(seed, {unit: tuple(own) for unit, own in chosen.items()}, population, margin, if_none)
    drawn_on = parse_date(day)
    return RecordedSample(number, by, drawn_on, sample, _drawn(vault, number, drawn_on, chosen))


def _drawn(vault: Vault, number: int, day: dt.date, units: Mapping[str, object]) -> list[Drawn]:
    query = f"""{CURRENT}
    SELECT c.unit, c.issue, c.serial, c.name, c.household, a.category, a.returned
    FROM revisit_child r JOIN child c ON c.issue = r.issue AND c.serial = r.serial
    JOIN said a ON a.issue = c.issue AND a.serial = c.serial
    WHERE r.revisit = :number ORDER BY c.issue, c.serial"""
    order = sorted(units)
    link = vault.connection.execute("SELECT id FROM link WHERE kind = 'revisit' AND subject = ?", [str(number)])
    as_drawn = moment(vault, day, link.fetchone()[0])
    rows = vault.connection.execute(query, as_drawn | {"number": number})
    return sorted((Drawn(*row) for row in rows), key=lambda one: order.index(one.unit))
