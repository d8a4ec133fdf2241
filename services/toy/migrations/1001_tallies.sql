-- What is counted in villages.
CREATE TABLE tally (
    region_code bigint NOT NULL,
    name        text NOT NULL,
    reached     bigint NOT NULL CONSTRAINT tally_not_negative CHECK (reached >= 0),
    PRIMARY KEY (region_code, name)
);
CALL restrict_to_region('tally');
GRANT SELECT, INSERT, UPDATE ON tally TO tongxin_app;
