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
-- found by its keyed hash; `signal_id` is set once it matched a household. A reference names one record of
-- a department and sender's region.
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
CREATE INDEX warning_unmatched ON warning (id_index, region_code, warning_id) WHERE signal_id IS NULL;
CREATE INDEX warning_sent ON warning (region_code, occurred_on);
CALL restrict_to_region('warning');
GRANT SELECT, INSERT, UPDATE (signal_id) ON warning TO tongxin_app;

-- Who is to be matched: whoever keeps a warning, and whoever enters, moves or merges a person, leaves the keyed
-- hashes here in the same transaction. Once it is committed the matcher reads warnings and members anew, so of two
-- transactions that do not see each other the one that commits last is matched with both.
CREATE TABLE match_queue (
    entry_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    people       uuid[] NOT NULL CHECK (cardinality(people) > 0),
    -- How often it failed.
    attempts     integer NOT NULL DEFAULT 0,
    enqueue_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When it is looked at, again after a failure.
    due_time     timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Hashes cannot be compressed.
ALTER TABLE match_queue ALTER people SET STORAGE EXTERNAL;
CREATE INDEX match_queue_due ON match_queue (due_time, entry_id);
-- Anybody's change leaves something; only the service itself, which sees every region, reads it. The planner takes a
-- truth for more likely than two equations, and so reads the queue in its order.
CREATE FUNCTION sees_every_region() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(region_from() = 0 AND region_until() = 1000000000000, false);
ALTER TABLE match_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY anybody_leaves ON match_queue FOR INSERT WITH CHECK (true);
CREATE POLICY the_service_takes ON match_queue
    USING ((SELECT sees_every_region()));
GRANT SELECT, INSERT, DELETE, UPDATE (attempts, due_time) ON match_queue TO tongxin_app;
