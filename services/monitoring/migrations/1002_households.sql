-- Households. What is personal is sealed under the household's data key; erasing the key and the
-- members' indexes erases the household.
CREATE TABLE household (
    household_id        uuid PRIMARY KEY,
    household_number    text,
    region_code         bigint NOT NULL,
    lifted_from_poverty boolean NOT NULL,
    support             text NOT NULL,
    -- The wrapped data key, and address and bank account under it.
    data_key            bytea NOT NULL,
    sealed_contact      bytea NOT NULL,
    merged_into         uuid REFERENCES household,
    registered_on       date NOT NULL,
    moved_on            date,
    register_time       timestamptz NOT NULL,
    version             bigint NOT NULL,
    CONSTRAINT household_support CHECK (support IN ('none', 'subsistence', 'extreme_difficulty')),
    CONSTRAINT household_not_its_own CHECK (merged_into <> household_id),
    CONSTRAINT household_moved_on CHECK (moved_on >= registered_on)
);
-- An index of a part of a table says that its column is there. Else it would match each statement about that part, and
-- one that is planned while the table is empty would read the whole index.
-- A number is unique within a county.
CREATE UNIQUE INDEX household_number_taken ON household (household_number, (region_code / 1000000))
    WHERE household_number IS NOT NULL AND merged_into IS NULL;
CREATE INDEX household_region ON household (region_code, household_id);
CALL restrict_to_region('household');
GRANT SELECT, INSERT, UPDATE ON household TO tongxin_app;

-- Members. `sealed` holds name, ID number, phone and health; the indexes are keyed hashes by which
-- ID number and name are found. Written with their household in one statement after the other: a foreign
-- key to it would look it up once more for each, a fifth of an import.
CREATE TABLE member (
    household_id uuid NOT NULL,
    member_id    uuid NOT NULL,
    region_code  bigint NOT NULL,
    position     smallint NOT NULL,
    relation     text NOT NULL,
    sex          text NOT NULL CHECK (sex IN ('male', 'female')),
    birth_date   date NOT NULL,
    labour       text NOT NULL CHECK (labour IN ('ordinary', 'skilled', 'weak', 'lost', 'none')),
    schooling    text NOT NULL,
    -- One bit for each insurance, in the contract's order.
    insurances   smallint NOT NULL,
    work         text NOT NULL,
    work_months  smallint NOT NULL CHECK (work_months BETWEEN 0 AND 12),
    sealed       bytea NOT NULL,
    id_index     uuid NOT NULL,
    name_index   uuid NOT NULL,
    left_on      date,
    county       integer NOT NULL GENERATED ALWAYS AS (region_code / 1000000) STORED,
    PRIMARY KEY (household_id, member_id),
    CONSTRAINT member_relation CHECK (relation IN (
        'head', 'spouse', 'child', 'child_in_law', 'grandchild', 'parent', 'grandparent', 'sibling', 'other'
    )),
    CONSTRAINT member_schooling CHECK (schooling IN (
        'not_at_school', 'before_school', 'primary', 'junior', 'senior', 'vocational', 'college', 'dropped_out'
    )),
    CONSTRAINT member_work CHECK (work IN (
        'none', 'farming', 'job_in_county', 'job_in_province', 'job_elsewhere', 'public_service_post', 'business'
    ))
);
-- Finds people by ID number wherever they live, and keeps them once in a household.
CREATE UNIQUE INDEX member_id_number ON member (id_index, household_id)
    WHERE id_index IS NOT NULL AND left_on IS NULL;
-- Finds people by name within counties. A county's file, which comes at once, touches one part of it. With an
-- expression in place of the column, row-level security would keep the planner from using it.
CREATE INDEX member_name ON member (county, name_index) WHERE name_index IS NOT NULL AND left_on IS NULL;
CREATE UNIQUE INDEX member_one_head ON member (household_id) WHERE relation = 'head' AND left_on IS NULL;
CALL restrict_to_region('member');
-- A merge that is undone takes members away again.
GRANT SELECT, INSERT, UPDATE, DELETE ON member TO tongxin_app;

-- Two records of a household that were made one.
CREATE TABLE merge (
    merge_id      uuid PRIMARY KEY,
    region_code   bigint NOT NULL,
    kept_id       uuid NOT NULL REFERENCES household,
    merged_id     uuid NOT NULL REFERENCES household,
    merged_on     date NOT NULL,
    -- Members of the merged household that were taken over, and the rows that they became.
    taken_members uuid[] NOT NULL,
    new_members   uuid[] NOT NULL,
    taken_windows date[] NOT NULL,
    taken_number  boolean NOT NULL,
    undone_on     date,
    CONSTRAINT merge_members CHECK (cardinality(taken_members) = cardinality(new_members))
);
CREATE INDEX merge_kept ON merge (kept_id);
CALL restrict_to_region('merge');
GRANT SELECT, INSERT, UPDATE ON merge TO tongxin_app;

-- Which counties a city or a province holds.
CREATE INDEX region_county ON region (region_code) WHERE level IN ('city', 'county');
