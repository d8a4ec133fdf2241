-- Collective income of villages, in fen.
CREATE TABLE village_income (
    region_code bigint NOT NULL,
    year        integer NOT NULL,
    operating   bigint NOT NULL CHECK (operating >= 0),
    contracting bigint NOT NULL CHECK (contracting >= 0),
    investment  bigint NOT NULL CHECK (investment >= 0),
    other       bigint NOT NULL CHECK (other >= 0),
    -- The tiers that it was counted in, whatever the settings say since.
    tiers       text[] NOT NULL,
    record_time timestamptz NOT NULL,
    version     bigint NOT NULL,
    PRIMARY KEY (region_code, year)
);
CALL restrict_to_region('village_income');
GRANT SELECT, INSERT, UPDATE ON village_income TO tongxin_app;

-- What data-quality rules found at the last check.
CREATE TABLE defect (
    household_id uuid NOT NULL REFERENCES household,
    rule_number  smallint NOT NULL,
    region_code  bigint NOT NULL,
    found_on     date NOT NULL,
    -- Of a defect that is about two households: the village of the other one.
    other_region bigint,
    PRIMARY KEY (household_id, rule_number)
);
CREATE INDEX defect_region ON defect (region_code, rule_number);
CREATE INDEX defect_rule ON defect (rule_number, region_code, household_id);
CALL restrict_to_region('defect');
-- What is about two households is told to those only who see both: else it would tell that somebody is registered elsewhere.
CREATE POLICY both_households ON defect AS RESTRICTIVE FOR SELECT
    USING (
        other_region IS NULL
        OR (other_region >= (SELECT region_from()) AND other_region < (SELECT region_until()))
    );
GRANT SELECT, INSERT, UPDATE, DELETE ON defect TO tongxin_app;
