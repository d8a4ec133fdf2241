//! Dossiers for data-quality rules, read in parts, so that few are in memory at once.

use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate};
use sqlx::PgConnection;
use tongxin_platform::region::{RegionCode, RegionRange};
use uuid::Uuid;

use super::{keys::Hash, members, named, profiles, region, rule_sets};
use crate::{
    domain::{
        HouseholdId,
        household::SocialSupport,
        measure::MeasureFamily,
        member::{LabourAbility, Relation, Schooling, Sex, Work},
        profile::Newest,
        quality::{CaseFacts, Dossier, MeasureFile, Numbers, Person},
        risk::Risk,
    },
    error::Error,
};

/// Reads the households of a region in parts.
#[derive(Debug)]
pub struct Reader {
    range: RegionRange,
    today: NaiveDate,
    /// Key of the last household that was read.
    after: (i64, Uuid),
    /// Monitoring lines by region and day.
    lines: HashMap<(i64, NaiveDate), Option<i64>>,
}

/// Dossiers of some households.
#[derive(Debug, Default)]
pub struct Part {
    /// All households, including those that were merged into others.
    pub households: Vec<HouseholdId>,
    /// The dossiers of those that were not merged.
    pub dossiers: Vec<(HouseholdId, Dossier)>,
}

impl Reader {
    /// Begins with the first household of a region, as of a day.
    #[must_use]
    pub fn new(region: RegionCode, today: NaiveDate) -> Self {
        Self { range: region.range(), today, after: (0, Uuid::nil()), lines: HashMap::new() }
    }

    /// The next households, at most `most`; `None` at the end.
    pub async fn next(&mut self, conn: &mut PgConnection, most: i64) -> Result<Part, Error> {
        let rows = self.heads(conn, most).await?;
        let Some(last) = rows.last() else { return Ok(Part::default()) };
        self.after = (last.region_code, last.household_id);
        let households = rows.iter().map(|row| HouseholdId(row.household_id)).collect();
        let rows: Vec<HeadRow> = rows.into_iter().filter(|row| !row.merged).collect();
        let ids: Vec<Uuid> = rows.iter().map(|row| row.household_id).collect();

        let visible: Vec<HouseholdId> = ids.iter().copied().map(HouseholdId).collect();
        let circumstances = profiles::circumstances(conn, &visible).await?;
        let observed = profiles::find(conn, &visible).await?;
        let mut newest: HashMap<HouseholdId, Newest> =
            observed.into_iter().map(|candidate| (candidate.household, candidate.profile.newest)).collect();
        let mut people = people(conn, &visible).await?;
        let found_by = found_by(conn, &visible).await?;
        let twice = registered_twice(conn, &found_by).await?;
        let mut cases = cases(conn, &ids).await?;
        let mut dossiers = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.household_id;
            let composition = circumstances.get(&HouseholdId(id)).map(|known| known.composition).unwrap_or_default();
            let newest = newest.remove(&HouseholdId(id));
            let dossier = Dossier {
                today: self.today,
                observable_since: Some(row.registered_on),
                lifted_from_poverty: row.lifted_from_poverty,
                support: named(SocialSupport::by_name(&row.support), &row.support)?,
                members: people.remove(&HouseholdId(id)).unwrap_or_default(),
                composition,
                registered_twice: twice.get(&HouseholdId(id)).copied().unwrap_or_default(),
                // ID numbers and accounts are sealed: they are only checked at entry.
                places_unknown: 0,
                numbers: Numbers::default(),
                line: self.line(conn, row.region_code, newest.as_ref()).await?,
                newest,
                case: cases.remove(&id),
            };
            dossiers.push((HouseholdId(id), dossier));
        }
        Ok(Part { households, dossiers })
    }

    async fn heads(&self, conn: &mut PgConnection, most: i64) -> Result<Vec<HeadRow>, Error> {
        let rows = sqlx::query_as!(
            HeadRow,
            r#"
            SELECT household_id, region_code, merged_into IS NOT NULL AS "merged!", lifted_from_poverty, support,
                   registered_on
            FROM household
            WHERE region_code >= $1 AND region_code < $2 AND (region_code, household_id) > ($3, $4)
            ORDER BY region_code, household_id
            LIMIT $5
            "#,
            self.range.from,
            self.range.until,
            self.after.0,
            self.after.1,
            most,
        )
        .fetch_all(conn)
        .await?;
        Ok(rows)
    }

    /// The monitoring line of an observation's year, by the rules in force when its window ended.
    async fn line(
        &mut self,
        conn: &mut PgConnection,
        region_code: i64,
        newest: Option<&Newest>,
    ) -> Result<Option<i64>, Error> {
        let Some(day) = newest.map(|newest| newest.window_ends_on) else { return Ok(None) };
        if let Some(line) = self.lines.get(&(region_code, day)) {
            return Ok(*line);
        }
        let rules = rule_sets::in_force(conn, region(region_code)?, day).await?;
        let line = rules.and_then(|rules| rules.line(day.year()));
        self.lines.insert((region_code, day), line);
        Ok(line)
    }
}

struct HeadRow {
    household_id: Uuid,
    region_code: i64,
    merged: bool,
    lifted_from_poverty: bool,
    support: String,
    registered_on: NaiveDate,
}

/// Members of some households, in order.
pub async fn people(
    conn: &mut PgConnection,
    households: &[HouseholdId],
) -> Result<HashMap<HouseholdId, Vec<Person>>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT household_id, relation, sex, birth_date, labour, schooling, insurances, work, work_months
        FROM member
        WHERE household_id = ANY($1) AND left_on IS NULL
        ORDER BY household_id, position
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut people: HashMap<HouseholdId, Vec<Person>> = HashMap::with_capacity(ids.len());
    for row in rows {
        let person = Person {
            relation: named(Relation::by_name(&row.relation), &row.relation)?,
            sex: named(Sex::by_name(&row.sex), &row.sex)?,
            birth_date: row.birth_date,
            labour: named(LabourAbility::by_name(&row.labour), &row.labour)?,
            schooling: named(Schooling::by_name(&row.schooling), &row.schooling)?,
            insurances: members::insurances(row.insurances),
            work: named(Work::by_name(&row.work), &row.work)?,
            work_months: row.work_months,
        };
        people.entry(HouseholdId(row.household_id)).or_default().push(person);
    }
    Ok(people)
}

/// Blind indexes of the members of some households.
pub async fn found_by(conn: &mut PgConnection, households: &[HouseholdId]) -> Result<Vec<(Hash, HouseholdId)>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        "SELECT id_index, household_id FROM member WHERE household_id = ANY($1) AND left_on IS NULL",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id_index, HouseholdId(row.household_id))).collect())
}

/// Number of members that are registered in another household, too, as far as the transaction sees: entering people
/// reveals nothing of other regions.
///
/// Each member is looked up by itself: Postgres would turn EXISTS into a join, whose plan, if made while the tables are
/// empty, reads all of them for each member.
pub async fn registered_twice(
    conn: &mut PgConnection,
    people: &[(Hash, HouseholdId)],
) -> Result<HashMap<HouseholdId, usize>, Error> {
    let (indexes, ids): (Vec<Hash>, Vec<Uuid>) = people.iter().map(|(index, household)| (*index, household.0)).unzip();
    let rows = sqlx::query!(
        r#"
        SELECT asked.household_id AS "household_id!", count(*) AS "members!"
        FROM unnest($1::uuid[], $2::uuid[]) AS asked (id_index, household_id)
        WHERE (
            SELECT true
            FROM member
                JOIN household USING (household_id)
            WHERE member.id_index = asked.id_index
                AND left_on IS NULL
                AND household_id <> asked.household_id
                AND merged_into IS NULL
            LIMIT 1
        )
        GROUP BY asked.household_id
        "#,
        &indexes,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let count = |members: i64| usize::try_from(members).unwrap_or(usize::MAX);
    Ok(rows.into_iter().map(|row| (HouseholdId(row.household_id), count(row.members))).collect())
}

/// For households with a member that is registered in others, too: the village of the nearest of those. A caller who
/// sees that one sees the pair, any other caller sees none.
pub async fn nearest_others(
    conn: &mut PgConnection,
    households: &[HouseholdId],
) -> Result<HashMap<HouseholdId, RegionCode>, Error> {
    let ids: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (mine.household_id) mine.household_id, theirs.region_code
        FROM member AS mine
            CROSS JOIN LATERAL (
                SELECT member.region_code
                FROM member
                    JOIN household USING (household_id)
                WHERE member.id_index = mine.id_index
                    AND member.left_on IS NULL
                    AND member.household_id <> mine.household_id
                    AND household.merged_into IS NULL
                OFFSET 0
            ) AS theirs
        WHERE mine.household_id = ANY($1) AND mine.left_on IS NULL
        -- How many levels of region, from the village up, they do not share.
        ORDER BY mine.household_id,
            (mine.region_code <> theirs.region_code)::int
            + (mine.region_code / 1000 <> theirs.region_code / 1000)::int
            + (mine.region_code / 1000000 <> theirs.region_code / 1000000)::int
            + (mine.region_code / 100000000 <> theirs.region_code / 100000000)::int
            + (mine.region_code / 10000000000 <> theirs.region_code / 10000000000)::int,
            theirs.region_code
        "#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((HouseholdId(row.household_id), region(row.region_code)?))).collect()
}

/// For each household the open case, else the one that was opened last; refused cases led to nothing and are left out.
async fn cases(conn: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, CaseFacts>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT DISTINCT ON (household_id)
               household_id, case_id, category, risks, identified_on, removed_on, next_due_on,
               coalesce(removal_kind = 'assisted', false) AS "assisted!",
               EXISTS (
                   SELECT FROM case_entry
                   WHERE case_entry.case_id = cases.case_id AND kind = 'step_passed' AND step = 'authorisation'
               ) AS "authorised!"
        FROM cases
        WHERE household_id = ANY($1) AND stage <> 'refused'
        ORDER BY household_id, stage = 'removed', opened_on DESC, case_id DESC
        "#,
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let case_ids: Vec<Uuid> = rows.iter().map(|row| row.case_id).collect();
    let mut measures = measures(conn, &case_ids).await?;
    let mut cases = HashMap::with_capacity(rows.len());
    for row in rows {
        let risks = row.risks.iter().map(|risk| named(Risk::by_name(risk), risk)).collect::<Result<_, _>>()?;
        let case = CaseFacts {
            category: row.category,
            risks,
            identified_on: row.identified_on,
            removed_on: row.removed_on,
            assisted: row.assisted,
            authorised: row.authorised,
            next_due_on: row.next_due_on,
            measures: measures.remove(&row.case_id).unwrap_or_default(),
        };
        cases.insert(row.household_id, case);
    }
    Ok(cases)
}

async fn measures(conn: &mut PgConnection, cases: &[Uuid]) -> Result<HashMap<Uuid, Vec<MeasureFile>>, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT case_id, risk, family, due_on, finished_on
        FROM measure
        WHERE case_id = ANY($1) AND state <> 'cancelled'
        "#,
        cases,
    )
    .fetch_all(conn)
    .await?;
    let mut measures: HashMap<Uuid, Vec<MeasureFile>> = HashMap::new();
    for row in rows {
        let measure = MeasureFile {
            risk: named(Risk::by_name(&row.risk), &row.risk)?,
            family: named(MeasureFamily::by_name(&row.family), &row.family)?,
            due_on: row.due_on,
            done_on: row.finished_on,
        };
        measures.entry(row.case_id).or_default().push(measure);
    }
    Ok(measures)
}
