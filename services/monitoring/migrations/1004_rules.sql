-- Dated rules of a region. A rule set never changes; another one takes its place.
CREATE TABLE rule_set (
    rule_set_id     uuid PRIMARY KEY,
    region_code     bigint NOT NULL,
    effective_from  date NOT NULL,
    effective_until date,
    -- What was stated, as the domain has it.
    stated          jsonb NOT NULL,
    actor           text NOT NULL,
    record_time     timestamptz NOT NULL,
    CONSTRAINT rule_set_period CHECK (effective_until > effective_from)
);
CREATE INDEX rule_set_region ON rule_set (region_code, effective_from);
-- Rules of a province bind its villages: they are read in every region, and stored for one's own.
CALL restrict_to_region('rule_set');
CREATE POLICY rules_are_read_everywhere ON rule_set FOR SELECT
    USING ((SELECT region_from() IS NOT NULL AND region_until() IS NOT NULL));
GRANT SELECT, INSERT ON rule_set TO tongxin_app;

-- Days whose being worked differs from the weekly pattern, by province.
CREATE TABLE holiday (
    region_code bigint NOT NULL CHECK (region_code % 10000000000 = 0),
    day         date NOT NULL,
    worked      boolean NOT NULL,
    name        text NOT NULL,
    PRIMARY KEY (region_code, day)
);
-- Those of a province bind its villages: they are read in every region, and stated for one's own.
CALL restrict_to_region('holiday');
CREATE POLICY holidays_are_read_everywhere ON holiday FOR SELECT
    USING ((SELECT region_from() IS NOT NULL AND region_until() IS NOT NULL));
GRANT SELECT, INSERT, DELETE ON holiday TO tongxin_app;

-- What a rule said of a household, with all that it was asked about.
CREATE TABLE verdict (
    verdict_id   uuid PRIMARY KEY,
    household_id uuid NOT NULL REFERENCES household,
    region_code  bigint NOT NULL,
    rule_set_id  uuid NOT NULL REFERENCES rule_set,
    rule_number  integer NOT NULL,
    -- Last day of the window that was looked at: of one window, a rule says the same thing of the same inputs once.
    window_ends_on date NOT NULL,
    -- Names and values, the values as CEL literals.
    inputs       jsonb NOT NULL,
    message      text NOT NULL,
    screened_on  date NOT NULL,
    record_time  timestamptz NOT NULL
);
CREATE INDEX verdict_household ON verdict (household_id, verdict_id);
CALL restrict_to_region('verdict');
-- A household that moves takes its verdicts along.
GRANT SELECT, INSERT, UPDATE (region_code) ON verdict TO tongxin_app;
