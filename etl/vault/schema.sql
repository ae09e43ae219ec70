-- The private record (SQLCipher). Issued values are immutable; answers are append-only versions (M8, mission: resubmission).

CREATE TABLE meta (                       -- schema version and campaign
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (                      -- one handing-out of workbooks (下发)
  id          TEXT PRIMARY KEY,
  issued_on   TEXT NOT NULL CHECK (issued_on GLOB '????-??-??'),
  form        TEXT NOT NULL,              -- annex4 (the province's list), corrections, cases
  extends     TEXT REFERENCES issue (id), -- of a supplement: the first issue of its form
  fingerprint BLOB NOT NULL UNIQUE        -- keyed HMAC of what was handed out
) STRICT, WITHOUT ROWID;

CREATE TABLE bundle (                     -- one workbook of an issue; a unit without children hands in a nil return
  issue       TEXT NOT NULL REFERENCES issue (id),
  unit        TEXT NOT NULL,              -- who receives it: a unit's slug, or a department's
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

CREATE TABLE decision (                   -- what a person decided on a row of the province's list, signed for
  issue      TEXT NOT NULL REFERENCES issue (id),
  row        INTEGER NOT NULL,            -- its number in the list
  serial     TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('assigned', 'excluded')),
  value      TEXT NOT NULL,               -- the unit, or the reason
  officer    TEXT NOT NULL,
  decided_on TEXT NOT NULL CHECK (decided_on GLOB '????-??-??'),
  fingerprint BLOB NOT NULL,              -- keyed HMAC of the row, by which it is known when the list comes again
  PRIMARY KEY (issue, row)
) STRICT, WITHOUT ROWID;

CREATE TABLE handed (                     -- a row of a corrections or case workbook, as handed out
  issue       TEXT NOT NULL,
  unit        TEXT NOT NULL,
  reference   TEXT NOT NULL,              -- issue and serial of the child
  child_issue TEXT NOT NULL,
  serial      TEXT NOT NULL,
  texts       TEXT NOT NULL CHECK (json_valid(texts)), -- issued columns by key
  PRIMARY KEY (issue, unit, reference),
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit),
  FOREIGN KEY (child_issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE workbook (                   -- a submission, accepted or refused whole; refused ones may name no unit
  id          INTEGER PRIMARY KEY,
  issue       TEXT,
  unit        TEXT,
  file        TEXT NOT NULL,
  fingerprint BLOB NOT NULL,              -- keyed HMAC of the file
  received    TEXT NOT NULL CHECK (received GLOB '????-??-??'),
  sealed      INTEGER NOT NULL CHECK (sealed IN (0, 1)),
  status      TEXT NOT NULL CHECK (status IN ('accepted', 'refused')),
  filler      TEXT NOT NULL,              -- footer: 填报人, 联系电话, 主管领导
  phone       TEXT NOT NULL,
  leader      TEXT NOT NULL,
  FOREIGN KEY (issue, unit) REFERENCES bundle (issue, unit),
  CHECK (status = 'refused' OR (issue IS NOT NULL AND unit IS NOT NULL))
) STRICT;
CREATE INDEX workbook_by_fingerprint ON workbook (fingerprint);

CREATE TABLE answer (                     -- the three columns that a unit fills, one version per accepted workbook
  workbook INTEGER NOT NULL REFERENCES workbook (id),
  issue    TEXT NOT NULL,
  serial   TEXT NOT NULL,
  category TEXT NOT NULL,
  returned TEXT NOT NULL CHECK (returned IN ('是', '否', '无')),
  team     TEXT NOT NULL,
  PRIMARY KEY (workbook, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE entry (                      -- a filled column of a corrections or case workbook, one version per workbook
  workbook  INTEGER NOT NULL REFERENCES workbook (id),
  reference TEXT NOT NULL,
  key       TEXT NOT NULL,                -- the column
  value     TEXT NOT NULL,                -- blank where it was left blank
  PRIMARY KEY (workbook, reference, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE police_ref (                 -- the police's word that a child is missing (M9, G), as the bureau recorded it
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  reference   TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  PRIMARY KEY (issue, serial, reference),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE base_lock (                  -- the base as it was locked (锁定底数, M13): once, by a person
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  locked_on     TEXT NOT NULL CHECK (locked_on GLOB '????-??-??'),
  locked_by     TEXT NOT NULL,
  last_workbook INTEGER NOT NULL,         -- what was on record then: workbooks up to this one
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
  margin   REAL NOT NULL,                 -- half-width of the share of wrong reports, and its bound if none is found
  if_none  REAL NOT NULL
) STRICT;

CREATE TABLE revisit_child (
  revisit INTEGER NOT NULL REFERENCES revisit (id),
  issue   TEXT NOT NULL,
  serial  TEXT NOT NULL,
  PRIMARY KEY (revisit, issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;

CREATE TABLE finding (                    -- what was found in a workbook; holds no name and no ID number
  id         INTEGER PRIMARY KEY,
  workbook   INTEGER NOT NULL REFERENCES workbook (id),
  rule       TEXT NOT NULL,
  severity   TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'note')),
  sheet      TEXT NOT NULL,
  cell       TEXT NOT NULL,
  serial     TEXT,
  message    TEXT NOT NULL,
  message_en TEXT NOT NULL
) STRICT;
CREATE INDEX finding_of_workbook ON finding (workbook);

-- Nothing accepted is ever lost or rewritten.
CREATE TRIGGER issue_immutable    BEFORE UPDATE ON issue    BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER issue_kept         BEFORE DELETE ON issue    BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_immutable   BEFORE UPDATE ON bundle   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER bundle_kept        BEFORE DELETE ON bundle   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER finding_immutable  BEFORE UPDATE ON finding  BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER finding_kept       BEFORE DELETE ON finding  BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER child_immutable    BEFORE UPDATE ON child    BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER child_kept         BEFORE DELETE ON child    BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER answer_immutable   BEFORE UPDATE ON answer   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER answer_kept        BEFORE DELETE ON answer   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_immutable BEFORE UPDATE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER workbook_kept      BEFORE DELETE ON workbook BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_immutable BEFORE UPDATE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER decision_kept      BEFORE DELETE ON decision BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_immutable   BEFORE UPDATE ON handed   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER handed_kept        BEFORE DELETE ON handed   BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_immutable   BEFORE UPDATE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER police_kept        BEFORE DELETE ON police_ref BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER lock_immutable BEFORE UPDATE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER lock_kept BEFORE DELETE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_immutable BEFORE UPDATE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_kept BEFORE DELETE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisited_immutable BEFORE UPDATE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisited_kept BEFORE DELETE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_immutable    BEFORE UPDATE ON entry    BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER entry_kept         BEFORE DELETE ON entry    BEGIN SELECT RAISE(ABORT, 'immutable'); END;

CREATE VIEW current_workbook AS           -- the newest accepted one of each unit and issue
  SELECT max(id) AS id, issue, unit FROM workbook WHERE status = 'accepted' GROUP BY issue, unit;
CREATE VIEW current_answer AS
  SELECT a.* FROM answer a JOIN current_workbook w ON w.id = a.workbook;
CREATE VIEW current_entry AS              -- what the newest accepted workbook of each form and receiver says of a child
  SELECT i.form, h.unit, h.child_issue, h.serial, e.key, e.value, max(w.id) AS workbook
  FROM entry e
  JOIN workbook w ON w.id = e.workbook AND w.status = 'accepted'
  JOIN issue i ON i.id = w.issue
  JOIN handed h ON h.issue = w.issue AND h.unit = w.unit AND h.reference = e.reference
  GROUP BY i.form, h.unit, h.child_issue, h.serial, e.key;
