-- Version 7: papers in case files, and steps taken towards guardians.

CREATE TABLE paper (
  id          INTEGER PRIMARY KEY,
  issue       TEXT NOT NULL,
  serial      TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('criticism', 'legal', 'liability', 'enrolment', 'medical', 'other')),
  about       TEXT NOT NULL,
  place       TEXT NOT NULL,
  dated       TEXT NOT NULL CHECK (dated GLOB '????-??-??'),
  recorded_by TEXT NOT NULL,
  recorded_on TEXT NOT NULL CHECK (recorded_on GLOB '????-??-??'),
  FOREIGN KEY (issue, serial) REFERENCES child (issue, serial)
) STRICT;
CREATE INDEX paper_of_child ON paper (issue, serial);
CREATE TRIGGER paper_immutable BEFORE UPDATE ON paper BEGIN SELECT RAISE(ABORT, 'immutable'); END;
CREATE TRIGGER paper_kept BEFORE DELETE ON paper BEGIN SELECT RAISE(ABORT, 'immutable'); END;
