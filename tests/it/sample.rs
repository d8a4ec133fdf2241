//! The sample year: every figure is what the records say, by whatever way one asks.

use tongxin_proto::{monitoring::v1::ListDefectsRequest, pairing::v1::GetCoverageRequest};
use tongxin_tests::{SAMPLE, output};

use crate::{
    support::{END_OF_2025, QINGYUAN, TAIPING, figures, shared},
    tables::sql,
};

#[tokio::test]
async fn the_scorecard_says_what_was_published() {
    let shared = shared().await;
    let scorecard = shared.clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap();
    let figure = |id: &str| scorecard.figures.iter().find(|figure| figure.indicator_id == id).unwrap();
    assert_eq!(figure("supporter_party_organisations_paired").value, 362);
    assert_eq!(figure("villages_party_paired").value, 289);
    assert_eq!(figure("assisted_villages").value, 289);
    assert_eq!(figure("party_coverage").value, 10_000);
    assert_eq!(figure("supporter_schools_paired").value, 157);
    assert_eq!(figure("recipient_schools_paired").value, 178);
    assert!(figure("joint_activities").value > 0);
    // Nobody is under monitoring because all who were have left it, not because nobody was.
    assert_eq!(figure("households_under_monitoring").value, 0);
    assert_eq!((figure("households_identified").value, figure("households_removed").value), (900, 900));
    assert_eq!(figure("villages_income_over_100k").value, 289);
    assert_eq!(figure("villages_income_over_500k").value, 38);
    assert_eq!(figure("villages_income_over_1m").value, 10);

    let taiping = shared.clients.scorecard(TAIPING, END_OF_2025).await.unwrap();
    let dual = taiping.figures.iter().find(|figure| figure.indicator_id == "dual_coverage").unwrap();
    assert_eq!((dual.numerator, dual.denominator), (12, 12));
}

#[tokio::test]
async fn the_scorecard_equals_what_pairing_says() {
    let shared = shared().await;
    let mut client = shared.clients.pairing().unwrap();
    for (region, rule, indicator) in [
        (QINGYUAN, "party", "villages_party_paired"),
        (QINGYUAN, "dual", "villages_dual_covered"),
        (TAIPING, "dual", "villages_dual_covered"),
    ] {
        // Not only at the end: entries were late and in no order.
        for (year, month, day) in [(2021, 6, 30), (2022, 12, 31), (2023, 7, 1), (2025, 12, 31)] {
            let as_of = Some(tongxin_proto::Date { year, month, day });
            let request = GetCoverageRequest { region_code: region.to_owned(), rule: rule.to_owned(), as_of };
            let coverage = client.get_coverage(request).await.unwrap().into_inner().coverage.unwrap();
            for (indicator, covered) in [(indicator, coverage.covered), ("assisted_villages", coverage.total)] {
                let figure = shared.clients.figure(region, indicator, as_of).await.unwrap();
                assert_eq!(figure, i64::from(covered), "{indicator} {region} {rule} {year}-{month}-{day}");
            }
        }
    }
}

#[tokio::test]
async fn defects_of_the_sample_are_counted_without_asking_for_a_check() {
    let shared = shared().await;
    let mut villages = shared.clients.villages().unwrap();
    let request = ListDefectsRequest { page_size: 1_000, ..ListDefectsRequest::default() };
    let answer = villages.list_defects(request).await.unwrap().into_inner();
    let kept: i64 = sql(&shared.instance, "monitoring", QINGYUAN, "SELECT count(*) FROM defect").await;
    assert!(kept > 0, "made-up data without a fault would be no sample of the real ones");
    assert_eq!(answer.total, kept);
}

#[tokio::test]
async fn cases_went_through_every_step_by_more_than_two_eyes() {
    let shared = shared().await;
    let skipped = "SELECT count(*) FROM cases
        WHERE stage = 'removed' AND 16 <> (SELECT count(DISTINCT (position, step)) FROM case_entry
            WHERE case_entry.case_id = cases.case_id AND kind = 'step_passed')";
    assert_eq!(sql(&shared.instance, "monitoring", QINGYUAN, skipped).await, 0);
    let alone = "SELECT count(*) FROM cases JOIN case_entry USING (case_id)
        WHERE step = 'home_verification' AND performed_by IN (opened_by, proposed_by)";
    assert_eq!(sql(&shared.instance, "monitoring", QINGYUAN, alone).await, 0);
    let without = "SELECT count(*) FROM cases CROSS JOIN unnest(risks) AS risk WHERE stage = 'removed' AND NOT EXISTS (
        SELECT FROM measure WHERE measure.case_id = cases.case_id AND measure.risk = risk AND state = 'done')";
    assert_eq!(sql(&shared.instance, "monitoring", QINGYUAN, without).await, 0);
}

#[tokio::test]
async fn households_of_all_towns_were_observed_five_times_and_cases_removed() {
    let instance = &shared().await.instance;
    let count = async |query: String| sql(instance, "monitoring", QINGYUAN, &query).await;
    let observed = "SELECT household_id FROM observation WHERE window_ends_on <= '2025-12-31'
        GROUP BY household_id HAVING count(*) >= 5";
    assert_eq!(count(format!("SELECT count(*) FROM ({observed}) AS observed")).await, 12_000);
    let towns = "SELECT count(DISTINCT region_code / 1000) FROM household";
    assert_eq!(count(format!("{towns} WHERE household_id IN ({observed})")).await, 24);
    let removed = "SELECT count(*) FROM cases WHERE identified_on IS NOT NULL AND removed_on <= '2025-12-31'";
    assert_eq!(count(removed.to_owned()).await, 900);
}

#[tokio::test]
async fn the_log_of_every_service_is_sound() {
    let shared = shared().await;
    let verified = output(&["log", "verify"], shared.data_dir()).await.unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[tokio::test]
async fn the_scorecard_can_be_piped_as_json() {
    let shared = shared().await;
    let arguments = ["scorecard", TAIPING, "--as-of", "2025-12-31", "--json"];
    let printed = output(&arguments, shared.data_dir()).await.unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let value: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert!(value.to_string().contains("dual_coverage"), "{value}");
}

/// The rest of the line of a text that begins with some words, spaces taken together.
fn line<'text>(text: &'text str, begin: &str) -> Option<String> {
    let words = |line: &'text str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    text.lines().map(words).find_map(|line| Some(line.strip_prefix(begin)?.trim().to_owned()))
}

#[tokio::test]
async fn who_starts_the_sample_year_reads_where_everything_is_and_what_it_comes_to() {
    let shared = shared().await;
    let [printed, said] = &shared.loaded;
    let (welcome, scorecards) = printed.split_once("清远市 441800000000 as of 2025-12-31").unwrap();
    let (qingyuan, taiping) = scorecards.split_once("太平镇 441823107000 as of 2025-12-31").unwrap();

    assert!(welcome.contains("tongxin is ready after"), "{welcome}");
    for (name, about) in [
        ("gateway http://127.0.0.1:", "gRPC, gRPC-Web, and JSON by POST"),
        ("admin http://127.0.0.1:", "/readyz, /metrics"),
        ("pairing http://127.0.0.1:", "gRPC; admin port http://127.0.0.1:"),
        ("monitoring http://127.0.0.1:", "gRPC; admin port http://127.0.0.1:"),
    ] {
        assert!(line(welcome, name).is_some_and(|rest| rest.contains(about)), "{name}: {welcome}");
    }
    let token = shared.instance.token_file.display().to_string();
    assert_eq!(line(welcome, &format!("token {token}")).unwrap(), "hq, operator, department of 440000000000");
    let log = shared.data_dir().join("tongxin.log").display().to_string();
    assert_eq!(line(welcome, &format!("log {log}")).unwrap(), "", "{welcome}");

    for (text, begin, expected) in [
        (qingyuan, "结对帮扶党组织数", "362 organisations ✓ published: 362 (exact)"),
        (qingyuan, "党组织结对覆盖村数", "289 villages ✓ published: 289 (exact)"),
        (qingyuan, "党组织结对覆盖率", "289 of 289 (100 %)"),
        (qingyuan, "结对帮扶学校数", "157 schools ✓ published: 157 (exact)"),
        (qingyuan, "受帮扶学校数", "178 schools ✓ published: 178 (exact)"),
        (qingyuan, "建档户数", "12000 households"),
        (qingyuan, "在册监测户数", "0 households ✓ published: 0 (exact)"),
        (qingyuan, "累计识别监测户数", "900 households"),
        (qingyuan, "累计消除风险户数", "900 households"),
        (qingyuan, "逾期环节数", "0 steps"),
        (qingyuan, "村集体收入超10万元村数", "289 villages ✓ published: 289 (exact)"),
        (qingyuan, "村集体收入超50万元村数", "38 villages ✓ published: 38 (exact)"),
        (qingyuan, "村集体收入超100万元村数", "10 villages ✓ published: 10 (exact)"),
        (qingyuan, "双覆盖率", "12 of 289 (4.15 %)"),
        (taiping, "双覆盖率", "12 of 12 (100 %)"),
    ] {
        assert!(line(text, begin).is_some_and(|rest| rest.ends_with(expected)), "{begin}: {text}");
    }
    let last = printed.lines().last().unwrap();
    assert!(last.starts_with("9 of 9 published figures that these services know are confirmed by records"), "{last}");

    for stage in ["Postgres and NATS are up after", "households: 12000", "observations: ", "stopping"] {
        assert!(said.lines().any(|line| line.starts_with(stage)), "{stage}: {said}");
    }
    assert!(!said.contains("not as published") && !said.contains("error"), "{said}");
}

#[tokio::test]
async fn a_second_program_on_the_folder_is_told_who_has_it() {
    let shared = shared().await;
    let before = figures(&shared.clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap());
    let second = output(&["up", "--port", "0", SAMPLE[0], SAMPLE[1]], shared.data_dir()).await.unwrap();
    let text = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && text.contains(&shared.instance.pid.to_string()), "{text}");
    assert_eq!(figures(&shared.clients.scorecard(QINGYUAN, END_OF_2025).await.unwrap()), before);
}
