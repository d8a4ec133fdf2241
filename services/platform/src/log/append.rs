//! Appends events to the log, in the transaction of the change that caused them.

use chrono::NaiveDate;
use opentelemetry::trace::TraceContextExt as _;
use prost::{Message, Name};
use sqlx::PgConnection;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use uuid::Uuid;

use crate::{region::RegionCode, request::Context};

/// An event before it is appended.
#[derive(Debug, Clone)]
pub struct NewEvent {
    aggregate_type: &'static str,
    aggregate_id: String,
    event_type: String,
    region: RegionCode,
    occurred_on: NaiveDate,
    payload: Vec<u8>,
}

impl NewEvent {
    /// An event of an aggregate, with its region and business date. The payload must not contain personal data.
    pub fn new<Payload: Message + Name>(
        (aggregate_type, aggregate_id): (&'static str, impl ToString),
        region: RegionCode,
        occurred_on: NaiveDate,
        payload: &Payload,
    ) -> Self {
        Self {
            aggregate_type,
            aggregate_id: aggregate_id.to_string(),
            event_type: Payload::full_name(),
            region,
            occurred_on,
            payload: payload.encode_to_vec(),
        }
    }
}

/// Appends events in order.
///
/// The caller holds the lock on every aggregate of the events, or has just created it: the versions that are assigned
/// here, contiguous for each aggregate, rely on that. Without the lock the constraint `event_aggregate_version` fails.
/// Versions continue those of all regions, not only of those in scope: an aggregate that moved left its earlier events
/// in its old region.
///
/// # Errors
/// If Postgres fails.
pub async fn append(conn: &mut PgConnection, context: &Context, events: &[NewEvent]) -> Result<(), sqlx::Error> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|_| context.new_id()).collect();
    let event_types: Vec<&str> = events.iter().map(|event| event.event_type.as_str()).collect();
    let aggregate_types: Vec<&str> = events.iter().map(|event| event.aggregate_type).collect();
    let aggregate_ids: Vec<&str> = events.iter().map(|event| event.aggregate_id.as_str()).collect();
    let regions: Vec<i64> = events.iter().map(|event| event.region.number()).collect();
    let dates: Vec<NaiveDate> = events.iter().map(|event| event.occurred_on).collect();
    let payloads: Vec<&[u8]> = events.iter().map(|event| event.payload.as_slice()).collect();

    sqlx::query!(
        r#"
        INSERT INTO event
            (event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
             record_time, actor, trace_parent, payload)
        SELECT new.event_id, new.event_type, new.aggregate_type, new.aggregate_id,
               row_number() OVER (PARTITION BY new.aggregate_id ORDER BY new.position)
                   + coalesce(last.version, 0),
               new.region_code, new.occurred_on, $8, $9, $10, new.payload
        FROM (
            SELECT unnest($1::uuid[]) AS event_id, unnest($2::text[]) AS event_type, unnest($3::text[]) AS aggregate_type,
                   unnest($4::text[]) AS aggregate_id, unnest($5::bigint[]) AS region_code,
                   unnest($6::date[]) AS occurred_on, unnest($7::bytea[]) AS payload,
                   generate_subscripts($1::uuid[], 1) AS position
        ) AS new
            LEFT JOIN last_versions($4) AS last USING (aggregate_id)
        ORDER BY new.position
        "#,
        &ids,
        &event_types as &[&str],
        &aggregate_types as &[&str],
        &aggregate_ids as &[&str],
        &regions,
        &dates,
        &payloads as &[&[u8]],
        context.now,
        context.actor,
        trace_parent(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The W3C trace context of the current span; empty when it is not recorded.
fn trace_parent() -> String {
    let context = tracing::Span::current().context();
    let span = context.span().span_context().clone();
    if span.is_valid() {
        format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
    } else {
        String::new()
    }
}
