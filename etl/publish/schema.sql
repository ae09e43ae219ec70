-- The open database. Every table and column is described in metadata.yml; a test compares the two.

CREATE TABLE release (
    release TEXT PRIMARY KEY,           -- four digits
    campaign TEXT NOT NULL,
    as_of TEXT NOT NULL,                -- ISO date that the figures stand for
    closing INTEGER NOT NULL CHECK (closing IN (0, 1)),
    k INTEGER NOT NULL                  -- a count of k or less is never exact
);

CREATE TABLE area (                     -- parts of the county with rows of their own; may be empty
    key TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    name_en TEXT NOT NULL
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
    area TEXT REFERENCES area (key),
    unit TEXT REFERENCES unit (slug),
    category TEXT REFERENCES category (code),
    measure TEXT NOT NULL REFERENCES measure (key),
    status TEXT NOT NULL CHECK (status IN ('exact', 'interval', 'rounded', 'not_due')),
    value INTEGER,                      -- the exact or the rounded figure
    low INTEGER,                        -- the true count is at least this
    high INTEGER,                       -- and at most this
    rounded INTEGER,                    -- the rounded figure that later releases carry on
    PRIMARY KEY (release, table_key, row, measure),
    CHECK (CASE status
        WHEN 'exact' THEN value IS low AND value IS high AND value IS NOT NULL
        WHEN 'interval' THEN value IS NULL AND ifnull(0 <= low AND low < high, 0)
        WHEN 'rounded' THEN value IS rounded AND ifnull(0 <= low AND low < high AND low <= value AND value <= high, 0)
        ELSE coalesce(value, low, high, rounded) IS NULL
    END)
);
