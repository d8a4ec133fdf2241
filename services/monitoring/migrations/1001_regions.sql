-- The register of regions as pairing last stated it, and by which event.
CREATE TABLE region (
    region_code bigint PRIMARY KEY,
    name        text NOT NULL,
    level       text NOT NULL CONSTRAINT region_level
                CHECK (level IN ('province', 'city', 'county', 'town', 'village', 'community')),
    valid_from  date NOT NULL,
    valid_until date,
    epoch       bigint NOT NULL,
    seq         bigint NOT NULL
);
-- Which counties a city or a province holds.
CREATE INDEX region_county ON region (region_code) WHERE level IN ('city', 'county');
CALL restrict_to_region('region');
GRANT SELECT, INSERT, UPDATE, DELETE ON region TO tongxin_app;
