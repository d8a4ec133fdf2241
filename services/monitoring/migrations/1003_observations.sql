-- What households earned and lacked in the 12 months that end on a day. Amounts in fen, within the contract's bounds: what a
-- screening asks of them in SQL is known not to overflow.
CREATE TABLE observation (
    household_id          uuid NOT NULL REFERENCES household,
    window_ends_on        date NOT NULL,
    region_code           bigint NOT NULL,
    persons               smallint NOT NULL CHECK (persons > 0),
    wages                 bigint NOT NULL CHECK (wages BETWEEN 0 AND 100000000000),
    business              bigint NOT NULL CHECK (business BETWEEN 0 AND 100000000000),
    property              bigint NOT NULL CHECK (property BETWEEN 0 AND 100000000000),
    transfer              bigint NOT NULL CHECK (transfer BETWEEN 0 AND 100000000000),
    business_expense      bigint NOT NULL CHECK (business_expense BETWEEN 0 AND 100000000000),
    out_of_pocket         bigint NOT NULL CHECK (out_of_pocket BETWEEN 0 AND 100000000000),
    insurance_received    bigint NOT NULL CHECK (insurance_received BETWEEN 0 AND 100000000000),
    net_income            bigint NOT NULL,
    per_capita_net_income bigint NOT NULL,
    schooling_guaranteed  boolean NOT NULL,
    medical_guaranteed    boolean NOT NULL,
    housing_grade         text NOT NULL CHECK (housing_grade IN ('A', 'B', 'C', 'D')),
    water_safe            boolean NOT NULL,
    -- What hit the household: [{"cause": ..., "disaster": ..., "loss_fen": ...}].
    shocks                jsonb NOT NULL,
    record_time           timestamptz NOT NULL,
    version               bigint NOT NULL,
    PRIMARY KEY (household_id, window_ends_on),
    CONSTRAINT observation_window CHECK (extract(day FROM window_ends_on + 1) = 1),
    CONSTRAINT observation_net_income CHECK (net_income = wages + business + property + transfer - business_expense)
);
CALL restrict_to_region('observation');
-- A merge that is undone takes observations away again.
GRANT SELECT, INSERT, UPDATE, DELETE ON observation TO tongxin_app;

-- What rules ask about a household: its members and its newest observation in one narrow row, so that
-- a screening reads one table. Written with what it is made of.
CREATE TABLE profile (
    household_id           uuid PRIMARY KEY,
    region_code            bigint NOT NULL,
    persons                smallint NOT NULL,
    labourers              smallint NOT NULL,
    students               smallint NOT NULL,
    children_out_of_school smallint NOT NULL,
    elderly                smallint NOT NULL,
    -- The day from which on there is one more of them.
    elderly_rises_on       date,
    disabled               smallint NOT NULL,
    seriously_ill          smallint NOT NULL,
    chronically_ill        smallint NOT NULL,
    workers                smallint NOT NULL,
    uninsured              smallint NOT NULL,
    lifted_from_poverty    boolean NOT NULL,
    support                text NOT NULL,
    monitored              boolean NOT NULL,
    -- The newest observation; NULL before the first.
    window_ends_on         date,
    wages                  bigint,
    business               bigint,
    property               bigint,
    transfer               bigint,
    business_expense       bigint,
    out_of_pocket          bigint,
    insurance_received     bigint,
    net_income             bigint,
    per_capita_net_income  bigint,
    -- Of the window a year before.
    previous_per_capita_net_income bigint,
    loss                   bigint CHECK (loss BETWEEN 0 AND 1000000000000),
    schooling_guaranteed   boolean,
    medical_guaranteed     boolean,
    housing_grade          text,
    water_safe             boolean,
    -- One bit for each risk, in the contract's order.
    shocks                 integer,
    CONSTRAINT profile_observation CHECK (num_nulls(
        window_ends_on, wages, business, property, transfer, business_expense, out_of_pocket, insurance_received,
        net_income, per_capita_net_income, loss, schooling_guaranteed, medical_guaranteed, housing_grade, water_safe,
        shocks
    ) IN (0, 16))
)
-- Rewritten with each observation, and twice as wide after the first: there is room for it where the row is, or each would
-- get new entries in all indexes and leave a dead one behind for the screening to step over.
WITH (fillfactor = 30);
CREATE INDEX profile_region ON profile (region_code);
-- Whose members are to be counted anew before a screening.
CREATE INDEX profile_elderly_rises ON profile (elderly_rises_on) WHERE elderly_rises_on IS NOT NULL;
CALL restrict_to_region('profile');
GRANT SELECT, INSERT, UPDATE, DELETE ON profile TO tongxin_app;
