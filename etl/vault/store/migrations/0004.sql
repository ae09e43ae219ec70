-- Version 4: the chain, sums of each workbook, corrections and cases by name, signatures, deliverables, keys, purges.
-- `etl/vault/upkeep/upgrade.py` then makes tallies, corrections, cases and links from what is on record.

DROP TRIGGER issue_immutable;
DROP TRIGGER issue_kept;
DROP TRIGGER bundle_immutable;
DROP TRIGGER bundle_kept;
DROP TRIGGER finding_immutable;
DROP TRIGGER finding_kept;
DROP TRIGGER child_immutable;
DROP TRIGGER child_kept;
DROP TRIGGER answer_immutable;
DROP TRIGGER answer_kept;
DROP TRIGGER workbook_immutable;
DROP TRIGGER workbook_kept;
DROP TRIGGER decision_immutable;
DROP TRIGGER decision_kept;
DROP TRIGGER handed_immutable;
DROP TRIGGER handed_kept;
DROP TRIGGER police_immutable;
DROP TRIGGER police_kept;
DROP TRIGGER lock_immutable;
DROP TRIGGER lock_kept;
DROP TRIGGER revisit_immutable;
DROP TRIGGER revisit_kept;
DROP TRIGGER revisited_immutable;
DROP TRIGGER revisited_kept;
DROP TRIGGER entry_immutable;
DROP TRIGGER entry_kept;
DROP VIEW current_entry;
DROP VIEW current_answer;
DROP VIEW current_workbook;

ALTER TABLE issue ADD COLUMN key INTEGER NOT NULL DEFAULT 0;
CREATE TABLE filler (
  workbook INTEGER PRIMARY KEY REFERENCES workbook (id),
  name     TEXT NOT NULL,
  phone    TEXT NOT NULL,
  leader   TEXT NOT NULL
) STRICT;
INSERT INTO filler SELECT id, filler, phone, leader FROM workbook WHERE status = 'accepted';
ALTER TABLE workbook DROP COLUMN filler;
ALTER TABLE workbook DROP COLUMN phone;
ALTER TABLE workbook DROP COLUMN leader;
CREATE INDEX workbook_by_bundle ON workbook (issue, unit);
CREATE TABLE new_police_ref (
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  reference   TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  UNIQUE (issue, serial, reference),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;
INSERT INTO new_police_ref (issue, serial, reference, recorded_by, recorded_on) SELECT issue, serial, reference, recorded_by, recorded_on FROM police_ref;
DROP TABLE police_ref;
ALTER TABLE new_police_ref RENAME TO police_ref;

CREATE TABLE tally (
  workbook INTEGER NOT NULL REFERENCES workbook (id),
  category TEXT NOT NULL,
  returned TEXT NOT NULL,
  children INTEGER NOT NULL CHECK (children > 0),
  PRIMARY KEY (workbook, category, returned)
) STRICT, WITHOUT ROWID;
CREATE TABLE correction (
  issue      TEXT NOT NULL,
  serial     TEXT NOT NULL,
  department TEXT NOT NULL,
  category   TEXT NOT NULL,
  opened_by  INTEGER NOT NULL REFERENCES workbook (id),
  PRIMARY KEY (issue, serial, department, category),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_of_workbook ON correction (opened_by);
CREATE TABLE case_file (
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  unit      TEXT NOT NULL,
  opened_by INTEGER NOT NULL REFERENCES workbook (id),
  PRIMARY KEY (issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_of_workbook ON case_file (opened_by);
CREATE TABLE signature (
  id          INTEGER PRIMARY KEY,
  unit        TEXT NOT NULL,
  act         TEXT NOT NULL CHECK (act IN ('verification', 'return', 'case-bureau', 'case-unit')),
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??')
) STRICT;
CREATE TABLE signed_child (
  signature INTEGER NOT NULL REFERENCES signature (id),
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  members   TEXT NOT NULL,
  PRIMARY KEY (signature, issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX signed_by_child ON signed_child (issue, serial);
CREATE TABLE deliverable (
  id          INTEGER PRIMARY KEY,
  unit        TEXT NOT NULL,
  what        TEXT NOT NULL CHECK (what IN ('annex4', 'annex5', 'summary')),
  medium      TEXT NOT NULL CHECK (medium IN ('paper', 'stick')),
  signed      INTEGER NOT NULL CHECK (signed IN (0, 1)),
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??')
) STRICT;
CREATE TABLE release (
  number     TEXT PRIMARY KEY,
  as_of      TEXT NOT NULL CHECK (as_of GLOB '????-??-??'),
  made_on    TEXT NOT NULL CHECK (made_on GLOB '????-??-??'),
  digest     TEXT NOT NULL,
  last_link  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE release_count (
  release  TEXT NOT NULL REFERENCES release (number),
  row      TEXT NOT NULL,
  state    TEXT NOT NULL,
  children INTEGER NOT NULL CHECK (children >= 0),
  PRIMARY KEY (release, row, state)
) STRICT, WITHOUT ROWID;
CREATE TABLE key_event (
  number     INTEGER PRIMARY KEY,
  master     BLOB NOT NULL,
  retired_on TEXT NOT NULL CHECK (retired_on GLOB '????-??-??'),
  retired_by TEXT NOT NULL
) STRICT;
CREATE TABLE backup (
  id      INTEGER PRIMARY KEY,
  made_on TEXT NOT NULL CHECK (made_on GLOB '????-??-??'),
  file    TEXT NOT NULL,
  links   INTEGER NOT NULL,
  head    BLOB NOT NULL
) STRICT;
CREATE TABLE purge (
  id          INTEGER PRIMARY KEY,
  before      TEXT NOT NULL CHECK (before GLOB '????-??-??'),
  purged_on   TEXT NOT NULL CHECK (purged_on GLOB '????-??-??'),
  purged_by   TEXT NOT NULL,
  certificate TEXT NOT NULL CHECK (json_valid(certificate))
) STRICT;
CREATE TABLE purged (
  purge     INTEGER NOT NULL REFERENCES purge (id),
  link      INTEGER NOT NULL REFERENCES link (id),
  positions TEXT NOT NULL CHECK (json_valid(positions)),
  PRIMARY KEY (purge, link)
) STRICT, WITHOUT ROWID;
CREATE TABLE link (
  id      INTEGER PRIMARY KEY,
  day     TEXT NOT NULL CHECK (day GLOB '????-??-??'),
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  key     INTEGER NOT NULL,
  leaves  BLOB NOT NULL,
  seal    BLOB NOT NULL
) STRICT;
CREATE TABLE nonce (
  link   INTEGER PRIMARY KEY REFERENCES link (id),
  nonces BLOB NOT NULL
) STRICT;

CREATE TRIGGER issue_immutable BEFORE UPDATE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER issue_kept BEFORE DELETE ON issue BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_immutable BEFORE UPDATE ON bundle BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_kept BEFORE DELETE ON bundle BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER child_immutable BEFORE UPDATE ON child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER child_kept BEFORE DELETE ON child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_immutable BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_kept BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_immutable BEFORE UPDATE ON handed BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_kept BEFORE DELETE ON handed BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_immutable BEFORE UPDATE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_kept BEFORE DELETE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER filler_immutable BEFORE UPDATE ON filler BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER filler_kept BEFORE DELETE ON filler BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER answer_immutable BEFORE UPDATE ON answer BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER answer_kept BEFORE DELETE ON answer BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER tally_immutable BEFORE UPDATE ON tally BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER tally_kept BEFORE DELETE ON tally BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER correction_immutable BEFORE UPDATE ON correction BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER correction_kept BEFORE DELETE ON correction BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER case_file_immutable BEFORE UPDATE ON case_file BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER case_file_kept BEFORE DELETE ON case_file BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_immutable BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_ref_immutable BEFORE UPDATE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_ref_kept BEFORE DELETE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER signature_immutable BEFORE UPDATE ON signature BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER signature_kept BEFORE DELETE ON signature BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER signed_child_immutable BEFORE UPDATE ON signed_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER signed_child_kept BEFORE DELETE ON signed_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER deliverable_immutable BEFORE UPDATE ON deliverable BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER deliverable_kept BEFORE DELETE ON deliverable BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER base_lock_immutable BEFORE UPDATE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER base_lock_kept BEFORE DELETE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_immutable BEFORE UPDATE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_kept BEFORE DELETE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_child_immutable BEFORE UPDATE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_child_kept BEFORE DELETE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER finding_immutable BEFORE UPDATE ON finding BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER finding_kept BEFORE DELETE ON finding BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER release_immutable BEFORE UPDATE ON release BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER release_kept BEFORE DELETE ON release BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER release_count_immutable BEFORE UPDATE ON release_count BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER release_count_kept BEFORE DELETE ON release_count BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER key_event_immutable BEFORE UPDATE ON key_event BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER key_event_kept BEFORE DELETE ON key_event BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER backup_immutable BEFORE UPDATE ON backup BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER backup_kept BEFORE DELETE ON backup BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purge_immutable BEFORE UPDATE ON purge BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purge_kept BEFORE DELETE ON purge BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purged_immutable BEFORE UPDATE ON purged BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purged_kept BEFORE DELETE ON purged BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER link_immutable BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER link_kept BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER nonce_immutable BEFORE UPDATE ON nonce BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER nonce_kept BEFORE DELETE ON nonce BEGIN SELECT RAISE(ABORT, 'immutable'); END;

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
  SELECT c.issue, c.serial, c.department, c.category, w.received AS opened_on, e.cause, e.outcome,
         e.date AS closed_on, e.remark,
         CASE WHEN coalesce(a.category, '') <> c.category THEN 'withdrawn'
              WHEN coalesce(e.outcome, '') <> '' THEN 'closed' ELSE 'open' END AS state
  FROM correction c
  JOIN workbook w ON w.id = c.opened_by
  LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
  LEFT JOIN (
    SELECT unit, child_issue, serial,
           max(value) FILTER (WHERE key = 'cause') AS cause, max(value) FILTER (WHERE key = 'outcome') AS outcome,
           max(value) FILTER (WHERE key = 'date') AS date, max(value) FILTER (WHERE key = 'remark') AS remark
    FROM current_entry WHERE form = 'corrections' GROUP BY unit, child_issue, serial
  ) e ON e.unit = c.department AND e.child_issue = c.issue AND e.serial = c.serial;
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
