-- Signs that households are at risk. Reports of one household and cause are one signal while it is open.
CREATE TABLE signal (
    signal_id    uuid PRIMARY KEY,
    household_id uuid NOT NULL REFERENCES household,
    region_code  bigint NOT NULL,
    cause        text NOT NULL,
    state        text NOT NULL CHECK (state IN ('open', 'verified', 'refuted')),
    reported_on  date NOT NULL,
    reason       text NOT NULL,
    decided_on   date,
    case_id      uuid REFERENCES cases,
    version      bigint NOT NULL,
    CONSTRAINT signal_decided CHECK ((state = 'open') = (decided_on IS NULL))
);
CREATE UNIQUE INDEX signal_open ON signal (household_id, cause) WHERE cause IS NOT NULL AND state = 'open';
CREATE INDEX signal_household ON signal (household_id);
CREATE INDEX signal_region ON signal (region_code, signal_id);
CREATE INDEX signal_case ON signal (case_id) WHERE case_id IS NOT NULL;
-- The funnel asks which cases were relapsed from.
CREATE INDEX cases_relapse ON cases (relapse_of) WHERE relapse_of IS NOT NULL;
CALL restrict_to_region('signal');
GRANT SELECT, INSERT, UPDATE ON signal TO tongxin_app;

-- The reports that a signal rests on.
CREATE TABLE signal_source (
    signal_id   uuid NOT NULL REFERENCES signal,
    position    integer NOT NULL,
    region_code bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('self_report', 'sweep', 'department_warning', 'screening')),
    department  text,
    reported_on date NOT NULL,
    verdict_id  uuid REFERENCES verdict,
    rule_set_id uuid,
    rule_number integer,
    PRIMARY KEY (signal_id, position),
    CONSTRAINT signal_source_department CHECK ((kind = 'department_warning') = (department IS NOT NULL)),
    CONSTRAINT signal_source_rule CHECK ((kind = 'screening') = (num_nulls(verdict_id, rule_set_id, rule_number) = 0))
);
CREATE INDEX signal_source_reported ON signal_source (region_code, reported_on);
CALL restrict_to_region('signal_source');
GRANT SELECT, INSERT, UPDATE (region_code) ON signal_source TO tongxin_app;

-- Warnings of departments as they came in. The ID number is sealed under the warning's own data key and
-- found by its keyed hash; `signal_id` is set once it matched a household.
CREATE TABLE warning (
    warning_id  uuid PRIMARY KEY,
    -- The sender's region, within which it is matched.
    region_code bigint NOT NULL,
    department  text NOT NULL,
    reference   text NOT NULL,
    cause       text NOT NULL,
    occurred_on date NOT NULL,
    data_key    bytea NOT NULL,
    sealed      bytea NOT NULL,
    id_index    uuid NOT NULL,
    signal_id   uuid REFERENCES signal,
    record_time timestamptz NOT NULL,
    CONSTRAINT warning_once UNIQUE (department, region_code, reference)
);
CREATE INDEX warning_unmatched ON warning (id_index) WHERE signal_id IS NULL;
CREATE INDEX warning_sent ON warning (region_code, occurred_on);
CALL restrict_to_region('warning');
GRANT SELECT, INSERT, UPDATE (signal_id) ON warning TO tongxin_app;
