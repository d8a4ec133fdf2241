//! Warnings of departments, stored sealed. They are matched later.

use std::collections::{BTreeMap, HashMap, HashSet, btree_map};

use chrono::NaiveDate;
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use tongxin_platform::{
    log,
    personal::{KeyVersion, SealLocation},
    region::RegionCode,
    request::Context,
};
use uuid::Uuid;

use crate::{
    domain::{WarningId, id_number::IdNumber, risk::Risk, signal::Department},
    error::Error,
    store::{
        keys::{Hash, Keys},
        match_queue, published,
    },
};

/// A warning about a person.
#[derive(Debug, Clone)]
pub struct Warning {
    pub id: WarningId,
    pub id_number: IdNumber,
    /// The risk of the person's household.
    pub cause: Risk,
    pub occurred_on: NaiveDate,
    /// The sender's own number.
    pub reference: String,
}

/// The content that a reference identifies: the person, by blind index, the cause and the day.
type Content = (Hash, &'static str, NaiveDate);

/// A warning with the content that its reference identifies.
struct Sent<'a> {
    warning: &'a Warning,
    content: Content,
}

impl<'a> Sent<'a> {
    fn new(keys: &Keys, warning: &'a Warning) -> Self {
        let person = keys.of_id_number(warning.id_number.text().expose_secret());
        Self { warning, content: (person, warning.cause.name(), warning.occurred_on) }
    }
}

/// Stores warnings of a department in a region, each sealed under a data key of its own, appends an event with the
/// number of new ones, and queues the people for matching. Returns for each warning, in order, whether its reference
/// was not used for other content. A warning that was sent before is stored once.
///
/// Nothing here looks people up: neither the response nor its time depends on whom we know.
pub async fn keep(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    (department, region): (Department, RegionCode),
    warnings: &[Warning],
) -> Result<Vec<bool>, Error> {
    let sent: Vec<Sent> = warnings.iter().map(|warning| Sent::new(keys, warning)).collect();
    let mut standing_for: BTreeMap<&str, Content> = BTreeMap::new();
    let mut first = Vec::with_capacity(sent.len());
    for row in &sent {
        if let btree_map::Entry::Vacant(place) = standing_for.entry(row.warning.reference.as_str()) {
            place.insert(row.content);
            first.push(row);
        }
    }
    let new = insert(conn, context, keys, (department, region), &first).await?;
    let known: Vec<&str> =
        first.iter().map(|row| row.warning.reference.as_str()).filter(|one| !new.contains(one)).collect();
    let known = kept(conn, (department, region), &known).await?;
    if !new.is_empty() {
        let event = published::signals::warnings_received(context, department, region, new.len());
        log::append(conn, context, &[event]).await?;
        let people = first.iter().filter(|row| new.contains(row.warning.reference.as_str()));
        match_queue::add(conn, context, people.map(|row| row.content.0)).await?;
    }
    let is_own = |row: &Sent| {
        let reference = row.warning.reference.as_str();
        match known.get(reference) {
            Some((person, cause, on)) => (*person, cause.as_str(), *on) == row.content,
            None => standing_for.get(reference) == Some(&row.content),
        }
    };
    Ok(sent.iter().map(is_own).collect())
}

/// Inserts warnings with new references, and returns these references.
async fn insert<'a>(
    conn: &mut PgConnection,
    context: &Context,
    keys: &Keys,
    (department, region): (Department, RegionCode),
    rows: &[&Sent<'a>],
) -> Result<HashSet<&'a str>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.warning.id.0).collect();
    let references: Vec<&str> = rows.iter().map(|row| row.warning.reference.as_str()).collect();
    let causes: Vec<&str> = rows.iter().map(|row| row.content.1).collect();
    let days: Vec<NaiveDate> = rows.iter().map(|row| row.content.2).collect();
    let indexes: Vec<Hash> = rows.iter().map(|row| row.content.0).collect();
    let mut data_keys = Vec::with_capacity(rows.len());
    let mut sealed = Vec::with_capacity(rows.len());
    for row in rows {
        let (data_key, id_number) = seal(keys, row.warning)?;
        data_keys.push(data_key);
        sealed.push(id_number);
    }
    let new: HashSet<Uuid> = sqlx::query_scalar!(
        r#"
        INSERT INTO warning
            (warning_id, region_code, department, reference, cause, occurred_on, data_key, sealed, id_index, record_time)
        SELECT warning_id, $1, $2, reference, cause, occurred_on, data_key, sealed, id_index, $3
        FROM unnest($4::uuid[], $5::text[], $6::text[], $7::date[], $8::bytea[], $9::bytea[], $10::uuid[])
            AS sent (warning_id, reference, cause, occurred_on, data_key, sealed, id_index)
        ORDER BY reference
        ON CONFLICT ON CONSTRAINT warning_once DO NOTHING
        RETURNING warning_id
        "#,
        region.number(),
        department.name(),
        context.now,
        &ids,
        &references as &[&str],
        &causes as &[&str],
        &days,
        &data_keys,
        &sealed,
        &indexes,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .collect();
    let is_new = |row: &&&Sent<'a>| new.contains(&row.warning.id.0);
    Ok(rows.iter().filter(is_new).map(|row| row.warning.reference.as_str()).collect())
}

fn seal(keys: &Keys, warning: &Warning) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let row = warning.id.0.as_bytes();
    let (key, wrapped) = keys.masters.create(row, KeyVersion::FIRST)?;
    let place = SealLocation { table: "warning", column: "sealed", row };
    Ok((wrapped, key.seal_text(place, warning.id_number.text().expose_secret())?))
}

/// The content of references that were sent before.
async fn kept(
    conn: &mut PgConnection,
    (department, region): (Department, RegionCode),
    references: &[&str],
) -> Result<HashMap<String, (Hash, String, NaiveDate)>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT reference, id_index, cause, occurred_on
        FROM warning
        WHERE department = $1 AND region_code = $2 AND reference = ANY($3)
        "#,
        department.name(),
        region.number(),
        references as &[&str],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reference, (row.id_index, row.cause, row.occurred_on))).collect())
}
