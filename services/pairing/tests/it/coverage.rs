//! Coverage: right on every day, whatever is entered late or at once.

use std::collections::HashMap;

use tongxin_proto::{
    pairing::v1::{
        self, OrganisationKind::Enterprise, OrganisationKind::Government, OrganisationKind::Hospital,
        OrganisationKind::School, OrganisationSide::Recipient, OrganisationSide::Supporter,
    },
    register::v1::{RegionLevel::Town, RegionLevel::Village},
};

use crate::{
    at_once::held_up,
    support::{
        COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, date, day, draft, new_request_id,
        party_pairing, party_recipient, party_supporter, register, row, told,
    },
};

/// What adding up the events says of a village on a day.
pub async fn told_of(app: &TestApp, village: &str, rule: &str, as_of: &str) -> i32 {
    let events: Vec<v1::VillageCoverageChanged> = app.events().await;
    let counted = events.into_iter().filter(|event| event.region_code == village && event.rule == rule);
    let until = |event: &v1::VillageCoverageChanged| {
        chrono::NaiveDate::try_from(event.occurred_on.unwrap()).unwrap() <= day(as_of)
    };
    counted.filter(until).map(|event| event.change).sum()
}

#[tokio::test]
async fn a_village_is_covered_from_its_first_pairing_until_its_last_ends() {
    let app = TestApp::with_register().await;
    assert_eq!(app.coverage(TOWN, "party", "2025-06-30").await, (0, 2));
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    assert_eq!(app.coverage(TOWN, "party", "2025-01-31").await, (0, 2));
    assert_eq!(app.coverage(TOWN, "party", "2025-02-01").await, (1, 2));
    app.end(&pairing, "2025-06-01").await.unwrap();
    assert_eq!(app.coverage(TOWN, "party", "2025-05-31").await, (1, 2));
    assert_eq!(app.coverage(TOWN, "party", "2025-06-01").await, (0, 2));
    for (as_of, expected) in [("2025-01-31", 0), ("2025-02-01", 1), ("2025-05-31", 1), ("2025-06-01", 0)] {
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, expected, "{as_of}");
    }
}

#[tokio::test]
async fn dual_coverage_needs_a_support_unit_and_an_enterprise() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2025-01-01").await;
    app.pair(Hospital, VILLAGE, "2025-01-01").await;
    assert_eq!(app.coverage(TOWN, "dual", "2025-06-30").await, (0, 2));
    app.pair(Enterprise, VILLAGE, "2025-03-01").await;
    assert_eq!(app.coverage(TOWN, "dual", "2025-06-30").await, (1, 2));
    assert_eq!(told_of(&app, VILLAGE, "dual", "2025-02-28").await, 0);
    assert_eq!(told_of(&app, VILLAGE, "dual", "2025-03-01").await, 1);
}

#[tokio::test]
async fn schools_that_are_paired_cover_no_village() {
    let app = TestApp::with_register().await;
    let supporter = app.register(draft("广州市第一小学", School, Supporter, "440100000000")).await;
    let recipient = app.register(draft("沙塘小学", School, Recipient, VILLAGE)).await;
    let pairing = v1::PairingDraft {
        kind: v1::PairingKind::School.into(),
        ..party_pairing(&supporter, &recipient, "2025-01-01")
    };
    let request = v1::EstablishPairingRequest { request_id: new_request_id(), pairing: Some(pairing) };
    app.hq().establish_pairing(request).await.unwrap();
    assert_eq!(app.coverage(TOWN, "party", "2025-06-30").await, (0, 2));
    assert!(app.events::<v1::VillageCoverageChanged>().await.is_empty());
}

#[tokio::test]
async fn what_is_entered_late_corrects_the_past() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2025-05-01").await;
    app.pair(Government, VILLAGE, "2023-01-01").await;
    for (as_of, expected) in [("2022-12-31", 0), ("2023-01-01", 1), ("2025-05-01", 1)] {
        assert_eq!(told_of(&app, VILLAGE, "party", as_of).await, expected, "{as_of}");
    }
}

#[tokio::test]
async fn two_pairings_that_end_at_once_uncover_the_village_once() {
    let app = TestApp::with_register().await;
    let first = app.pair(Government, VILLAGE, "2025-01-01").await;
    let second = app.pair(Government, VILLAGE, "2025-01-01").await;
    let calls = async { tokio::join!(app.end(&first, "2025-06-01"), app.end(&second, "2025-06-01")) };
    let (one, other) = held_up(&app, calls).await;
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-06-30").await, 0);
    assert_eq!(app.coverage(TOWN, "party", "2025-06-30").await, (0, 2));
}

#[tokio::test]
async fn pairings_at_once_of_other_recipients_of_a_village_cover_it_once() {
    let app = TestApp::with_register().await;
    let pairs = (0..20).map(|_| app.pair(Government, VILLAGE, "2025-01-01"));
    futures::future::join_all(pairs).await;
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-06-30").await, 1);
}

#[tokio::test]
async fn uncovered_villages_are_named() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2025-01-01").await;
    let request = v1::GetCoverageRequest { region_code: TOWN.to_owned(), rule: "party".to_owned(), as_of: None };
    let coverage = app.hq().get_coverage(request).await.unwrap().into_inner().coverage.unwrap();
    let named: HashMap<_, _> = coverage.uncovered.into_iter().map(|one| (one.region_code, one.name)).collect();
    assert_eq!(named, HashMap::from([(OTHER_VILLAGE.to_owned(), "沙陂村".to_owned())]));
    assert_eq!(coverage.as_of, date("2025-06-30"));
}

#[tokio::test]
async fn of_many_uncovered_villages_a_thousand_are_named_and_all_are_counted() {
    let app = TestApp::with_register().await;
    let towns = (0..4).map(|town| (format!("44182311{town}000"), "大镇".to_owned()));
    let mut rows: Vec<_> = towns.clone().map(|(code, name)| row(&code, &name, Town, COUNTY, true)).collect();
    for (town, _) in towns {
        let villages = (1..300).map(|number| format!("{}{number:03}", &town[..9]));
        rows.extend(villages.map(|code| row(&code, "小村", Village, &town, true)));
    }
    app.import("2025-01-01", rows).await.unwrap();
    let request = v1::GetCoverageRequest { region_code: COUNTY.to_owned(), rule: "party".to_owned(), as_of: None };
    let coverage = app.hq().get_coverage(request).await.unwrap().into_inner().coverage.unwrap();
    assert_eq!((coverage.covered, coverage.total), (0, 4 * 299 + 2));
    assert_eq!(coverage.uncovered.len(), 1_000);
    let first: Vec<_> = coverage.uncovered.iter().take(2).map(|village| village.region_code.as_str()).collect();
    assert_eq!(first, [VILLAGE, OTHER_VILLAGE], "in the order of their codes");
}

#[tokio::test]
async fn coverage_of_what_is_unknown_or_elsewhere_is_not_found() {
    let app = TestApp::with_register().await;
    let ask = |region: &str, rule: &str, as_of| v1::GetCoverageRequest {
        region_code: region.to_owned(),
        rule: rule.to_owned(),
        as_of,
    };
    let unknown = app.hq().get_coverage(ask("441899000000", "party", None)).await.unwrap_err();
    let foreign = app.client("county", OTHER_COUNTY).get_coverage(ask(TOWN, "party", None)).await.unwrap_err();
    assert_eq!(told(&unknown), told(&foreign));
    assert_eq!(told(&app.hq().get_coverage(ask(TOWN, "triple", None)).await.unwrap_err()).1, "COVERAGE_RULE_NOT_FOUND");
    let future = app.hq().get_coverage(ask(TOWN, "party", date("2025-07-01"))).await.unwrap_err();
    assert_eq!((told(&future).1.as_str(), told(&future).2), ("DATE_IN_FUTURE", vec!["as_of".to_owned()]));
}

#[tokio::test]
async fn a_village_that_is_assisted_no_longer_is_not_counted() {
    let app = TestApp::with_register().await;
    app.pair(Government, VILLAGE, "2024-01-01").await;
    let mut rows = register();
    rows.iter_mut().filter(|row| row.code == VILLAGE).for_each(|row| row.assisted = false);
    app.import("2025-01-01", rows).await.unwrap();
    assert_eq!(app.coverage(PROVINCE, "party", "2024-12-31").await, (1, 3));
    assert_eq!(app.coverage(PROVINCE, "party", "2025-01-01").await, (0, 2));
    assert_eq!(told_of(&app, VILLAGE, "party", "2024-12-31").await, 1);
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-01-01").await, 0);

    app.import("2025-03-01", register()).await.unwrap();
    assert_eq!(app.coverage(PROVINCE, "party", "2025-02-28").await, (0, 2));
    assert_eq!(app.coverage(PROVINCE, "party", "2025-03-01").await, (1, 3));
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-02-28").await, 0);
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-03-01").await, 1);
}

#[tokio::test]
async fn a_batch_and_single_calls_mean_the_same() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let rows = vec![crate::support::party_pairing(&supporter, &recipient, "2025-01-01")];
    let request_id = new_request_id();
    crate::batches::establish(&app, &request_id, false, vec![rows]).await.unwrap();
    assert_eq!(told_of(&app, VILLAGE, "party", "2025-06-30").await, 1);
    assert_eq!(app.coverage(TOWN, "party", "2025-06-30").await, (1, 2));
}
