-- How far an import has come. Belongs to the caller who began it.
CREATE TABLE import (
    import_id   uuid PRIMARY KEY,
    actor       text NOT NULL,
    kind        text NOT NULL,
    rows_taken  bigint NOT NULL,
    accepted    bigint NOT NULL,
    refused     bigint NOT NULL,
    warned      bigint NOT NULL,
    update_time timestamptz NOT NULL,
    CONSTRAINT import_rows CHECK (rows_taken = accepted + refused)
);
GRANT SELECT, INSERT, UPDATE ON import TO tongxin_app;

CREATE TABLE import_error (
    import_id  uuid NOT NULL REFERENCES import,
    row_number bigint NOT NULL,
    reason     text NOT NULL,
    field      text NOT NULL,
    message    text NOT NULL,
    PRIMARY KEY (import_id, row_number)
);
GRANT SELECT, INSERT ON import_error TO tongxin_app;
