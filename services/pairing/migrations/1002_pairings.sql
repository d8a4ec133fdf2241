-- Organisations on both sides.
CREATE TABLE organisation (
    organisation_id   uuid PRIMARY KEY,
    name              text NOT NULL,
    kind              text NOT NULL,
    side              text NOT NULL CHECK (side IN ('supporter', 'recipient')),
    host_kind         text,
    region_code       bigint NOT NULL,
    credit_code       text,
    credit_code_valid boolean,
    closed_on         date,
    close_reason      text,
    version           bigint NOT NULL,
    CONSTRAINT organisation_kind CHECK (kind IN (
        'party_organisation', 'school', 'hospital', 'enterprise', 'public_institution', 'government',
        'village_collective'
    )),
    CONSTRAINT organisation_host CHECK ((kind = 'party_organisation') = (host_kind IS NOT NULL)),
    CONSTRAINT organisation_credit_code CHECK ((credit_code IS NULL) = (credit_code_valid IS NULL)),
    CONSTRAINT organisation_closed CHECK ((closed_on IS NULL) = (close_reason IS NULL))
);
CREATE UNIQUE INDEX organisation_open_credit_code ON organisation (credit_code) WHERE closed_on IS NULL;
-- Serves rows of files about an organisation that has no credit code.
CREATE INDEX organisation_name ON organisation (region_code, name);
-- Serves lists: a page of a side and kind is one stretch of it.
CREATE INDEX organisation_list ON organisation (side, kind, region_code, organisation_id);

-- Supporters are read in every region; they are written only from their own.
ALTER TABLE organisation ENABLE ROW LEVEL SECURITY;
ALTER TABLE organisation FORCE ROW LEVEL SECURITY;
CREATE POLICY region ON organisation
    USING (region_code + 0 >= (SELECT region_from()) AND region_code + 0 < (SELECT region_until()));
CREATE POLICY supporters_are_read_everywhere ON organisation FOR SELECT
    USING (side = 'supporter' AND (SELECT region_from() IS NOT NULL AND region_until() IS NOT NULL));
GRANT SELECT, INSERT, UPDATE ON organisation TO tongxin_app;

-- Who is paired with whom. Belongs to the recipient's region.
CREATE TABLE pairing (
    pairing_id          uuid PRIMARY KEY,
    kind                text NOT NULL CHECK (kind IN ('party', 'school', 'hospital', 'enterprise')),
    supporter_id        uuid NOT NULL REFERENCES organisation,
    supporter_name      text NOT NULL,
    supporter_host_kind text,
    recipient_id        uuid NOT NULL REFERENCES organisation,
    recipient_name      text NOT NULL,
    region_code         bigint NOT NULL,
    agreement_number    text NOT NULL,
    starts_on           date NOT NULL,
    ends_on             date,
    end_reason          text NOT NULL,
    -- Not empty if it was entered by mistake and counts nowhere.
    void_reason         text NOT NULL DEFAULT '',
    version             bigint NOT NULL,
    CONSTRAINT pairing_period CHECK (ends_on > starts_on)
);
CREATE UNIQUE INDEX pairing_open ON pairing (supporter_id, recipient_id, kind)
    WHERE ends_on IS NULL AND void_reason = '';
-- These serve the lists of an organisation and of a region: a page is one stretch of them, or one for each kind.
CREATE INDEX pairing_supporter ON pairing (supporter_id, region_code, pairing_id);
CREATE INDEX pairing_recipient ON pairing (recipient_id, region_code, pairing_id);
CREATE INDEX pairing_list ON pairing (kind, region_code, pairing_id);
CALL restrict_to_region('pairing');
GRANT SELECT, INSERT, UPDATE ON pairing TO tongxin_app;

-- What the two sides did together.
CREATE TABLE activity (
    activity_id  uuid PRIMARY KEY,
    pairing_id   uuid NOT NULL REFERENCES pairing,
    kind         text NOT NULL CHECK (kind IN ('party_day', 'visit', 'teaching', 'medical', 'industry', 'other')),
    held_on      date NOT NULL,
    participants integer NOT NULL CHECK (participants > 0),
    remark       text NOT NULL,
    region_code  bigint NOT NULL,
    -- Not empty if it was entered by mistake and does not count.
    void_reason  text NOT NULL DEFAULT '',
    CONSTRAINT activity_remark CHECK (kind <> 'other' OR remark <> '')
);
-- Serves the list of a pairing's activities.
CREATE INDEX activity_pairing ON activity (pairing_id, activity_id);
CALL restrict_to_region('activity');
GRANT SELECT, INSERT, UPDATE (void_reason) ON activity TO tongxin_app;

-- The coverage rules by which the log's changes of coverage were counted, one row.
CREATE TABLE coverage_rules (
    one   boolean PRIMARY KEY DEFAULT true CHECK (one),
    rules jsonb NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON coverage_rules TO tongxin_app;
