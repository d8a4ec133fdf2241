//! The statements of `EstablishPairing`, without a service around them.

use std::sync::Arc;

use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

use super::rounds::{Round, round};

type Pairs = Arc<Vec<(String, String, i64)>>;

pub async fn establish(pool: &PgPool, clients: usize, pairs: Pairs) -> anyhow::Result<Round> {
    let each = pairs.len() / clients;
    let pool = pool.clone();
    round(clients, each, move |client, number| {
        let (pool, pairs) = (pool.clone(), Arc::clone(&pairs));
        async move {
            let (supporter, recipient, region) = &pairs[client * each + number];
            transaction(&pool, supporter.parse()?, recipient.parse()?, *region).await
        }
    })
    .await
}

async fn transaction(pool: &PgPool, supporter: Uuid, recipient: Uuid, region: i64) -> anyhow::Result<()> {
    let scope = "SET LOCAL tongxin.region_from = 440000000000; SET LOCAL tongxin.region_until = 450000000000";
    let mut tx = pool.begin_with("BEGIN; SET LOCAL ROLE tongxin_app; SET LOCAL tongxin.region_from = 440000000000; SET LOCAL tongxin.region_until = 450000000000").await?;
    let request = Uuid::new_v4();
    sqlx::query("SELECT fingerprint, answer FROM request WHERE request_id = $1 AND actor = $2 AND part = $3")
        .bind(request)
        .bind("bare")
        .bind(0_i32)
        .fetch_optional(&mut *tx)
        .await?;
    let mut keys = [supporter, recipient].map(|id| id.as_u64_pair().1.cast_signed().rem_euclid(2048));
    keys.sort_unstable();
    lock(&mut tx, 1, &keys).await?;
    sqlx::query(
        "SELECT organisation_id, name, kind, side, host_kind, region_code, credit_code, closed_on, close_reason, version
         FROM organisation WHERE organisation_id = ANY($1)",
    )
    .bind([supporter, recipient].as_slice())
    .fetch_all(&mut *tx)
    .await?;
    lock(&mut tx, 2, &[region % 1024]).await?;
    tx.execute(scope).await?;
    sqlx::query(
        "SELECT pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id, recipient_name,
                region_code, agreement_number, starts_on, ends_on, end_reason, version
         FROM pairing WHERE supporter_id = ANY($1) OR recipient_id = ANY($1) OR region_code = ANY($2)",
    )
    .bind([supporter, recipient].as_slice())
    .bind([region].as_slice())
    .fetch_all(&mut *tx)
    .await?;
    sqlx::query(
        "SELECT region_code, from_date, until_date FROM assistance
         WHERE level = 'village' AND region_code = ANY($1) ORDER BY region_code, from_date",
    )
    .bind([region].as_slice())
    .fetch_all(&mut *tx)
    .await?;
    let pairing = Uuid::now_v7();
    sqlx::query(
        "INSERT INTO pairing (pairing_id, kind, supporter_id, supporter_name, supporter_host_kind, recipient_id,
             recipient_name, region_code, agreement_number, starts_on, ends_on, end_reason, version)
         VALUES ($1, 'party', $2, '支持单位党支部', 'government', $3, '村党支部', $4, '', '2026-06-01', NULL, '', 1)",
    )
    .bind(pairing)
    .bind(supporter)
    .bind(recipient)
    .bind(region)
    .execute(&mut *tx)
    .await?;
    append(&mut tx, pairing, region).await?;
    sqlx::query(
        "INSERT INTO request (actor, request_id, part, fingerprint, answer, record_time)
         VALUES ('bare', $1, 0, $2, $3, clock_timestamp())",
    )
    .bind(request)
    .bind([0_u8; 32].as_slice())
    .bind([0_u8; 250].as_slice())
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

async fn lock(conn: &mut sqlx::PgConnection, class: i32, keys: &[i64]) -> anyhow::Result<()> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, key::integer) FROM unnest($2::bigint[]) AS key")
        .bind(class)
        .bind(keys)
        .execute(conn)
        .await?;
    Ok(())
}

/// The three events of a pairing, which take the place of the service's: the relay numbers them, too.
async fn append(conn: &mut sqlx::PgConnection, pairing: Uuid, region: i64) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
    let payloads: Vec<Vec<u8>> = vec![Vec::new(); 3];
    sqlx::query(
        "INSERT INTO event (event_id, event_type, aggregate_type, aggregate_id, version, region_code, occurred_on,
             record_time, actor, trace_parent, payload)
         SELECT new.event_id, 'tongxin.pairing.v1.PairingEnded', 'pairing', $2,
                row_number() OVER (PARTITION BY $2 ORDER BY new.position)
                    + coalesce((SELECT max(version) FROM event WHERE event.aggregate_id = $2), 0),
                $3, '2026-06-01', clock_timestamp(), 'bare', '', new.payload
         FROM unnest($1::uuid[], $4::bytea[]) WITH ORDINALITY AS new (event_id, payload, position)
         ORDER BY new.position",
    )
    .bind(ids)
    .bind(pairing.to_string())
    .bind(region)
    .bind(payloads)
    .execute(conn)
    .await?;
    Ok(())
}
