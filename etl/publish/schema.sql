-- The open database. Every table and column is described in metadata.yml; a test compares the two.

CREATE TABLE release (
    release TEXT PRIMARY KEY,           -- four digits
    campaign TEXT NOT NULL,
    as_of TEXT NOT NULL,                -- ISO date that the figures stand for
    closing INTEGER NOT NULL CHECK (closing IN (0, 1)),
    k INTEGER NOT NULL                  -- no count of 1 … k-1 can be inferred
);

CREATE TABLE unit (
    slug TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    kind TEXT NOT NULL
);

CREATE TABLE category (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    group_key TEXT NOT NULL CHECK (group_key IN ('deducted', 'to_return')),
    definition TEXT NOT NULL,
    definition_en TEXT NOT NULL,
    k INTEGER NOT NULL                  -- the threshold of this category in the newest release
);

CREATE TABLE measure (
    key TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL,
    definition TEXT NOT NULL,
    definition_en TEXT NOT NULL
);

CREATE TABLE cell (
    release TEXT NOT NULL REFERENCES release (release),
    table_key TEXT NOT NULL,
    row TEXT NOT NULL,
    unit TEXT REFERENCES unit (slug),
    category TEXT REFERENCES category (code),
    measure TEXT NOT NULL REFERENCES measure (key),
    value INTEGER,
    status TEXT NOT NULL CHECK (status IN ('published', 'rounded', 'suppressed', 'not_due')),
    PRIMARY KEY (release, table_key, row, measure),
    CHECK ((status IN ('published', 'rounded')) = (value IS NOT NULL))
);

CREATE TABLE cell_range (
    release TEXT NOT NULL REFERENCES release (release),
    row TEXT NOT NULL,
    measure TEXT NOT NULL REFERENCES measure (key),
    low INTEGER NOT NULL,
    high INTEGER,                       -- NULL: without upper limit
    PRIMARY KEY (release, row, measure)
);
