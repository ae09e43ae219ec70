-- The private record (SQLCipher). Issued values never change; answers are added as new versions (M8).
-- Columns are described in metadata.yml. A new column goes last and may be NULL: the chain omits NULLs at the end.

CREATE TABLE meta (                       -- schema version and campaign
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (                      -- a batch of workbooks that were handed out together (下发)
  id          TEXT PRIMARY KEY,
  issued_on   TEXT NOT NULL CHECK (issued_on GLOB '????-??-??'),
  form        TEXT NOT NULL,              -- annex4 (the province's list), corrections, cases
  extends     TEXT REFERENCES issue (id), -- if this is a supplement: the first issue of its form
  key         INTEGER NOT NULL DEFAULT 0  -- number of the master key from which its passwords are derived
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle (                     -- one workbook of an issue; a unit without children gets an empty one
  issue       TEXT NOT NULL REFERENCES issue (id),
  unit        TEXT NOT NULL,              -- its recipient: the slug of a unit or department
  children    INTEGER NOT NULL CHECK (children >= 0),
  fingerprint BLOB NOT NULL,              -- keyed HMAC of the sealed file that was handed out
  PRIMARY KEY (issue, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE child (                      -- a suspected out-of-school child as issued; identity is issue + 原始序号 (M8)
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  unit      TEXT NOT NULL,
  province  TEXT NOT NULL,
  city      TEXT NOT NULL,
  county    TEXT NOT NULL,
  name      TEXT NOT NULL,
  sex       TEXT NOT NULL,
  id_number TEXT NOT NULL,
  household TEXT NOT NULL,
  PRIMARY KEY (issue, serial),
  UNIQUE (issue, id_number),
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (                   -- an officer's decision on a row of the province's list
  issue      TEXT NOT NULL REFERENCES issue (id),
  row        INTEGER NOT NULL,            -- number of the row in the list
  serial     TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('assigned', 'excluded')),
  value      TEXT NOT NULL,               -- the unit (assigned) or the reason (excluded)
  officer    TEXT NOT NULL,
  decided_on TEXT NOT NULL CHECK (decided_on GLOB '????-??-??'),
  fingerprint BLOB NOT NULL,              -- keyed HMAC of the row; recognises it when the list comes again
  PRIMARY KEY (issue, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE handed (                     -- a row of a corrections or case workbook, as handed out
  issue       TEXT NOT NULL,
  unit        TEXT NOT NULL,
  reference   TEXT NOT NULL,              -- issue and serial of the child, joined by a hyphen
  child_issue TEXT NOT NULL,
  serial      TEXT NOT NULL,
  texts       TEXT NOT NULL CHECK (json_valid(texts)), -- issued columns: text by key
  PRIMARY KEY (issue, unit, reference),
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit),
  FOREIGN KEY (child_issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE workbook (                   -- a returned workbook, accepted or refused whole; a refused one may lack a unit
  id          INTEGER PRIMARY KEY,
  issue       TEXT,
  unit        TEXT,
  fingerprint BLOB NOT NULL,              -- keyed HMAC of the file
  received    TEXT NOT NULL CHECK (received GLOB '????-??-??'),
  sealed      INTEGER NOT NULL CHECK (sealed IN (0, 1)),
  status      TEXT NOT NULL CHECK (status IN ('accepted', 'refused')),
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit),
  CHECK (status = 'refused' OR (issue IS NOT NULL AND unit IS NOT NULL))
) STRICT;
CREATE INDEX workbook_by_fingerprint ON workbook (fingerprint);
CREATE INDEX workbook_by_bundle ON workbook (issue, unit);

CREATE TABLE file_name (                  -- a returned workbook's file name; it may name a child, so a purge deletes it
  workbook INTEGER PRIMARY KEY REFERENCES workbook (id),
  name     TEXT NOT NULL
) STRICT;

CREATE TABLE filler (                     -- from a workbook's footer: 填报人, 联系电话, 主管领导
  workbook INTEGER PRIMARY KEY REFERENCES workbook (id),
  name     TEXT NOT NULL,
  phone    TEXT NOT NULL,
  leader   TEXT NOT NULL
) STRICT;

CREATE TABLE answer (                     -- the three columns that a unit fills; one version per accepted workbook
  workbook INTEGER NOT NULL REFERENCES workbook (id),
  issue    TEXT NOT NULL,
  serial   TEXT NOT NULL,
  category TEXT NOT NULL,
  returned TEXT NOT NULL CHECK (returned GLOB '[是否无]'), -- IN with three or more builds a tree for every row
  team     TEXT NOT NULL,
  PRIMARY KEY (workbook, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE tally (                      -- sums of the answers of an accepted workbook; every count adds up such sums
  workbook INTEGER NOT NULL REFERENCES workbook (id),
  category TEXT NOT NULL,
  returned TEXT NOT NULL,
  children INTEGER NOT NULL CHECK (children > 0),
  PRIMARY KEY (workbook, category, returned)
) STRICT, WITHOUT ROWID;

CREATE TABLE correction (                 -- one error that a department shall correct (M15); an answer opened it
  issue      TEXT NOT NULL,
  serial     TEXT NOT NULL,
  department TEXT NOT NULL,
  category   TEXT NOT NULL,
  opened_by  INTEGER NOT NULL REFERENCES workbook (id),
  PRIMARY KEY (issue, serial, department, category),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_of_workbook ON correction (opened_by);

CREATE TABLE case_file (                  -- 一人一档 (M16): one for every child that was ever reported in I–M
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  unit      TEXT NOT NULL,
  opened_by INTEGER NOT NULL REFERENCES workbook (id),
  PRIMARY KEY (issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX case_of_workbook ON case_file (opened_by);

CREATE TABLE entry (                      -- a filled column of a corrections or case workbook; one version per workbook
  workbook  INTEGER NOT NULL REFERENCES workbook (id),
  reference TEXT NOT NULL,
  key       TEXT NOT NULL,                -- key of the column
  value     TEXT NOT NULL,                -- empty if the cell was left blank
  PRIMARY KEY (workbook, reference, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE police_ref (                 -- the police's reference for a missing child (M9, G), recorded by the bureau
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  reference   TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  UNIQUE (issue, serial, reference),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;

CREATE TABLE wrong_value (                -- a wrong value of the list, with the right one (M15); the issued value stays
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  key         TEXT NOT NULL CHECK (key IN ('name', 'sex', 'id_number', 'household')),
  value       TEXT NOT NULL,              -- the right value
  department  TEXT NOT NULL,              -- slug of the department that corrects it
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;
CREATE INDEX wrong_value_of_child ON wrong_value (issue, serial);

CREATE TABLE paper (                      -- a paper in a child's case file (M16), or a step taken towards its guardian (M17)
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('criticism', 'legal', 'liability', 'enrolment', 'medical', 'other')),
  about       TEXT NOT NULL,              -- what it is
  place       TEXT NOT NULL,              -- where it lies
  dated       TEXT NOT NULL CHECK (dated GLOB '????-??-??'),
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;
CREATE INDEX paper_of_child ON paper (issue, serial);

CREATE TABLE signature (                  -- a signed paper was seen: of a visit, a return (M11), copies of case files (M16)
  id          INTEGER PRIMARY KEY,
  unit        TEXT NOT NULL,
  act         TEXT NOT NULL CHECK (act IN ('verification', 'return', 'case-bureau', 'case-unit')),
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??')
) STRICT;

CREATE TABLE signed_child (               -- a child that a signed paper covers, with the team that its answer named then
  signature INTEGER NOT NULL REFERENCES signature (id),
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  members   TEXT NOT NULL,
  PRIMARY KEY (signature, issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX signed_by_child ON signed_child (issue, serial);

CREATE TABLE deliverable (                -- what a unit handed in (M14): 附件4, 附件5 or 工作总结, on paper or on a USB stick
  id          INTEGER PRIMARY KEY,
  unit        TEXT NOT NULL,
  what        TEXT NOT NULL CHECK (what IN ('annex4', 'annex5', 'summary')),
  medium      TEXT NOT NULL CHECK (medium IN ('paper', 'stick')),
  signed      INTEGER NOT NULL CHECK (signed IN (0, 1)), -- of paper: signed and sealed by the head of the unit
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??')
) STRICT;

CREATE TABLE base_lock (                  -- the locked base (锁定底数, M13): at most one row
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  locked_on     TEXT NOT NULL CHECK (locked_on GLOB '????-??-??'),
  locked_by     TEXT NOT NULL,
  last_workbook INTEGER NOT NULL,         -- the highest number of a workbook received by that day
  suspected     INTEGER NOT NULL,
  unverified    INTEGER NOT NULL,
  deducted      INTEGER NOT NULL,
  returned      INTEGER NOT NULL
) STRICT;

CREATE TABLE revisit (                    -- a sample drawn for the inspectorate (M4, M19)
  id       INTEGER PRIMARY KEY,
  drawn_on TEXT NOT NULL CHECK (drawn_on GLOB '????-??-??'),
  drawn_by TEXT NOT NULL,
  seed     INTEGER NOT NULL,
  margin   REAL NOT NULL,                 -- half-width of the share of wrong reports; `if_none`: its bound if none is wrong
  if_none  REAL NOT NULL,
  population INTEGER                      -- number of children it was drawn from; NULL in the oldest samples
) STRICT;

CREATE TABLE revisit_child (
  revisit INTEGER NOT NULL REFERENCES revisit (id),
  issue   TEXT NOT NULL,
  serial  TEXT NOT NULL,
  PRIMARY KEY (revisit, issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (                    -- a fault found in a workbook; contains no name and no ID number
  id         INTEGER PRIMARY KEY,
  workbook   INTEGER NOT NULL REFERENCES workbook (id),
  rule       TEXT NOT NULL,
  severity   TEXT NOT NULL CHECK (severity = 'error' OR severity = 'warning' OR severity = 'note'),
  sheet      TEXT NOT NULL,
  cell       TEXT NOT NULL,
  serial     TEXT,
  message    TEXT NOT NULL,
  message_en TEXT NOT NULL
) STRICT;
CREATE INDEX finding_of_workbook ON finding (workbook);

CREATE TABLE release (                    -- a release, with the state of the record that it was made from
  number     TEXT PRIMARY KEY,            -- also the name of its folder
  as_of      TEXT NOT NULL CHECK (as_of GLOB '????-??-??'),
  made_on    TEXT NOT NULL CHECK (made_on GLOB '????-??-??'),
  digest     TEXT NOT NULL,               -- SHA-256 of its SHA256SUMS, which lists the digests of its files
  last_link  INTEGER NOT NULL             -- the newest link when it was counted; 0 if the release was adopted
) STRICT, WITHOUT ROWID;

CREATE TABLE release_count (              -- the confidential sums from which a release was made
  release  TEXT NOT NULL REFERENCES release (number),
  row      TEXT NOT NULL,                 -- a unit's slug or a category's code
  state    TEXT NOT NULL,                 -- one of a unit's four states, or 'verified' for a category
  children INTEGER NOT NULL CHECK (children >= 0),
  PRIMARY KEY (release, row, state)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_event (                  -- a master key that was replaced; passwords of older issues are derived from it
  number     INTEGER PRIMARY KEY,         -- from 0
  master     BLOB NOT NULL,
  retired_on TEXT NOT NULL CHECK (retired_on GLOB '????-??-??'),
  retired_by TEXT NOT NULL
) STRICT;

CREATE TABLE backup (                     -- a copy that was made of the record
  id      INTEGER PRIMARY KEY,
  made_on TEXT NOT NULL CHECK (made_on GLOB '????-??-??'),
  file    TEXT NOT NULL,
  links   INTEGER NOT NULL,               -- number of the newest link in the copy
  head    BLOB NOT NULL
) STRICT;

CREATE TABLE restoration (                -- the record was restored from a copy
  id          INTEGER PRIMARY KEY,
  restored_on TEXT NOT NULL CHECK (restored_on GLOB '????-??-??'),
  upto        INTEGER NOT NULL            -- number of the last link that was kept
) STRICT;

CREATE TABLE taken_back (                 -- a thing that a restoration removed; its number is never used again
  restoration INTEGER NOT NULL REFERENCES restoration (id),
  kind        TEXT NOT NULL,
  subject     TEXT NOT NULL,
  PRIMARY KEY (restoration, kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE purge (                      -- individuals were deleted (retention); the certificate holds counts only
  id          INTEGER PRIMARY KEY,
  before      TEXT NOT NULL CHECK (before GLOB '????-??-??'),
  purged_on   TEXT NOT NULL CHECK (purged_on GLOB '????-??-??'),
  purged_by   TEXT NOT NULL,
  certificate TEXT NOT NULL CHECK (json_valid(certificate))
) STRICT;

CREATE TABLE purged (                     -- leaves of a link whose rows a purge deleted
  purge     INTEGER NOT NULL REFERENCES purge (id),
  link      INTEGER NOT NULL REFERENCES link (id),
  positions TEXT NOT NULL CHECK (json_valid(positions)), -- a list of [first, last], counted from 0
  PRIMARY KEY (purge, link)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (                       -- the chain (M19): one link for each thing that came on record, in order
  id      INTEGER PRIMARY KEY,            -- from 1, without gaps
  day     TEXT NOT NULL CHECK (day GLOB '????-??-??'),
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,                  -- the recorded thing, such as the id of an issue or the number of a workbook
  key     INTEGER NOT NULL,               -- number of the master key used for the seal
  leaves  BLOB NOT NULL,                  -- 32 bytes for each row: HMAC of its nonce and its values
  seal    BLOB NOT NULL                   -- HMAC of all of this and of the seal before
) STRICT;

CREATE TABLE nonce (                      -- 16 random bytes for each leaf; without them a leaf confirms no guess
  link   INTEGER PRIMARY KEY REFERENCES link (id),
  nonces BLOB NOT NULL
) STRICT;

-- Recorded rows are never changed or deleted; only purge, restore and upgrade drop these triggers for a moment.
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
CREATE TRIGGER file_name_immutable BEFORE UPDATE ON file_name BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER file_name_kept BEFORE DELETE ON file_name BEGIN SELECT RAISE(ABORT, 'immutable'); END;
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
CREATE TRIGGER paper_immutable BEFORE UPDATE ON paper BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER paper_kept BEFORE DELETE ON paper BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER wrong_value_immutable BEFORE UPDATE ON wrong_value BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER wrong_value_kept BEFORE DELETE ON wrong_value BEGIN SELECT RAISE(ABORT, 'immutable'); END;
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
CREATE TRIGGER restoration_immutable BEFORE UPDATE ON restoration BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER restoration_kept BEFORE DELETE ON restoration BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER taken_back_immutable BEFORE UPDATE ON taken_back BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER taken_back_kept BEFORE DELETE ON taken_back BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purge_immutable BEFORE UPDATE ON purge BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purge_kept BEFORE DELETE ON purge BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purged_immutable BEFORE UPDATE ON purged BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER purged_kept BEFORE DELETE ON purged BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER link_immutable BEFORE UPDATE ON link BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER link_kept BEFORE DELETE ON link BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER nonce_immutable BEFORE UPDATE ON nonce BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER nonce_kept BEFORE DELETE ON nonce BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE VIEW current_workbook AS           -- the newest accepted workbook of each unit and issue
  SELECT max(id) AS id, issue, unit FROM workbook WHERE status = 'accepted' GROUP BY issue, unit;
CREATE VIEW current_answer AS
  SELECT a.* FROM answer a JOIN current_workbook w ON w.id = a.workbook;
CREATE VIEW current_entry AS              -- the newest value of each column of a child, by form and recipient
  SELECT i.form, h.unit, h.child_issue, h.serial, e.key, e.value, max(w.id) AS workbook
  FROM entry e
  JOIN workbook w ON w.id = e.workbook AND w.status = 'accepted'
  JOIN issue i ON i.id = w.issue
  JOIN handed h ON h.issue = w.issue AND h.unit = w.unit AND h.reference = e.reference
  GROUP BY i.form, h.unit, h.child_issue, h.serial, e.key;

CREATE VIEW correction_state AS           -- corrections with what their departments last sent back (M15)
  WITH wanted AS (
    SELECT c.issue, c.serial, c.department, c.category, NULL AS wrong, 0 AS since, w.received AS opened_on,
           coalesce(a.category, '') <> c.category AS is_withdrawn -- the unit's current answer no longer opens it
    FROM correction c
    JOIN workbook w ON w.id = c.opened_by
    LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
    UNION ALL -- a wrong value; closed only by a workbook that was handed out after it was recorded
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
CREATE VIEW measure AS                    -- what is done for a child and how it is schooled (M17), as last sent back
  SELECT child_issue AS issue, serial, unit,
         max(value) FILTER (WHERE key = 'measure') AS measure,
         max(value) FILTER (WHERE key = 'department') AS department,
         max(value) FILTER (WHERE key = 'person') AS person,
         max(value) FILTER (WHERE key = 'schooling') AS schooling,
         max(value) FILTER (WHERE key = 'date') AS returned_on,
         max(value) FILTER (WHERE key = 'carer') AS carer
  FROM current_entry WHERE form = 'cases' GROUP BY child_issue, serial, unit;
CREATE VIEW case_state AS                 -- closed while the child is reported as returned and its schooling is known
  SELECT c.issue, c.serial, c.unit, w.received AS opened_on,
         m.measure, m.department, m.person, m.schooling, m.returned_on, m.carer,
         EXISTS (SELECT 1 FROM signed_child s JOIN signature g ON g.id = s.signature AND g.act = 'case-bureau'
                 WHERE s.issue = c.issue AND s.serial = c.serial) AS bureau_copy,
         EXISTS (SELECT 1 FROM signed_child s JOIN signature g ON g.id = s.signature AND g.act = 'case-unit'
                 WHERE s.issue = c.issue AND s.serial = c.serial) AS unit_copy,
         CASE WHEN coalesce(a.returned, '无') = '无' THEN 'withdrawn' -- the child is deducted now
              WHEN a.returned = '是' AND coalesce(m.schooling, '') <> '' THEN 'closed' ELSE 'open' END AS state
  FROM case_file c
  JOIN workbook w ON w.id = c.opened_by
  LEFT JOIN current_answer a ON a.issue = c.issue AND a.serial = c.serial
  LEFT JOIN measure m ON m.issue = c.issue AND m.serial = c.serial AND m.unit = c.unit;
