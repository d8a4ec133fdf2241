-- What every service's database has: access by region, the event log, answers to
-- requests, leases, and the state of its consumers.

-- Services log in as tongxin_app, which owns nothing, so that row-level security and
-- the append-only rules bind them. A server with passwords gives it one before use.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tongxin_app') THEN
        CREATE ROLE tongxin_app LOGIN;
    END IF;
EXCEPTION
    -- Another service's database was migrated at the same moment.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO tongxin_app;

-- The range of region codes that this transaction may see, [from, until). Unset, empty
-- or anything but digits is NULL, and a comparison with NULL lets no row through.
CREATE FUNCTION region_from() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN current_setting('tongxin.region_from', true) ~ '^[0-9]{1,13}$'
        THEN current_setting('tongxin.region_from', true)::bigint
    END;

CREATE FUNCTION region_until() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE
        WHEN current_setting('tongxin.region_until', true) ~ '^[0-9]{1,13}$'
        THEN current_setting('tongxin.region_until', true)::bigint
    END;

-- Puts a table with a region_code under row-level security. The sum keeps the planner from
-- reading by the range, whose width it cannot know: it would take "everywhere" for a few rows.
-- A query for the rows of a region names its range itself.
CREATE PROCEDURE restrict_to_region(target regclass)
    LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY region ON %s
         USING (region_code + 0 >= (SELECT region_from()) AND region_code + 0 < (SELECT region_until()))',
        target
    );
END
$$;

CREATE TABLE event (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id       uuid NOT NULL,
    event_type     text NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id   text NOT NULL,
    version        bigint NOT NULL CHECK (version > 0),
    region_code    bigint NOT NULL,
    occurred_on    date NOT NULL,
    record_time    timestamptz NOT NULL,
    actor          text NOT NULL,
    trace_parent   text NOT NULL,
    payload        bytea NOT NULL,
    seq            bigint CHECK (seq > 0),
    hash           bytea CHECK (length(hash) = 32),
    CONSTRAINT event_aggregate_version UNIQUE (aggregate_id, version),
    CONSTRAINT event_seq UNIQUE (seq),
    CONSTRAINT event_sequenced CHECK ((seq IS NULL) = (hash IS NULL))
)
-- Sequencing writes each row once more; room on its page keeps that cheap.
WITH (fillfactor = 50);

CREATE INDEX event_unsequenced ON event (id) WHERE seq IS NULL;

-- Nobody asks by these: ANALYZE, which runs whenever the log has grown by a tenth, takes half as long without them.
ALTER TABLE event
    ALTER event_id SET STATISTICS 0,
    ALTER occurred_on SET STATISTICS 0,
    ALTER record_time SET STATISTICS 0,
    ALTER actor SET STATISTICS 0,
    ALTER trace_parent SET STATISTICS 0,
    ALTER payload SET STATISTICS 0,
    ALTER hash SET STATISTICS 0;

CALL restrict_to_region('event');
GRANT SELECT, UPDATE (seq, hash) ON event TO tongxin_app;
GRANT INSERT (
    event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
    record_time, actor, trace_parent, payload
) ON event TO tongxin_app;

-- The last version of each of some aggregates, wherever its events lie: one that moved to another region goes on counting.
-- It sees all regions, whoever calls it, and tells nothing but versions. Written in plpgsql, which keeps its plan. The planner
-- takes the policy's condition for a rare one and would read and sort all events of an aggregate: they are in order in the index.
CREATE FUNCTION last_versions(aggregates text[]) RETURNS TABLE (aggregate_id text, version bigint)
    LANGUAGE plpgsql STABLE
    SET tongxin.region_from = '0'
    SET tongxin.region_until = '1000000000000'
    SET enable_sort = off
    SET enable_bitmapscan = off
    SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY
    SELECT asked.id, last.version
    FROM (SELECT DISTINCT unnest(aggregates) AS id) AS asked
        CROSS JOIN LATERAL (
            SELECT event.version
            FROM event
            WHERE event.aggregate_id = asked.id
            ORDER BY event.version DESC
            LIMIT 1
        ) AS last;
END
$$;

-- Append-only for everybody, the owner included.
CREATE FUNCTION refuse_event_change() RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER event_keeps_its_content BEFORE UPDATE ON event
    FOR EACH ROW
    WHEN (
        OLD.seq IS NOT NULL OR NEW.seq IS NULL OR OLD.id <> NEW.id
        OR (OLD.event_id, OLD.event_type, OLD.aggregate_type, OLD.aggregate_id, OLD.version, OLD.region_code,
            OLD.occurred_on, OLD.record_time, OLD.actor, OLD.trace_parent, OLD.payload)
        IS DISTINCT FROM
           (NEW.event_id, NEW.event_type, NEW.aggregate_type, NEW.aggregate_id, NEW.version, NEW.region_code,
            NEW.occurred_on, NEW.record_time, NEW.actor, NEW.trace_parent, NEW.payload)
    )
    EXECUTE FUNCTION refuse_event_change();

CREATE TRIGGER event_is_never_deleted BEFORE DELETE OR TRUNCATE ON event
    FOR EACH STATEMENT
    EXECUTE FUNCTION refuse_event_change();

-- How far the log goes, one row. The relay holds its lock while it gives out numbers.
CREATE TABLE log_head (
    one           boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch         bigint NOT NULL,
    seq           bigint NOT NULL,
    hash          bytea NOT NULL,
    published_seq bigint NOT NULL,
    CONSTRAINT log_head_published CHECK (published_seq <= seq)
);
INSERT INTO log_head (epoch, seq, hash, published_seq) VALUES (1, 0, '', 0);
-- A new epoch is for whoever restores the database to state.
GRANT SELECT, UPDATE (seq, hash, published_seq) ON log_head TO tongxin_app;

CREATE TRIGGER log_head_never_goes_back BEFORE UPDATE ON log_head
    FOR EACH ROW
    WHEN (NEW.seq < OLD.seq OR NEW.epoch < OLD.epoch OR (NEW.seq = OLD.seq AND NEW.hash <> OLD.hash))
    EXECUTE FUNCTION refuse_event_change();

-- Which replica does a job that one does at a time. Holding a lease saves work; what
-- keeps the data right is the lock on the row that the job writes.
CREATE TABLE lease (
    name       text PRIMARY KEY,
    owner      uuid NOT NULL,
    until_time timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON lease TO tongxin_app;

-- The answer to each changing request, kept for ever, without what is personal in it. `fingerprint` is a keyed hash
-- of what was asked; `key_version` says by which key, none of which is in the database.
CREATE TABLE request (
    actor       text NOT NULL,
    request_id  uuid NOT NULL,
    part        integer NOT NULL,
    key_version bigint NOT NULL CHECK (key_version > 0),
    fingerprint bytea NOT NULL,
    answer      bytea NOT NULL,
    -- The actor's region then, of which the answer may tell: whoever works elsewhere now is not given it again.
    asked_from  bigint NOT NULL,
    record_time timestamptz NOT NULL,
    CONSTRAINT request_once PRIMARY KEY (request_id, actor, part)
);
GRANT SELECT, INSERT ON request TO tongxin_app;

-- How often within an hour a subject did what is limited, one row for each: by all replicas together. Of no region: it
-- tells of nobody but the caller.
CREATE TABLE hourly_use (
    subject text NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('look_up', 'reveal')),
    -- When the hour began.
    since   timestamptz NOT NULL,
    used    bigint NOT NULL CHECK (used > 0),
    PRIMARY KEY (subject, kind)
);
CREATE INDEX hourly_use_since ON hourly_use (since);
GRANT SELECT, INSERT, UPDATE, DELETE ON hourly_use TO tongxin_app;

-- How far each consumer has come in the log of each source.
CREATE TABLE cursor (
    consumer    text NOT NULL,
    source      text NOT NULL,
    epoch       bigint NOT NULL,
    seq         bigint NOT NULL,
    -- Chain hash of the event of that number: what comes next has to link to it, so that a log that was restored to the
    -- past, or an event that is not of the log, is told from the log that was followed.
    hash        bytea NOT NULL DEFAULT '',
    update_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, source),
    CONSTRAINT cursor_hash CHECK (length(hash) = CASE seq WHEN 0 THEN 0 ELSE 32 END)
);
GRANT SELECT, INSERT, UPDATE ON cursor TO tongxin_app;

-- Events that a consumer could not handle, and those of the same aggregate behind them.
CREATE TABLE parked_event (
    consumer     text NOT NULL,
    source       text NOT NULL,
    epoch        bigint NOT NULL,
    seq          bigint NOT NULL,
    aggregate_id text NOT NULL,
    event_type   text NOT NULL,
    event        bytea NOT NULL,
    reason       text NOT NULL,
    park_time    timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (consumer, source, epoch, seq)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON parked_event TO tongxin_app;
