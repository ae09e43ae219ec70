-- The full ID numbers of the children in a scope's file, in a second file of its own: it is not served, only asked for
-- one child at a time.

CREATE TABLE number (
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  id_number TEXT NOT NULL,
  PRIMARY KEY (issue, serial)
) STRICT;
