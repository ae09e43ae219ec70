-- Version 6: drops the fingerprint over an issue, which would confirm a guess after a purge; moves file names to a table
-- that a purge can clear; adds wrong values, restorations with what they took back, and the population of a sample.
-- `etl/vault/upkeep/upgrade.py` verifies the old chain first, then computes all leaves and seals again.

DROP TRIGGER issue_immutable;
DROP TRIGGER issue_kept;
DROP TRIGGER workbook_immutable;
DROP TRIGGER workbook_kept;
DROP VIEW case_state;
DROP VIEW measure;
DROP VIEW correction_state;
DROP VIEW current_entry;
DROP VIEW current_answer;
DROP VIEW current_workbook;

CREATE TABLE new_issue (
  id          TEXT PRIMARY KEY,
  issued_on   TEXT NOT NULL CHECK (issued_on GLOB '????-??-??'),
  form        TEXT NOT NULL,
  extends     TEXT REFERENCES issue (id),
  key         INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO new_issue SELECT id, issued_on, form, extends, key FROM issue;
DROP TABLE issue;
ALTER TABLE new_issue RENAME TO issue;

CREATE TABLE file_name (
  workbook INTEGER PRIMARY KEY REFERENCES workbook (id),
  name     TEXT NOT NULL
) STRICT;
INSERT INTO file_name SELECT w.id, w.file FROM workbook w WHERE NOT EXISTS (
  SELECT 1 FROM purge p WHERE w.issue IN (SELECT value FROM json_each(p.certificate, '$.issues'))
    OR (w.issue IS NULL AND w.received < p.before)
    OR (w.issue IN (SELECT id FROM issue WHERE form <> 'annex4') AND w.issue NOT IN (SELECT issue FROM handed))
);
ALTER TABLE workbook DROP COLUMN file;
ALTER TABLE revisit ADD COLUMN population INTEGER;

CREATE TABLE wrong_value (
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  key         TEXT NOT NULL CHECK (key IN ('name', 'sex', 'id_number', 'household')),
  value       TEXT NOT NULL,
  department  TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;
CREATE INDEX wrong_value_of_child ON wrong_value (issue, serial);

CREATE TABLE restoration (
  id          INTEGER PRIMARY KEY,
  restored_on TEXT NOT NULL CHECK (restored_on GLOB '????-??-??'),
  upto        INTEGER NOT NULL
) STRICT;

CREATE TABLE taken_back (
  restoration INTEGER NOT NULL REFERENCES restoration (id),
  kind        TEXT NOT NULL,
  subject     TEXT NOT NULL,
  PRIMARY KEY (restoration, kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER issue_immutable BEFORE UPDATE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER issue_kept BEFORE DELETE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_immutable BEFORE UPDATE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_kept BEFORE DELETE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER file_name_immutable BEFORE UPDATE ON file_name BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER file_name_kept BEFORE DELETE ON file_name BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER wrong_value_immutable BEFORE UPDATE ON wrong_value BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER wrong_value_kept BEFORE DELETE ON wrong_value BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER restoration_immutable BEFORE UPDATE ON restoration BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER restoration_kept BEFORE DELETE ON restoration BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER taken_back_immutable BEFORE UPDATE ON taken_back BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER taken_back_kept BEFORE DELETE ON taken_back BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE VIEW current_workbook AS
  SELECT max(id) AS id, issue, unit FROM workbook WHERE status = 'accepted' GROUP BY issue, unit;
CREATE VIEW current_answer AS
  SELECT a.* FROM answer a JOIN current_workbook w ON w.id = a.workbook;
CREATE VIEW current_entry AS
  SELECT i.form, h.unit, h.child_issue, h.serial, e.key, e.value, max(w.id) AS workbook
  FROM entry e
  JOIN workbook w ON w.id = e.workbook AND w.status = 'accepted'
  JOIN issue i ON i.id = w.issue
  JOIN handed h ON h.issue = w.issue AND h.unit = w.unit AND h.reference = e.reference
  GROUP BY i.form, h.unit, h.child_issue, h.serial, e.key;

CREATE VIEW correction_state AS
  WITH wanted AS (
    SELECT c.issue, c.serial, c.department, c.category, NULL AS wrong, 0 AS since, w.received AS opened_on,
           coalesce(a.category, '') <> c.category AS is_withdrawn
    FROM correction c
    JOIN workbook w ON w.id = c.opened_by
    LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
    UNION ALL
    SELECT v.issue, v.serial, v.department, NULL, v.key, max(l.id), min(v.recorded_on), 0
    FROM wrong_value v JOIN link l ON l.kind = 'wrong_value' AND l.subject = CAST(v.id AS TEXT)
    GROUP BY v.issue, v.serial, v.department, v.key
  )
  SELECT c.issue, c.serial, c.department, c.category, c.wrong, c.opened_on, e.cause, e.outcome,
         e.date AS closed_on, e.remark,
         CASE WHEN c.is_withdrawn THEN 'withdrawn'
              WHEN coalesce(e.outcome, '') <> '' THEN 'closed' ELSE 'open' END AS state
  FROM wanted c
  LEFT JOIN (
    SELECT c.unit, child_issue, serial,
           max(c.value) FILTER (WHERE c.key = 'cause') AS cause, max(c.value) FILTER (WHERE c.key = 'outcome') AS outcome,
           max(c.value) FILTER (WHERE c.key = 'date') AS date, max(c.value) FILTER (WHERE c.key = 'remark') AS remark,
           max(l.id) AS handed_out
    FROM current_entry c JOIN workbook w ON w.id = c.workbook
    JOIN link l ON l.kind = 'issue' AND l.subject = w.issue
    WHERE form = 'corrections' GROUP BY c.unit, child_issue, serial
  ) e ON e.unit = c.department AND e.child_issue = c.issue AND e.serial = c.serial AND e.handed_out > c.since;
CREATE VIEW measure AS
  SELECT child_issue AS issue, serial, unit,
         max(value) FILTER (WHERE key = 'measure') AS measure,
         max(value) FILTER (WHERE key = 'department') AS department,
         max(value) FILTER (WHERE key = 'person') AS person,
         max(value) FILTER (WHERE key = 'schooling') AS schooling,
         max(value) FILTER (WHERE key = 'date') AS returned_on,
         max(value) FILTER (WHERE key = 'carer') AS carer
  FROM current_entry WHERE form = 'cases' GROUP BY child_issue, serial, unit;
CREATE VIEW case_state AS
  SELECT c.issue, c.serial, c.unit, w.received AS opened_on,
         m.measure, m.department, m.person, m.schooling, m.returned_on, m.carer,
         EXISTS (SELECT 1 FROM signed_child s JOIN signature g ON g.id = s.signature AND g.act = 'case-bureau'
                 WHERE s.issue = c.issue AND s.serial = c.serial) AS bureau_copy,
         EXISTS (SELECT 1 FROM signed_child s JOIN signature g ON g.id = s.signature AND g.act = 'case-unit'
                 WHERE s.issue = c.issue AND s.serial = c.serial) AS unit_copy,
         CASE WHEN coalesce(a.returned, '无') = '无' THEN 'withdrawn'
              WHEN a.returned = '是' AND coalesce(m.schooling, '') <> '' THEN 'closed' ELSE 'open' END AS state
  FROM case_file c
  JOIN workbook w ON w.id = c.opened_by
  LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
  LEFT JOIN measure m ON m.issue = c.issue AND m.serial = c.serial AND m.unit = c.unit;
