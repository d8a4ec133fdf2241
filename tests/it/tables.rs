//! The scorecard beside statements of its own over the tables of the services, for several days.

use chrono::{Datelike as _, NaiveDate};
use sqlx::{Connection as _, PgConnection};
use tongxin_platform::{db::Scope, region::RegionCode};
use tongxin_tests::Instance;

use crate::support::{QINGYUAN, TAIPING, shared};

/// Asks a service's own tables about a region.
pub async fn sql(instance: &Instance, service: &str, region: &str, query: &str) -> i64 {
    let mut conn = PgConnection::connect(&instance.databases[service]).await.unwrap();
    let mut tx = conn.begin().await.unwrap();
    Scope::region(RegionCode::parse(region).unwrap()).set(&mut tx).await.unwrap();
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&mut *tx).await.unwrap()
}

/// Not only at the end: entries were late and in no order.
fn days() -> [NaiveDate; 4] {
    [(2021, 6, 30), (2023, 7, 1), (2024, 2, 29), (2025, 12, 31)]
        .map(|(year, month, day)| NaiveDate::from_ymd_opt(year, month, day).unwrap())
}

/// Compares figures with what statements answer about them, in which `{day}` and `{year}` stand for the day and the
/// first day of its year.
async fn equals(service: &str, statements: &[(&str, String)]) {
    let shared = shared().await;
    for region in [QINGYUAN, TAIPING] {
        for day in days() {
            let scorecard = shared.clients.scorecard(region, Some(day.into())).await.unwrap();
            for (indicator, statement) in statements {
                let statement = statement
                    .replace("{day}", &format!("DATE '{day}'"))
                    .replace("{year}", &format!("DATE '{}-01-01'", day.year()));
                let figure = scorecard.figures.iter().find(|figure| figure.indicator_id == *indicator).unwrap();
                let counted = sql(&shared.instance, service, region, &statement).await;
                assert_eq!(figure.value, counted, "{indicator} of {region} on {day}");
            }
        }
    }
}

const IN_FORCE: &str = "void_reason = '' AND starts_on <= {day} AND (ends_on IS NULL OR ends_on > {day})";

#[tokio::test]
async fn the_scorecard_equals_what_the_tables_of_pairing_say() {
    let assisted = "SELECT count(*) FROM assistance AS village
        WHERE level = 'village' AND from_date <= {day} AND (until_date IS NULL OR until_date > {day})";
    let paired_with = |hosts: &str| {
        format!(
            " AND EXISTS (SELECT FROM pairing JOIN organisation AS supporter ON organisation_id = supporter_id
            WHERE pairing.region_code = village.region_code AND pairing.kind = 'party' AND {IN_FORCE} AND {hosts})"
        )
    };
    let support_unit = "host_kind IN ('government', 'public_institution', 'school', 'hospital')";
    let dual = [assisted, &paired_with(support_unit), &paired_with("host_kind = 'enterprise'")].concat();
    let taking_part = |side: &str, kind: &str| {
        format!("SELECT count(DISTINCT {side}_id) FROM pairing WHERE kind = '{kind}' AND {IN_FORCE}")
    };
    equals(
        "pairing",
        &[
            ("assisted_villages", assisted.to_owned()),
            ("villages_party_paired", [assisted, &paired_with("true")].concat()),
            ("villages_dual_covered", dual),
            ("supporter_party_organisations_paired", taking_part("supporter", "party")),
            ("supporter_schools_paired", taking_part("supporter", "school")),
            ("recipient_schools_paired", taking_part("recipient", "school")),
            (
                "joint_activities",
                "SELECT count(*) FROM activity WHERE void_reason = '' AND held_on BETWEEN {year} AND {day}".to_owned(),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_scorecard_equals_what_the_households_cases_and_signals_say() {
    let identified = "SELECT count(*) FROM cases WHERE identified_on <= {day}";
    let removed = "SELECT count(*) FROM cases WHERE removed_on <= {day}";
    let [ill, relapsed] =
        ["'illness' = ANY(risks)", "relapse_of IS NOT NULL"].map(|that| format!("{identified} AND {that}"));
    let in_year = |all: &str, on: &str| format!("{all} AND {on} >= {{year}}");
    let warned = "EXISTS (SELECT FROM signal_source WHERE signal_source.signal_id = signal.signal_id
        AND kind = 'department_warning' AND reported_on <= {day})";
    // A step is late from the day after it was due until it is done.
    let overdue = "SELECT (SELECT count(*) FROM case_entry WHERE due_on < {day} AND occurred_on > {day})
        + (SELECT count(*) FROM cases WHERE next_due_on < {day})";
    equals(
        "monitoring",
        &[
            (
                "households_registered",
                "SELECT count(*) FROM household WHERE merged_into IS NULL AND registered_on <= {day}".to_owned(),
            ),
            ("households_under_monitoring", format!("{identified} AND (removed_on IS NULL OR removed_on > {{day}})")),
            ("households_identified", identified.to_owned()),
            ("households_identified_illness", ill),
            ("households_identified_in_year", in_year(identified, "identified_on")),
            ("households_removed", removed.to_owned()),
            ("households_removed_in_year", in_year(removed, "removed_on")),
            ("households_relapsed_in_year", in_year(&relapsed, "identified_on")),
            ("households_relapsed", relapsed),
            (
                "open_signals",
                "SELECT count(*) FROM signal
                WHERE reported_on <= {day} AND (decided_on IS NULL OR decided_on > {day})"
                    .to_owned(),
            ),
            ("overdue_steps", overdue.to_owned()),
            ("warning_signals", format!("SELECT count(*) FROM signal WHERE {warned}")),
            (
                "warnings_identified",
                format!(
                    "SELECT count(*) FROM signal JOIN cases USING (case_id) WHERE identified_on <= {{day}} AND {warned}"
                ),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_scorecard_equals_what_the_incomes_of_villages_say() {
    let above = |yuan: u64| {
        format!(
            "SELECT count(*) FROM (
                SELECT DISTINCT ON (region_code) operating + contracting + investment + other AS fen
                FROM village_income WHERE make_date(year, 12, 31) <= {{day}} ORDER BY region_code, year DESC
            ) AS last WHERE fen > {yuan} * 100"
        )
    };
    let tiers = [
        ("villages_income_over_100k", above(100_000)),
        ("villages_income_over_500k", above(500_000)),
        ("villages_income_over_1m", above(1_000_000)),
    ];
    equals("monitoring", &tiers).await;
}
