//! Defects: what data-quality rules found at the last check.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::{
    page::{Page, PageKey},
    region::{RegionCode, RegionRange},
    request::Context,
};
use uuid::Uuid;

use super::{dossiers::nearest_others, region};
use crate::{
    domain::{HouseholdId, household::Move},
    error::Error,
};

/// A defect of a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defect {
    pub household: HouseholdId,
    pub region: RegionCode,
    pub rule_number: i16,
    /// Day on which it was first found.
    pub found_on: NaiveDate,
}

/// Number of households of a village with a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefectCount {
    pub region: RegionCode,
    pub rule_number: i16,
    pub households: i64,
}

/// A finding of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    pub household: HouseholdId,
    pub rule_number: i16,
    /// The village of the other household, if it is about two: a caller who does not see both is not told.
    pub other: Option<RegionCode>,
}

/// Stores the findings of a day for some households, and deletes those that no longer hold. A defect that persists
/// keeps the day on which it was first found.
pub async fn replace(
    conn: &mut PgConnection,
    households: &[HouseholdId],
    found: &[Finding],
    today: NaiveDate,
) -> Result<(), Error> {
    let all: Vec<Uuid> = households.iter().map(|household| household.0).collect();
    let faulty: Vec<Uuid> = found.iter().map(|finding| finding.household.0).collect();
    let rules: Vec<i16> = found.iter().map(|finding| finding.rule_number).collect();
    let others: Vec<Option<i64>> = found.iter().map(|finding| finding.other.map(RegionCode::number)).collect();
    sqlx::query!(
        r#"
        DELETE FROM defect
        WHERE household_id = ANY($1)
            AND (household_id, rule_number) NOT IN (SELECT * FROM unnest($2::uuid[], $3::smallint[]))
        "#,
        &all,
        &faulty,
        &rules,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        r#"
        -- Held still: a household that moves takes its defects along.
        WITH home AS MATERIALIZED (
            SELECT household_id, region_code
            FROM household
            WHERE household_id = ANY($1)
            ORDER BY household_id
            FOR SHARE
        )
        INSERT INTO defect (household_id, rule_number, region_code, found_on, other_region)
        SELECT found.household_id, found.rule_number, home.region_code, $3, found.other_region
        FROM unnest($1::uuid[], $2::smallint[], $4::bigint[]) AS found (household_id, rule_number, other_region)
            JOIN home ON home.household_id = found.household_id
        ON CONFLICT (household_id, rule_number) DO UPDATE
        SET other_region = excluded.other_region
        WHERE defect.other_region IS DISTINCT FROM excluded.other_region
        "#,
        &faulty,
        &rules,
        today,
        &others as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Moves the defects of a household to its new region.
pub async fn move_to(conn: &mut PgConnection, context: &Context, moved: &Move) -> Result<(), Error> {
    // Including those about a household that the caller does not see.
    let take_along = async |conn: &mut PgConnection| {
        sqlx::query!(
            "UPDATE defect SET region_code = $2 WHERE household_id = $1",
            moved.household.0,
            moved.to.number()
        )
        .execute(&mut *conn)
        .await?;
        state_others(conn, moved.household).await
    };
    context.everywhere(conn, take_along).await
}

/// Recomputes the region of the other household, for a household that has moved and for those that share a member with
/// it.
async fn state_others(conn: &mut PgConnection, moved: HouseholdId) -> Result<(), Error> {
    let concerned: Vec<HouseholdId> = sqlx::query_scalar!(
        r#"
        SELECT DISTINCT theirs.household_id
        FROM member AS mine
            CROSS JOIN LATERAL (
                SELECT household_id FROM member WHERE member.id_index = mine.id_index AND member.left_on IS NULL OFFSET 0
            ) AS theirs
        WHERE mine.household_id = $1 AND mine.left_on IS NULL
        "#,
        moved.0,
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(HouseholdId)
    .collect();
    let others = nearest_others(conn, &concerned).await?;
    let (ids, regions): (Vec<Uuid>, Vec<i64>) =
        others.into_iter().map(|(household, region)| (household.0, region.number())).unzip();
    sqlx::query!(
        r#"
        UPDATE defect
        SET other_region = found.region_code
        FROM unnest($1::uuid[], $2::bigint[]) AS found (household_id, region_code)
        WHERE defect.household_id = found.household_id AND defect.other_region IS NOT NULL
        "#,
        &ids,
        &regions,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Key of a count: village, then rule number.
pub type CountPlace = PageKey<i16>;

impl DefectCount {
    /// Its key in the list.
    #[must_use]
    pub fn place(&self) -> CountPlace {
        PageKey { region: self.region, id: self.rule_number }
    }
}

/// Filter of counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// In a region; `None` for all that the caller sees.
    pub within: Option<RegionCode>,
    pub rule_number: Option<i16>,
}

impl Filter {
    fn range(&self) -> RegionRange {
        self.within.map_or(RegionRange::EVERYWHERE, RegionCode::range)
    }
}

/// Number of defects.
pub async fn total(conn: &mut PgConnection, filter: &Filter) -> Result<i64, Error> {
    let range = filter.range();
    let Some(rule_number) = filter.rule_number else {
        let total = sqlx::query_scalar!(
            r#"SELECT count(*) AS "total!" FROM defect WHERE region_code >= $1 AND region_code < $2"#,
            range.from,
            range.until,
        );
        return Ok(total.fetch_one(conn).await?);
    };
    let total = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "total!"
        FROM defect
        WHERE rule_number = $1 AND region_code >= $2 AND region_code < $3
        "#,
        rule_number,
        range.from,
        range.until,
    );
    Ok(total.fetch_one(conn).await?)
}

/// Counts by village and rule.
pub async fn counts(
    conn: &mut PgConnection,
    filter: &Filter,
    page: &Page<CountPlace>,
) -> Result<Vec<DefectCount>, Error> {
    match filter.rule_number {
        None => counts_of_all(conn, filter.range(), page).await,
        Some(rule_number) => counts_of(conn, rule_number, filter.range(), page).await,
    }
}

async fn counts_of_all(
    conn: &mut PgConnection,
    range: RegionRange,
    page: &Page<CountPlace>,
) -> Result<Vec<DefectCount>, Error> {
    let (after_region, after_rule) = PageKey::columns_in(range, page.after);
    let rows = sqlx::query_as!(
        CountRow,
        r#"
        SELECT region_code, rule_number, count(*) AS "households!"
        FROM defect
        WHERE (region_code, rule_number) > ($1, $2) AND region_code < $3
        GROUP BY region_code, rule_number
        ORDER BY region_code, rule_number
        LIMIT $4
        "#,
        after_region,
        after_rule,
        range.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(DefectCount::try_from).collect()
}

async fn counts_of(
    conn: &mut PgConnection,
    rule_number: i16,
    range: RegionRange,
    page: &Page<CountPlace>,
) -> Result<Vec<DefectCount>, Error> {
    let after = page.after.map_or(0, |place| place.region.number());
    let rows = sqlx::query_as!(
        CountRow,
        r#"
        SELECT region_code, rule_number, count(*) AS "households!"
        FROM defect
        WHERE (rule_number, region_code) > ($1, $2) AND (rule_number, region_code) < ($1, $3)
        GROUP BY rule_number, region_code
        ORDER BY rule_number, region_code
        LIMIT $4
        "#,
        rule_number,
        after.max(range.from - 1),
        range.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(DefectCount::try_from).collect()
}

struct CountRow {
    region_code: i64,
    rule_number: i16,
    households: i64,
}

impl TryFrom<CountRow> for DefectCount {
    type Error = Error;

    fn try_from(row: CountRow) -> Result<Self, Error> {
        Ok(Self { region: region(row.region_code)?, rule_number: row.rule_number, households: row.households })
    }
}

/// Lists the households with a defect, by village.
pub async fn list(
    conn: &mut PgConnection,
    within: Option<RegionCode>,
    rule_number: i16,
    page: &Page<PageKey>,
) -> Result<Vec<Defect>, Error> {
    let range = within.map_or(RegionRange::EVERYWHERE, RegionCode::range);
    let (after_region, after_id) = PageKey::columns_in(range, page.after);
    let rows = sqlx::query!(
        r#"
        SELECT household_id, region_code, rule_number, found_on
        FROM defect
        WHERE (rule_number, region_code, household_id) > ($1, $2, $3) AND (rule_number, region_code) < ($1, $4)
        ORDER BY rule_number, region_code, household_id
        LIMIT $5
        "#,
        rule_number,
        after_region,
        after_id,
        range.until,
        page.fetch(),
    )
    .fetch_all(conn)
    .await?;
    let mut defects = Vec::with_capacity(rows.len());
    for row in rows {
        defects.push(Defect {
            household: HouseholdId(row.household_id),
            region: region(row.region_code)?,
            rule_number: row.rule_number,
            found_on: row.found_on,
        });
    }
    Ok(defects)
}
