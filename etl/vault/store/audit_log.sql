-- The audit log of the staff instance: one entry for each look, sealed over itself and the seal before (audit_log.py).

CREATE TABLE entry (
  number     INTEGER PRIMARY KEY,
  at         TEXT NOT NULL,     -- UTC, to the second
  actor      TEXT NOT NULL,     -- account name; empty if not logged in
  address    TEXT NOT NULL,
  method     TEXT NOT NULL,
  path       TEXT NOT NULL,
  query      TEXT NOT NULL,     -- query string as it was sent, with filters and SQL
  status     INTEGER NOT NULL,
  statements INTEGER NOT NULL,
  rows       INTEGER NOT NULL,  -- number of rows of the largest answer
  reason     TEXT NOT NULL,     -- why a full ID number was asked for
  seal       BLOB NOT NULL
) STRICT;

CREATE INDEX entry_by_reason ON entry (actor, at) WHERE reason <> '';
CREATE INDEX entry_refused ON entry (at) WHERE status = 429;

-- The entry before the first one in this file: its number and seal; 0 and empty if no entries were moved out.
CREATE TABLE start (
  number INTEGER NOT NULL,
  seal   BLOB NOT NULL
) STRICT;
INSERT INTO start VALUES (0, x'');

CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are not changed'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are not deleted'); END;
