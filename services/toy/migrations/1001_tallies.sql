-- What is counted in villages.
CREATE TABLE tally (
    region_code bigint NOT NULL,
    name        text NOT NULL,
    reached     bigint NOT NULL CONSTRAINT tally_not_negative CHECK (reached >= 0),
    PRIMARY KEY (region_code, name)
);
CALL restrict_to_region('tally');

-- Names of regions, as pairing's register last stated them.
CREATE TABLE region (
    region_code bigint PRIMARY KEY,
    name        text NOT NULL
);
CALL restrict_to_region('region');
GRANT SELECT, INSERT, UPDATE, DELETE ON tally, region TO tongxin_app;
