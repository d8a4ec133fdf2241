//! Compares the filter in Postgres with the rules. Neither is visible from outside, so Postgres is queried here.

use proptest::{prelude::*, sample::select, strategy::ValueTree as _, test_runner::TestRunner};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tongxin_platform::testing::Database;
use uuid::Uuid;

use super::*;
use crate::{
    app::KIND,
    domain::{
        household::SocialSupport,
        observation::HousingGrade,
        profile::Profile,
        risk::Risk,
        rule_set::{
            Line as YearLine, RuleSetDraft, ScreeningRule,
            tests::{compiled, draft},
        },
        rules::{
            EvalError,
            tests::{bool_text, profile},
        },
    },
};

/// Any household that the contract allows.
fn any_profile() -> impl Strategy<Value = Profile> {
    let most = Number::Wages.bounds().1;
    let amount = prop_oneof![3 => 0..20_i64, 1 => Just(0), 1 => Just(most), 2 => 0..=most];
    let flags = prop::collection::vec(any::<bool>(), 6);
    let words = (select(HousingGrade::ALL), select(SocialSupport::ALL));
    let shocks = prop::collection::btree_set(select(Risk::ALL), 0..4);
    let window = select(&["2023-12-31", "2024-12-31", "2025-01-31", "2026-06-30"]);
    let counts = prop::collection::vec(0..4_i16, 10);
    (counts, prop::collection::vec(amount, 9), flags, words, shocks, window).prop_map(
        |(counts, amounts, flags, words, shocks, window)| {
            let mut profile = profile();
            let of = &mut profile.composition;
            (of.persons, of.labourers, of.students, of.elderly) = (counts[0] + 1, counts[1], counts[2], counts[3]);
            (of.disabled, of.workers, of.uninsured) = (counts[4], counts[5], counts[6]);
            (of.seriously_ill, of.chronically_ill, of.children_out_of_school) = (counts[7], counts[8], counts[9]);
            let newest = &mut profile.newest;
            newest.window_ends_on = window.parse().unwrap();
            (newest.wages, newest.business, newest.property) = (amounts[0], amounts[1], amounts[2]);
            (newest.transfer, newest.business_expense, newest.out_of_pocket) = (amounts[3], amounts[4], amounts[5]);
            (newest.insurance_received, newest.loss) = (amounts[6], amounts[7] * i64::from(counts[1]));
            newest.net_income = amounts[..4].iter().sum::<i64>() - amounts[4];
            newest.per_capita_net_income = newest.net_income.div_euclid(of.persons.into());
            newest.previous_per_capita_net_income = flags[0].then_some(amounts[8]);
            (newest.schooling_guaranteed, newest.medical_guaranteed, newest.water_safe) =
                (flags[1], flags[2], flags[3]);
            (newest.housing_grade, profile.support, newest.shocks) = (words.0, words.1, shocks);
            (profile.lifted_from_poverty, profile.monitored) = (flags[4], flags[5]);
            profile
        },
    )
}

/// A rule set of one rule, with lines from 2024 and 2026 on.
fn rule(expression: &str) -> RuleSet {
    let line = |year, fen| YearLine { year, fen };
    let rule = ScreeningRule {
        number: 1,
        name: "rule".to_owned(),
        cause: Risk::Other,
        expression: expression.to_owned(),
        message: "rule".to_owned(),
    };
    let lines = vec![line(2026, 14), line(2024, 7), line(2025, 7)];
    compiled(RuleSetDraft { lines, rules: vec![rule], ..draft() })
}

/// Some households, in Postgres and here.
struct Stage {
    owner: PgConnection,
    profiles: Vec<Profile>,
}

impl Stage {
    async fn set(households: usize) -> Self {
        let database = Database::migrated(&KIND.migrations()).await;
        let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
        let mut runner = TestRunner::deterministic();
        let profiles: Vec<Profile> =
            (0..households).map(|_| any_profile().new_tree(&mut runner).unwrap().current()).collect();
        for (place, profile) in profiles.iter().enumerate() {
            insert(&mut owner, Uuid::from_u128(place as u128), profile).await;
        }
        Self { owner, profiles }
    }

    /// What Postgres says of each household, and what the rule says.
    async fn both(&mut self, expression: &str) -> Vec<(Option<bool>, Result<bool, EvalError>)> {
        let rule_set = rule(expression);
        let filter = Filter::of([&rule_set]);
        let statement = format!("SELECT {filter} FROM profile ORDER BY household_id");
        let found: Vec<Option<bool>> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut self.owner)
            .await
            .unwrap_or_else(|error| panic!("{expression}: {filter}: {error}"));
        assert_eq!(found.len(), self.profiles.len());
        let condition = &rule_set.rules()[0].condition;
        let said = self.profiles.iter().map(|profile| condition.eval_bool(&rule_set.inputs(profile)));
        found.into_iter().zip(said).collect()
    }
}

async fn insert(owner: &mut PgConnection, id: Uuid, profile: &Profile) {
    let Profile { composition: of, newest, .. } = profile;
    let statement = "
        INSERT INTO profile VALUES
            ($1, 441823107201, $2, $3, $4, $5, $6, NULL, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
             $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)";
    sqlx::query(statement)
        .bind(id)
        .bind(of.persons)
        .bind(of.labourers)
        .bind(of.students)
        .bind(of.children_out_of_school)
        .bind(of.elderly)
        .bind(of.disabled)
        .bind(of.seriously_ill)
        .bind(of.chronically_ill)
        .bind(of.workers)
        .bind(of.uninsured)
        .bind(profile.lifted_from_poverty)
        .bind(profile.support.name())
        .bind(profile.monitored)
        .bind(newest.window_ends_on)
        .bind(newest.wages)
        .bind(newest.business)
        .bind(newest.property)
        .bind(newest.transfer)
        .bind(newest.business_expense)
        .bind(newest.out_of_pocket)
        .bind(newest.insurance_received)
        .bind(newest.net_income)
        .bind(newest.per_capita_net_income)
        .bind(newest.previous_per_capita_net_income)
        .bind(newest.loss)
        .bind(newest.schooling_guaranteed)
        .bind(newest.medical_guaranteed)
        .bind(newest.housing_grade.name())
        .bind(newest.water_safe)
        .bind(newest.shocks.iter().fold(0, |bits, risk| bits | 1 << risk.index()))
        .execute(owner)
        .await
        .unwrap();
}

#[tokio::test]
async fn who_is_left_out_is_hit_by_no_rule_whatever_the_rule() {
    let mut stage = Stage::set(150).await;
    let mut runner = TestRunner::deterministic();
    let (mut left_out, mut hit) = (0, 0);
    for _ in 0..400 {
        let expression = bool_text().new_tree(&mut runner).unwrap().current();
        for (place, (found, said)) in stage.both(&expression).await.into_iter().enumerate() {
            assert!(
                found != Some(false) || said == Ok(false),
                "{expression} is {said:?} for {:?}, which is left out",
                stage.profiles[place]
            );
            left_out += usize::from(found == Some(false));
            hit += usize::from(said == Ok(true));
        }
    }
    assert!(left_out > 5_000 && hit > 10_000, "{left_out} of 60,000 are left out, {hit} are hit");
}

#[tokio::test]
async fn what_does_not_overflow_is_said_exactly() {
    let mut stage = Stage::set(300).await;
    for expression in [
        "!monitored && per_capita_net_income < line",
        "per_capita_net_income >= line && net_income - max(out_of_pocket - insurance_received, 0) < persons * line",
        "has_previous && 10 * per_capita_net_income < 7 * previous_per_capita_net_income",
        "previous_per_capita_net_income == 0 || wages <= business",
        "housing_grade in ['C', 'D'] || support == 'none'",
        "housing_grade > 'B' && !('water' in shocks)",
        "'natural_disaster' in shocks && 10 * (loss - insurance_received) > min(net_income, 0)",
        "net_income / 5 < -3 || net_income % 3 == -1 || -wages / 7 != -2",
        "(water_safe ? wages : transfer) > 10 != schooling_guaranteed",
        "(monitored ? 'A' : housing_grade) != 'A'",
        "persons == elderly + 1 && seriously_ill + chronically_ill > uninsured * disabled",
        "false || line == 14",
        "size(shocks) > 1 && !(water_safe && size(shocks) == 2)",
        "wages / elderly > 5",
        "!(wages % (elderly - 1) == 0) || monitored",
        "water_safe && 100 / (students - elderly) < 0",
        "(wages / elderly > 5 ? 'A' : housing_grade) == 'A'",
        "(business / labourers > 5 ? 1 : 100 / workers) > 0 == monitored",
        "housing_grade in []",
    ] {
        let both = stage.both(expression).await;
        for (place, (found, said)) in both.iter().enumerate() {
            assert_eq!(*found, said.ok(), "{expression} for {:?}", stage.profiles[place]);
        }
        let differ = both.iter().any(|(found, _)| *found != both[0].0);
        assert!(differ || expression.ends_with("[]"), "{expression} says the same of all");
    }
}

#[test]
fn what_cannot_be_said_is_kept() {
    let of = |expression: &str| Filter::of([&rule(expression)]).to_string();
    for expression in [
        "wages * wages * 1000 > 0",
        "loss * 10000000 > 0",
        "min(wages / elderly, 7) > 0",
        "housing_grade in (water_safe ? ['A'] : ['B'])",
        "water_safe || wages * wages * 1000 > 0",
        "!(water_safe && wages * wages * 1000 > 0)",
        "housing_grade in ['A', wages / elderly > 0 ? 'A' : 'B']",
        "(wages / elderly > 0 ? 'A' : 'B') in []",
        r"'\u0000' in ['a'] || water_safe",
    ] {
        assert_eq!(of(expression), "true", "{expression}");
    }
    // The side that can be told decides.
    assert_eq!(of("!water_safe && wages * wages * 1000 > 0"), "((NOT water_safe))");
    assert_eq!(Filter::of([&rule("wages * wages * 1000 > 0"), &rule("water_safe")]).to_string(), "true");
    assert_eq!(Filter::of([&rule("water_safe"), &rule("monitored")]).to_string(), "(water_safe OR monitored)");
    assert_eq!(Filter::of([]).to_string(), "false");
}

#[test]
fn a_condition_that_is_too_long_is_not_asked() {
    let many = |times: usize| vec!["line > wages"; times].join(" && ");
    assert_ne!(Filter::of([&rule(&many(10))]).to_string(), "true");
    let rule_set = rule(&many(50));
    assert_eq!(Filter::of(std::iter::repeat_n(&rule_set, 20)).to_string(), "true");
}

#[tokio::test]
async fn a_look_over_reads_the_villages_that_it_is_about() {
    let database = Database::migrated(&KIND.migrations()).await;
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    let look_over = Filter::of([&rule("water_safe && wages < line")]).look_over();
    let prepare =
        format!("SET plan_cache_mode = force_generic_plan; PREPARE look (bigint[], date, date) AS {look_over}");
    owner.execute(sqlx::AssertSqlSafe(prepare)).await.unwrap();
    let explain = "EXPLAIN EXECUTE look ('{441823107201}', '2025-01-01', '2025-01-01')";
    let plan: Vec<String> = sqlx::query_scalar(explain).fetch_all(&mut owner).await.unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("Index Cond: (region_code = ANY ($1))") && !plan.contains("Seq Scan"), "{plan}");
}

#[test]
fn a_line_holds_from_its_year_on() {
    let line = Line::of(&rule("water_safe"));
    let before =
        "CASE WHEN window_ends_on >= DATE '2026-01-01' THEN '14'::bigint WHEN window_ends_on >= DATE '2025-01-01'";
    assert!(line.sql.starts_with(before), "{}", line.sql);
    assert_eq!((line.least, line.most), (7, 14));
    let of_one_year = RuleSetDraft { lines: vec![YearLine { year: 2024, fen: 5 }], ..draft() };
    assert_eq!(Line::of(&compiled(of_one_year)).sql, "'5'::bigint");
}
