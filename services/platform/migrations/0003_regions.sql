-- The register of regions. The service that owns it writes here, and adds columns of its own; every other one keeps what the
-- owner last stated of each region, and by which event. So all services decide alike what may start where.
CREATE TABLE region (
    region_code bigint PRIMARY KEY CHECK (region_code BETWEEN 100000000000 AND 999999999999),
    name        text NOT NULL,
    level       text NOT NULL CONSTRAINT region_level
                CHECK (level IN ('province', 'city', 'county', 'town', 'village', 'community')),
    parent_code bigint,
    valid_from  date NOT NULL,
    valid_until date,
    -- The log and the event that stated it; the owner's rows have none.
    source      text NOT NULL DEFAULT '',
    epoch       bigint NOT NULL DEFAULT 0,
    seq         bigint NOT NULL DEFAULT 0,
    CONSTRAINT region_valid CHECK (valid_until > valid_from)
);
CALL restrict_to_region('region');
GRANT SELECT, INSERT, UPDATE, DELETE ON region TO tongxin_app;
