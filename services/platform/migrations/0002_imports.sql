-- How far an import has come. The caller who began it chose its identifier: it names an import of this caller only.
CREATE TABLE import (
    import_id   uuid NOT NULL,
    actor       text NOT NULL,
    kind        text NOT NULL,
    rows_taken  bigint NOT NULL,
    accepted    bigint NOT NULL,
    refused     bigint NOT NULL,
    warned      bigint NOT NULL,
    -- Accepted rows that changed nothing.
    unchanged   bigint NOT NULL,
    -- Accepted rows that corrected what was kept.
    corrected   bigint NOT NULL,
    update_time timestamptz NOT NULL,
    PRIMARY KEY (import_id, actor),
    CONSTRAINT import_rows CHECK (rows_taken = accepted + refused),
    CONSTRAINT import_counts CHECK (refused >= 0 AND warned <= accepted AND unchanged + corrected <= accepted)
);
GRANT SELECT, INSERT, UPDATE ON import TO tongxin_app;

-- Rows that stand refused: all of them, since they alone are decided anew when they are sent again.
CREATE TABLE import_error (
    import_id    uuid NOT NULL,
    actor        text NOT NULL,
    row_number   bigint NOT NULL,
    reason       text NOT NULL,
    field        text NOT NULL,
    message      text NOT NULL,
    refused_time timestamptz NOT NULL,
    PRIMARY KEY (import_id, actor, row_number),
    FOREIGN KEY (import_id, actor) REFERENCES import
);
GRANT SELECT, INSERT, UPDATE, DELETE ON import_error TO tongxin_app;

-- Accepted rows that data-quality rules warn of: a line for each rule and the field that it is about, if it is about one.
CREATE TABLE import_warning (
    import_id  uuid NOT NULL,
    actor      text NOT NULL,
    row_number bigint NOT NULL,
    rule       integer NOT NULL,
    field      text NOT NULL,
    PRIMARY KEY (import_id, actor, row_number, rule),
    FOREIGN KEY (import_id, actor) REFERENCES import
);
GRANT SELECT, INSERT ON import_warning TO tongxin_app;
