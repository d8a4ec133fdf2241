//! Writes cases: state first, history entries second, events third.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    change::Change,
    log::{self, NewEvent},
    request::Context,
};
use uuid::Uuid;

use super::read::of_households;
use crate::{
    domain::{
        CaseId,
        case::{Case, CaseEvent, CaseRefused, Emergency, Entry, RemovalKind, Stage},
        household::Move,
        procedure::Step,
    },
    error::Error,
    store::published,
};

/// Writes changes of cases in order, possibly several of one case. The households are locked.
pub async fn save(
    conn: &mut PgConnection,
    context: &Context,
    changes: &[Change<Case, CaseEvent>],
) -> Result<(), Error> {
    let mut last: BTreeMap<CaseId, &Case> = BTreeMap::new();
    let mut new = Vec::new();
    for Change { state, events } in changes {
        last.insert(state.id, state);
        if events.contains(&CaseEvent::Opened) {
            new.push(state.id);
        }
    }
    let (added, updated): (Vec<&Case>, Vec<&Case>) = last.values().partition(|case| new.contains(&case.id));
    // A household's earlier case is closed before a new one is opened.
    update(conn, &updated).await?;
    add(conn, &added).await?;
    add_entries(conn, context, changes).await?;
    let published = |Change { state, events }: &Change<Case, CaseEvent>| -> Vec<NewEvent> {
        events.iter().map(|event| published::cases::case(state, event)).collect()
    };
    let events: Vec<NewEvent> = changes.iter().flat_map(published).collect();
    log::append(conn, context, &events).await?;
    Ok(())
}

/// The changing columns of cases, as arrays.
struct Columns<'a> {
    ids: Vec<Uuid>,
    stages: Vec<&'a str>,
    next_steps: Vec<Option<&'a str>>,
    next_due: Vec<Option<NaiveDate>>,
    identified: Vec<Option<NaiveDate>>,
    kinds: Vec<Option<&'a str>>,
    proposers: Vec<Option<&'a str>>,
    removed: Vec<Option<NaiveDate>>,
    versions: Vec<i64>,
}

impl<'a> Columns<'a> {
    fn of(cases: &[&'a Case]) -> Self {
        let stages = || cases.iter().map(|case| &case.stage);
        let next = || stages().map(Stage::next);
        let removals = || stages().map(Stage::removal);
        Self {
            ids: cases.iter().map(|case| case.id.0).collect(),
            stages: stages().map(|stage| stage.name().name()).collect(),
            next_steps: next().map(|next| next.map(|due| due.step.name())).collect(),
            next_due: next().map(|next| next.map(|due| due.on)).collect(),
            identified: stages().map(Stage::identified_on).collect(),
            kinds: removals().map(|removal| removal.map(|removal| RemovalKind::name(removal.kind))).collect(),
            proposers: removals().map(|removal| removal.map(|removal| removal.proposed_by.as_str())).collect(),
            removed: stages().map(Stage::removed_on).collect(),
            versions: cases.iter().map(|case| case.version).collect(),
        }
    }
}

async fn update(conn: &mut PgConnection, cases: &[&Case]) -> Result<(), Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(cases);
    sqlx::query!(
        r#"
        UPDATE cases
        SET stage = new.stage,
            next_step = new.next_step,
            next_due_on = new.next_due_on,
            identified_on = new.identified_on,
            removal_kind = new.removal_kind,
            proposed_by = new.proposed_by,
            removed_on = new.removed_on,
            version = new.version
        FROM unnest(
            $1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::text[], $7::text[], $8::date[], $9::bigint[]
        ) AS new (
            case_id, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, version
        )
        WHERE cases.case_id = new.case_id
        "#,
        &columns.ids,
        &columns.stages as &[&str],
        &columns.next_steps as &[Option<&str>],
        &columns.next_due as &[Option<NaiveDate>],
        &columns.identified as &[Option<NaiveDate>],
        &columns.kinds as &[Option<&str>],
        &columns.proposers as &[Option<&str>],
        &columns.removed as &[Option<NaiveDate>],
        &columns.versions,
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn add(conn: &mut PgConnection, cases: &[&Case]) -> Result<(), Error> {
    if cases.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(cases);
    let households: Vec<Uuid> = cases.iter().map(|case| case.household.0).collect();
    let regions: Vec<i64> = cases.iter().map(|case| case.region.number()).collect();
    let rule_sets: Vec<Uuid> = cases.iter().map(|case| case.rule_set.0).collect();
    let categories: Vec<&str> = cases.iter().map(|case| case.category.as_str()).collect();
    // Arrays within an array must have the same length, so lists are passed as text.
    let risks: Vec<String> = cases.iter().map(|case| listed(case.risks.iter().map(|risk| risk.name()))).collect();
    let signals: Vec<String> = cases.iter().map(|case| listed(case.signals.iter().map(|signal| signal.0))).collect();
    let remarks: Vec<&str> = cases.iter().map(|case| case.risk_remark.as_str()).collect();
    let emergencies: Vec<Option<&str>> = cases.iter().map(|case| case.emergency.map(Emergency::name)).collect();
    let opened: Vec<&Entry> = cases.iter().map(|case| &case.history.entries()[0]).collect();
    let opened_on: Vec<NaiveDate> = opened.iter().map(|entry| entry.occurred_on).collect();
    let opened_by: Vec<&str> = opened.iter().map(|entry| entry.performed_by.as_str()).collect();
    let relapses: Vec<Option<Uuid>> = cases.iter().map(|case| case.relapse_of.map(|earlier| earlier.0)).collect();
    sqlx::query!(
        r#"
        INSERT INTO cases
            (case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency, opened_on,
             opened_by, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, relapse_of,
             signal_ids, version)
        SELECT case_id, household_id, region_code, rule_set_id, category, risks::text[], risk_remark, emergency, opened_on,
               opened_by, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, relapse_of,
               signal_ids::uuid[], version
        FROM unnest(
            $1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::date[],
            $10::text[], $11::text[], $12::text[], $13::date[], $14::date[], $15::text[], $16::text[], $17::date[],
            $18::uuid[], $19::text[], $20::bigint[]
        ) AS new (
            case_id, household_id, region_code, rule_set_id, category, risks, risk_remark, emergency, opened_on,
            opened_by, stage, next_step, next_due_on, identified_on, removal_kind, proposed_by, removed_on, relapse_of,
            signal_ids, version
        )
        "#,
        &columns.ids,
        &households,
        &regions,
        &rule_sets,
        &categories as &[&str],
        &risks,
        &remarks as &[&str],
        &emergencies as &[Option<&str>],
        &opened_on,
        &opened_by as &[&str],
        &columns.stages as &[&str],
        &columns.next_steps as &[Option<&str>],
        &columns.next_due as &[Option<NaiveDate>],
        &columns.identified as &[Option<NaiveDate>],
        &columns.kinds as &[Option<&str>],
        &columns.proposers as &[Option<&str>],
        &columns.removed as &[Option<NaiveDate>],
        &relapses as &[Option<Uuid>],
        &signals,
        &columns.versions,
    )
    .execute(conn)
    .await
    .map_err(taken)?;
    Ok(())
}

/// A Postgres array literal; none of the values needs quoting.
fn listed(values: impl Iterator<Item = impl ToString>) -> String {
    let values: Vec<String> = values.map(|value| value.to_string()).collect();
    format!("{{{}}}", values.join(","))
}

/// Only an identifier that is taken elsewhere can violate a constraint: everything else was read under the household's
/// lock.
fn taken(error: sqlx::Error) -> Error {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("cases_open_household") => CaseRefused::HouseholdHasCase.into(),
        Some("cases_pkey") => CaseRefused::ExistsElsewhere.into(),
        _ => error.into(),
    }
}

async fn add_entries(
    conn: &mut PgConnection,
    context: &Context,
    changes: &[Change<Case, CaseEvent>],
) -> Result<(), Error> {
    if changes.is_empty() {
        return Ok(());
    }
    // Each change adds one entry, the newest of the state after it.
    let added: Vec<(&Case, usize, &Entry)> = changes
        .iter()
        .filter_map(|change| {
            Some((&change.state, change.state.history.entries().len(), change.state.history.newest()?))
        })
        .collect();
    let entries = || added.iter().map(|(.., entry)| *entry);
    let ids: Vec<Uuid> = added.iter().map(|(case, ..)| case.id.0).collect();
    let positions: Vec<i32> = added.iter().map(|(_, place, _)| i32::try_from(*place).unwrap_or(i32::MAX)).collect();
    let regions: Vec<i64> = added.iter().map(|(case, ..)| case.region.number()).collect();
    let kinds: Vec<&str> = entries().map(|entry| entry.fact.name().0).collect();
    let steps: Vec<Option<&str>> = entries().map(|entry| entry.fact.name().1.map(Step::name)).collect();
    let occurred: Vec<NaiveDate> = entries().map(|entry| entry.occurred_on).collect();
    let due: Vec<Option<NaiveDate>> = entries().map(|entry| entry.due_on).collect();
    let performers: Vec<&str> = entries().map(|entry| entry.performed_by.as_str()).collect();
    let reasons: Vec<&str> = entries().map(|entry| entry.reason.as_str()).collect();
    sqlx::query!(
        r#"
        INSERT INTO case_entry
            (case_id, position, region_code, kind, step, occurred_on, due_on, performed_by, reason, actor, record_time)
        SELECT *, $10, $11::timestamptz
        FROM unnest(
            $1::uuid[], $2::integer[], $3::bigint[], $4::text[], $5::text[], $6::date[], $7::date[], $8::text[], $9::text[]
        )
        "#,
        &ids,
        &positions,
        &regions,
        &kinds as &[&str],
        &steps as &[Option<&str>],
        &occurred,
        &due as &[Option<NaiveDate>],
        &performers as &[&str],
        &reasons as &[&str],
        context.actor,
        context.now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the cases of a household, and their contributions to counts, to its new region. The household is locked.
pub async fn move_to(conn: &mut PgConnection, context: &Context, moved: &Move) -> Result<(), Error> {
    let cases = of_households(conn, &[moved.household]).await?;
    let (household, to) = (moved.household.0, moved.to.number());
    sqlx::query!(
        "UPDATE case_entry SET region_code = $2 WHERE case_id IN (SELECT case_id FROM cases WHERE household_id = $1)",
        household,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "UPDATE measure SET region_code = $2 WHERE case_id IN (SELECT case_id FROM cases WHERE household_id = $1)",
        household,
        to,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!("UPDATE cases SET region_code = $2 WHERE household_id = $1", household, to)
        .execute(&mut *conn)
        .await?;
    let mut events = Vec::new();
    for case in &cases {
        let (left, arrived) = case.counts_moved(moved.moved_on);
        events.extend(left.into_iter().map(|count| published::cases::counted(case, moved.from, count)));
        events.extend(arrived.into_iter().map(|count| published::cases::counted(case, moved.to, count)));
    }
    log::append(conn, context, &events).await?;
    Ok(())
}
