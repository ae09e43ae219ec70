-- The full ID numbers of the children in a scope's file. They are in a separate file, which is not served; the staff
-- instance reads one number at a time from it.

CREATE TABLE number (
  issue     TEXT NOT NULL,
  serial    TEXT NOT NULL,
  id_number TEXT NOT NULL,
  PRIMARY KEY (issue, serial)
) STRICT;
