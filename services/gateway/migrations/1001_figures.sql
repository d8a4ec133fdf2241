-- Facts that events state, and their sums by region and period.

-- One contribution of one event to one indicator. Never changed: the next event adds to it.
CREATE TABLE fact (
    source      text NOT NULL,
    epoch       bigint NOT NULL,
    seq         bigint NOT NULL,
    position    integer NOT NULL,
    event_id    uuid NOT NULL,
    indicator   text NOT NULL,
    region_code bigint NOT NULL,
    occurred_on date NOT NULL,
    amount      bigint NOT NULL CONSTRAINT fact_amount CHECK (amount <> 0),
    subject     text NOT NULL,
    CONSTRAINT fact_once PRIMARY KEY (source, epoch, seq, position)
);
CALL restrict_to_region('fact');
GRANT SELECT, INSERT, DELETE ON fact TO tongxin_app;

-- Sums of facts by day, for the region and, where the indicator adds up, all above it.
CREATE TABLE rollup_day (
    region_code bigint NOT NULL,
    day         date NOT NULL,
    indicator   text NOT NULL,
    amount      bigint NOT NULL,
    PRIMARY KEY (region_code, day, indicator)
)
-- Sums are written over and over; room on their page keeps that cheap.
WITH (fillfactor = 70);
CALL restrict_to_region('rollup_day');
GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_day TO tongxin_app;

-- The same by month, named by its first day.
CREATE TABLE rollup_month (
    region_code bigint NOT NULL,
    month       date NOT NULL CONSTRAINT rollup_month_first_day CHECK (extract(day FROM month) = 1),
    indicator   text NOT NULL,
    amount      bigint NOT NULL,
    PRIMARY KEY (region_code, month, indicator)
)
WITH (fillfactor = 70);
CALL restrict_to_region('rollup_month');
GRANT SELECT, INSERT, UPDATE, DELETE ON rollup_month TO tongxin_app;

-- The metrics show all regions but villages.
CREATE INDEX rollup_day_upper_levels ON rollup_day (day) WHERE region_code % 1000 = 0;
CREATE INDEX rollup_month_upper_levels ON rollup_month (month) WHERE region_code % 1000 = 0;

-- A region and those above it, from its code alone.
CREATE FUNCTION region_line(code bigint) RETURNS SETOF bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT DISTINCT code - code % segment.weight
    FROM (VALUES (10000000000), (100000000), (1000000), (1000), (1)) AS segment (weight);
END;
