-- The audit log of the staff instance: one entry for each look, sealed over itself and the entry before it (audit.py).

CREATE TABLE entry (
  number     INTEGER PRIMARY KEY,
  at         TEXT NOT NULL,     -- UTC, seconds
  actor      TEXT NOT NULL,     -- account name; empty for somebody who has not logged in
  address    TEXT NOT NULL,
  method     TEXT NOT NULL,
  path       TEXT NOT NULL,
  query      TEXT NOT NULL,     -- conditions and own SQL as they were sent
  status     INTEGER NOT NULL,
  statements INTEGER NOT NULL,
  rows       INTEGER NOT NULL,  -- of the largest answer
  reason     TEXT NOT NULL,     -- why a full ID number was asked for
  seal       BLOB NOT NULL
) STRICT;

CREATE INDEX entry_by_reason ON entry (actor, at) WHERE reason <> '';
CREATE INDEX entry_refused ON entry (at) WHERE status = 429;

-- Where the log begins: the last entry that was put away, 0 of one that is whole.
CREATE TABLE start (
  number INTEGER NOT NULL,
  seal   BLOB NOT NULL
) STRICT;
INSERT INTO start VALUES (0, x'');

CREATE TRIGGER entry_stays BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'entries are not changed'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'entries are not deleted'); END;
