//! The funnel of signals, in one query.

use chrono::NaiveDate;
use sqlx::PgConnection;
use tongxin_platform::region::{RegionCode, RegionRange};

use super::named;
use crate::{
    domain::{
        RuleSetId,
        signal::{Department, Funnel, FunnelRow, Outcomes, Route, SignalKind},
    },
    error::Error,
};

/// Outcomes of the signals of a region that were reported in a period, its last day included.
pub async fn funnel(
    conn: &mut PgConnection,
    within: RegionCode,
    (from, until): (NaiveDate, NaiveDate),
) -> Result<Funnel, Error> {
    let mut funnel = outcomes(conn, within.range(), from, until).await?;
    let sent = sqlx::query!(
        r#"
        SELECT department, count(*) AS "warnings!"
        FROM warning
        WHERE region_code >= $1 AND region_code < $2 AND occurred_on BETWEEN $3 AND $4
        GROUP BY department
        ORDER BY department
        "#,
        within.range().from,
        within.range().until,
        from,
        until,
    )
    .fetch_all(conn)
    .await?;
    for row in sent {
        funnel.add_warnings(named(Department::by_name(&row.department), &row.department)?, row.warnings);
    }
    Ok(funnel)
}

/// A signal counts once for each of its origins, and once in the total.
async fn outcomes(
    conn: &mut PgConnection,
    range: RegionRange,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Funnel, Error> {
    let rows = sqlx::query!(
        r#"
        SELECT kind AS "kind?", department, rule_set_id, rule_number,
               count(DISTINCT signal_id) AS "signals!",
               count(DISTINCT signal_id) FILTER (WHERE state = 'verified') AS "verified!",
               count(DISTINCT signal_id) FILTER (WHERE state = 'refuted') AS "refuted!",
               count(DISTINCT signal_id) FILTER (WHERE identified_on IS NOT NULL) AS "identified!",
               count(DISTINCT signal_id) FILTER (WHERE removed_on IS NOT NULL) AS "removed!",
               count(DISTINCT signal_id) FILTER (WHERE relapsed) AS "relapsed!"
        FROM signal_source
            JOIN signal USING (signal_id)
            LEFT JOIN LATERAL (
                SELECT identified_on, removed_on,
                       EXISTS (
                           SELECT FROM cases AS later
                           WHERE later.relapse_of = cases.case_id AND later.identified_on IS NOT NULL
                       ) AS relapsed
                FROM cases
                WHERE cases.case_id = signal.case_id
            ) AS led_to ON true
        WHERE signal_source.region_code >= $1 AND signal_source.region_code < $2
            AND signal_source.reported_on BETWEEN $3 AND $4
        GROUP BY GROUPING SETS ((kind, department, rule_set_id, rule_number), ())
        ORDER BY kind, department, rule_set_id, rule_number
        "#,
        range.from,
        range.until,
        from,
        until,
    )
    .fetch_all(conn)
    .await?;
    let mut funnel = Funnel::default();
    for row in rows {
        let outcomes = Outcomes {
            signals: row.signals,
            verified: row.verified,
            refuted: row.refuted,
            identified: row.identified,
            removed: row.removed,
            relapsed: row.relapsed,
        };
        let Some(kind) = row.kind else {
            funnel.total = outcomes;
            continue;
        };
        let department = |name: String| named(Department::by_name(&name), &name);
        let route = Route {
            kind: named(SignalKind::by_name(&kind), &kind)?,
            department: row.department.map(department).transpose()?,
            rule: row.rule_set_id.map(RuleSetId).zip(row.rule_number),
        };
        funnel.rows.push(FunnelRow { route, outcomes, warnings: 0 });
    }
    Ok(funnel)
}
