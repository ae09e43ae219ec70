-- Version 3: the base lock, samples for a second visit.

CREATE TABLE base_lock (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  locked_on     TEXT NOT NULL CHECK (locked_on GLOB '????-??-??'),
  locked_by     TEXT NOT NULL,
  last_workbook INTEGER NOT NULL,
  suspected     INTEGER NOT NULL,
  unverified    INTEGER NOT NULL,
  deducted      INTEGER NOT NULL,
  returned      INTEGER NOT NULL
) STRICT;
CREATE TABLE revisit (
  id       INTEGER PRIMARY KEY,
  drawn_on TEXT NOT NULL CHECK (drawn_on GLOB '????-??-??'),
  drawn_by TEXT NOT NULL,
  seed     INTEGER NOT NULL,
  margin   REAL NOT NULL,
  if_none  REAL NOT NULL
) STRICT;
CREATE TABLE revisit_child (
  revisit INTEGER NOT NULL REFERENCES revisit (id),
  issue   TEXT NOT NULL,
  serial  TEXT NOT NULL,
  PRIMARY KEY (revisit, issue, serial),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER lock_immutable BEFORE UPDATE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER lock_kept BEFORE DELETE ON base_lock BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_immutable BEFORE UPDATE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisit_kept BEFORE DELETE ON revisit BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisited_immutable BEFORE UPDATE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER revisited_kept BEFORE DELETE ON revisit_child BEGIN SELECT RAISE(ABORT, 'immutable'); END;
