-- Version 5: two checks say the same in words that cost nothing; IN built a tree for every row that was inserted.
-- What is stored stays as it is: SQLite's own way of changing a CHECK (sqlite.org/lang_altertable.html, section 7).

PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'returned IN (''是'', ''否'', ''无'')', 'returned GLOB ''[是否无]''')
  WHERE type = 'table' AND name = 'answer';
UPDATE sqlite_schema SET sql = replace(sql, 'severity IN (''error'', ''warning'', ''note'')',
                                       'severity = ''error'' OR severity = ''warning'' OR severity = ''note''')
  WHERE type = 'table' AND name = 'finding';
PRAGMA writable_schema = RESET;
