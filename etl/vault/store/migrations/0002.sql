-- Version 2: forms other than the province's list, decisions on its rows, police references.

DROP TRIGGER issue_immutable;
DROP TRIGGER issue_kept;
DROP TRIGGER bundle_immutable;
DROP TRIGGER bundle_kept;
DROP VIEW current_answer;
DROP VIEW current_workbook;
DROP INDEX accepted_once;

CREATE TABLE new_issue (
  id          TEXT PRIMARY KEY,
  issued_on   TEXT NOT NULL CHECK (issued_on GLOB '????-??-??'),
  form        TEXT NOT NULL,
  extends     TEXT REFERENCES issue (id),
  fingerprint BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
INSERT INTO new_issue (id, issued_on, form, extends, fingerprint) SELECT id, issued_on, 'annex4', nullif((SELECT id FROM issue ORDER BY issued_on, id LIMIT 1), id), fingerprint FROM issue;
DROP TABLE issue;
ALTER TABLE new_issue RENAME TO issue;
-- Workbooks of earlier issues get no fingerprint: none was recorded when they were handed out.
CREATE TABLE new_bundle (
  issue       TEXT NOT NULL REFERENCES issue (id),
  unit        TEXT NOT NULL,
  children    INTEGER NOT NULL CHECK (children >= 0),
  fingerprint BLOB NOT NULL,
  PRIMARY KEY (issue, unit)
) STRICT, WITHOUT ROWID;
INSERT INTO new_bundle (issue, unit, children, fingerprint) SELECT issue, unit, children, randomblob(32) FROM bundle;
DROP TABLE bundle;
ALTER TABLE new_bundle RENAME TO bundle;

CREATE INDEX workbook_by_fingerprint ON workbook (fingerprint);
CREATE TABLE decision (
  issue      TEXT NOT NULL REFERENCES issue (id),
  row        INTEGER NOT NULL,
  serial     TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('assigned', 'excluded')),
  value      TEXT NOT NULL,
  officer    TEXT NOT NULL,
  decided_on TEXT NOT NULL CHECK (decided_on GLOB '????-??-??'),
  fingerprint BLOB NOT NULL,
  PRIMARY KEY (issue, row)
) STRICT, WITHOUT ROWID;
CREATE TABLE handed (
  issue       TEXT NOT NULL,
  unit        TEXT NOT NULL,
  reference   TEXT NOT NULL,
  child_issue TEXT NOT NULL,
  serial      TEXT NOT NULL,
  texts       TEXT NOT NULL CHECK (json_valid(texts)),
  PRIMARY KEY (issue, unit, reference),
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit),
  FOREIGN KEY (child_issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE TABLE entry (
  workbook  INTEGER NOT NULL REFERENCES workbook (id),
  reference TEXT NOT NULL,
  key       TEXT NOT NULL,
  value     TEXT NOT NULL,
  PRIMARY KEY (workbook, reference, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE police_ref (
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  reference   TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  PRIMARY KEY (issue, serial, reference),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER issue_immutable BEFORE UPDATE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER issue_kept BEFORE DELETE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_immutable BEFORE UPDATE ON bundle BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_kept BEFORE DELETE ON bundle BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_immutable BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_immutable BEFORE UPDATE ON handed BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_kept BEFORE DELETE ON handed BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_immutable BEFORE UPDATE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_kept BEFORE DELETE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_immutable BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'immutable'); END;

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
