-- Cases: a household's way into and out of monitoring.
CREATE TABLE cases (
    case_id       uuid PRIMARY KEY,
    household_id  uuid NOT NULL REFERENCES household,
    region_code   bigint NOT NULL,
    rule_set_id   uuid NOT NULL REFERENCES rule_set,
    category      text NOT NULL,
    risks         text[] NOT NULL CHECK (cardinality(risks) BETWEEN 1 AND 5),
    risk_remark   text NOT NULL,
    emergency     text CHECK (emergency IN ('disaster', 'accident')),
    opened_on     date NOT NULL,
    opened_by     text NOT NULL,
    stage         text NOT NULL,
    next_step     text,
    next_due_on   date,
    identified_on date,
    removal_kind  text CHECK (removal_kind IN ('assisted', 'natural')),
    proposed_by   text,
    removed_on    date,
    relapse_of    uuid REFERENCES cases,
    signal_ids    uuid[] NOT NULL,
    version       bigint NOT NULL,
    CONSTRAINT cases_stage CHECK (stage IN ('identifying', 'monitored', 'removing', 'removed', 'refused')),
    CONSTRAINT cases_next_step CHECK ((stage IN ('identifying', 'removing')) = (next_step IS NOT NULL)),
    CONSTRAINT cases_due CHECK ((next_step IS NULL) = (next_due_on IS NULL)),
    CONSTRAINT cases_identified CHECK ((stage IN ('monitored', 'removing', 'removed')) = (identified_on IS NOT NULL)),
    CONSTRAINT cases_removal CHECK (stage NOT IN ('removing', 'removed') OR (removal_kind IS NOT NULL AND proposed_by IS NOT NULL)),
    CONSTRAINT cases_removed CHECK ((stage = 'removed') = (removed_on IS NOT NULL))
);
CREATE UNIQUE INDEX cases_open_household ON cases (household_id) WHERE stage IN ('identifying', 'monitored', 'removing');
CREATE INDEX cases_household ON cases (household_id);
CREATE INDEX cases_region ON cases (region_code, opened_on, case_id);
CREATE INDEX cases_opened ON cases (opened_on, case_id);
CREATE INDEX cases_due_step ON cases (next_due_on, case_id) WHERE next_due_on IS NOT NULL;
CALL restrict_to_region('cases');
GRANT SELECT, INSERT, UPDATE ON cases TO tongxin_app;

-- What happened in a case. Never changed.
CREATE TABLE case_entry (
    case_id      uuid NOT NULL REFERENCES cases,
    position     integer NOT NULL,
    region_code  bigint NOT NULL,
    kind         text NOT NULL,
    step         text,
    occurred_on  date NOT NULL,
    due_on       date,
    performed_by text NOT NULL,
    -- Subject of the token that entered it.
    actor        text NOT NULL,
    reason       text NOT NULL,
    record_time  timestamptz NOT NULL,
    PRIMARY KEY (case_id, position),
    CONSTRAINT case_entry_kind CHECK (kind IN (
        'opened', 'step_passed', 'step_refused', 'removal_proposed', 'removal_rolled_back'
    )),
    CONSTRAINT case_entry_step CHECK ((kind IN ('step_passed', 'step_refused')) = (step IS NOT NULL))
);
CALL restrict_to_region('case_entry');
GRANT SELECT, INSERT, UPDATE (region_code) ON case_entry TO tongxin_app;

-- One household, one policy.
CREATE TABLE measure (
    measure_id  uuid PRIMARY KEY,
    case_id     uuid NOT NULL REFERENCES cases,
    region_code bigint NOT NULL,
    risk        text NOT NULL,
    family      text NOT NULL,
    owner       text NOT NULL,
    planned_on  date NOT NULL,
    due_on      date NOT NULL,
    planned_fen bigint NOT NULL CHECK (planned_fen >= 0),
    state       text NOT NULL CHECK (state IN ('planned', 'done', 'cancelled')),
    finished_on date,
    outcome     text NOT NULL,
    spent_fen   bigint NOT NULL CHECK (spent_fen >= 0),
    CONSTRAINT measure_finished CHECK ((state = 'planned') = (finished_on IS NULL)),
    CONSTRAINT measure_due CHECK (due_on >= planned_on)
);
CREATE INDEX measure_case ON measure (case_id, measure_id);
CALL restrict_to_region('measure');
GRANT SELECT, INSERT, UPDATE ON measure TO tongxin_app;
