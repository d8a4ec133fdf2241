-- The editions of the register that were taken, newest last.
CREATE TABLE edition (
    edition_id     uuid PRIMARY KEY,
    actor          text NOT NULL,
    request_id     uuid NOT NULL,
    effective_from date NOT NULL,
    -- The region for which it names every code, and the first code after that.
    complete_for   bigint,
    complete_until bigint,
    source         text NOT NULL,
    record_time    timestamptz NOT NULL,
    CONSTRAINT edition_once UNIQUE (request_id, actor),
    CONSTRAINT edition_complete CHECK ((complete_for IS NULL) = (complete_until IS NULL) AND complete_until > complete_for)
);
-- Serves the question whether a newer edition says that there is no such code.
CREATE INDEX edition_complete_from ON edition (effective_from) WHERE complete_for IS NOT NULL;
GRANT SELECT, INSERT ON edition TO tongxin_app;

-- The register of regions is this service's own: nothing is deleted from it.
ALTER TABLE region
    ADD FOREIGN KEY (parent_code) REFERENCES region,
    -- The one that last changed the row.
    ADD edition uuid NOT NULL,
    -- Day of the newest edition that said anything of it, or that it is no more.
    ADD stated_from date NOT NULL;
REVOKE DELETE ON region FROM tongxin_app;
-- Serves the list of the regions below one.
CREATE INDEX region_parent ON region (parent_code, region_code);
CREATE INDEX region_edition ON region (edition, region_code);

-- When towns and villages counted as assisted.
CREATE TABLE assistance (
    region_code bigint NOT NULL REFERENCES region,
    -- What the region was when it began: a village that becomes a community was a village.
    level       text NOT NULL CHECK (level IN ('town', 'village')),
    from_date   date NOT NULL,
    until_date  date,
    PRIMARY KEY (region_code, from_date),
    CONSTRAINT assistance_period CHECK (until_date > from_date)
);
CREATE UNIQUE INDEX assistance_open ON assistance (region_code) WHERE until_date IS NULL;
CALL restrict_to_region('assistance');
GRANT SELECT, INSERT, UPDATE, DELETE ON assistance TO tongxin_app;

-- Rows of an import that is under way. Lost in a crash, like the call that sends them.
CREATE UNLOGGED TABLE region_import (
    import_id   uuid NOT NULL,
    row_number  bigint NOT NULL,
    code        bigint NOT NULL,
    name        text NOT NULL,
    level       text NOT NULL,
    parent_code bigint,
    assisted    boolean NOT NULL,
    start_time  timestamptz NOT NULL,
    PRIMARY KEY (import_id, row_number)
);
CREATE INDEX region_import_code ON region_import (import_id, code);
GRANT SELECT, INSERT, DELETE ON region_import TO tongxin_app;
