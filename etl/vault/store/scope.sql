-- The tables that a scope's staff may see. Each unit and department, the inspectorate and the bureau has its own file,
-- built from the record whenever that has changed. contents.py says which scope has which tables.
-- Full ID numbers never enter these files; they are in separate ones (numbers.sql).

CREATE TABLE children (
  serial        TEXT NOT NULL,
  issue         TEXT NOT NULL,
  unit          TEXT NOT NULL,
  name          TEXT NOT NULL,
  sex           TEXT NOT NULL,
  id_masked     TEXT NOT NULL,
  birth         TEXT NOT NULL,
  household     TEXT NOT NULL,
  category      TEXT,
  category_name TEXT,
  returned      TEXT,
  team          TEXT,
  issued_on     TEXT NOT NULL,
  PRIMARY KEY (issue, serial)
) STRICT;
CREATE INDEX children_by_serial ON children (serial);
CREATE INDEX children_by_category ON children (category, returned);
CREATE INDEX children_by_category_name ON children (category_name);
CREATE INDEX children_by_returned ON children (returned);
CREATE INDEX children_by_name ON children (name);

CREATE TABLE progress (
  unit      TEXT PRIMARY KEY,
  name      TEXT NOT NULL,
  reported  TEXT NOT NULL,
  suspected INTEGER NOT NULL,
  verified  INTEGER NOT NULL,
  deducted  INTEGER NOT NULL,
  to_return INTEGER NOT NULL,
  returned  INTEGER NOT NULL,
  still_out INTEGER NOT NULL
) STRICT;

CREATE TABLE workbooks (
  id       INTEGER PRIMARY KEY,
  unit     TEXT NOT NULL,
  file     TEXT NOT NULL,
  received TEXT NOT NULL,
  status   TEXT NOT NULL,
  errors   INTEGER NOT NULL,
  warnings INTEGER NOT NULL,
  notes    INTEGER NOT NULL
) STRICT;

CREATE TABLE findings (
  id       INTEGER PRIMARY KEY,
  workbook INTEGER NOT NULL REFERENCES workbooks (id),
  severity TEXT NOT NULL,
  state    TEXT NOT NULL,
  rule     TEXT NOT NULL,
  sheet    TEXT NOT NULL,
  cell     TEXT NOT NULL,
  issue    TEXT,
  serial   TEXT,
  message  TEXT NOT NULL
) STRICT;
CREATE INDEX findings_of_child ON findings (issue, serial);

CREATE TABLE corrections (
  issue         TEXT NOT NULL,
  serial        TEXT NOT NULL,
  department    TEXT NOT NULL,
  unit          TEXT NOT NULL,
  name          TEXT NOT NULL,
  sex           TEXT NOT NULL,
  id_masked     TEXT NOT NULL,
  household     TEXT NOT NULL,
  category      TEXT NOT NULL,
  category_name TEXT NOT NULL,
  opened_on     TEXT NOT NULL,
  state         TEXT NOT NULL,
  cause         TEXT,
  outcome       TEXT,
  closed_on     TEXT,
  remark        TEXT,
  PRIMARY KEY (issue, serial, department, category)
) STRICT;

CREATE TABLE cases (
  issue         TEXT NOT NULL,
  serial        TEXT NOT NULL,
  unit          TEXT NOT NULL,
  name          TEXT NOT NULL,
  sex           TEXT NOT NULL,
  id_masked     TEXT NOT NULL,
  category      TEXT NOT NULL,
  category_name TEXT NOT NULL,
  opened_on     TEXT NOT NULL,
  state         TEXT NOT NULL,
  measured_on   TEXT,
  measure       TEXT,
  department    TEXT,
  person        TEXT,
  schooling     TEXT,
  returned_on   TEXT,
  carer         TEXT,
  bureau_copy   TEXT NOT NULL,
  unit_copy     TEXT NOT NULL,
  PRIMARY KEY (issue, serial)
) STRICT;

CREATE TABLE flags (
  unit       TEXT NOT NULL,
  rule       TEXT NOT NULL,
  message    TEXT NOT NULL,
  message_en TEXT NOT NULL,
  PRIMARY KEY (unit, rule)
) STRICT;

CREATE TABLE visits (
  sample        INTEGER NOT NULL,
  drawn_on      TEXT NOT NULL,
  issue         TEXT NOT NULL,
  serial        TEXT NOT NULL,
  unit          TEXT NOT NULL,
  name          TEXT NOT NULL,
  sex           TEXT NOT NULL,
  id_masked     TEXT NOT NULL,
  household     TEXT NOT NULL,
  category      TEXT,
  category_name TEXT,
  returned      TEXT,
  PRIMARY KEY (sample, issue, serial)
) STRICT;

CREATE TABLE answers (
  issue         TEXT NOT NULL,
  serial        TEXT NOT NULL,
  workbook      INTEGER NOT NULL REFERENCES workbooks (id),
  unit          TEXT NOT NULL,
  received      TEXT NOT NULL,
  category      TEXT NOT NULL,
  category_name TEXT,
  returned      TEXT NOT NULL,
  team          TEXT NOT NULL,
  PRIMARY KEY (issue, serial, workbook)
) STRICT;

CREATE TABLE signatures (
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  signature INTEGER NOT NULL,
  unit      TEXT NOT NULL,
  act       TEXT NOT NULL,
  signed_on TEXT NOT NULL,
  members   TEXT NOT NULL,
  PRIMARY KEY (issue, serial, signature)
) STRICT;

CREATE TABLE changes (
  id       INTEGER PRIMARY KEY,
  received TEXT NOT NULL,
  unit     TEXT NOT NULL,
  issue    TEXT NOT NULL,
  serial   TEXT NOT NULL,
  earlier  TEXT NOT NULL,
  later    TEXT NOT NULL,
  filler   TEXT NOT NULL,
  leader   TEXT NOT NULL
) STRICT;
CREATE INDEX changes_of_child ON changes (issue, serial);

CREATE TABLE deliverables (
  unit        TEXT NOT NULL,
  what        TEXT NOT NULL,
  medium      TEXT NOT NULL,
  state       TEXT NOT NULL,
  received_on TEXT,
  received_by TEXT,
  PRIMARY KEY (unit, what, medium)
) STRICT;
