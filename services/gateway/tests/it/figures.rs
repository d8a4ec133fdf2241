//! Scorecards follow from events.

use tongxin_gateway::indicators::CATALOGUE;
use tongxin_proto::{
    gateway::v1::{
        GetScorecardRequest, IndicatorKind, ListIndicatorsRequest, gateway_service_client::GatewayServiceClient,
    },
    pairing::v1::{OrganisationSide, PairingKind},
    register::v1::RegionsRecorded,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::support::{
    CITY, COUNTY, PROVINCE, Stage, TOWN, VILLAGE, VILLAGE_ELSEWHERE, date,
    events::{activity, assisted, covered, paired, register, voided},
    figure,
};

#[tokio::test]
async fn figures_follow_events_within_moments() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&[assisted(VILLAGE, "2025-01-01", 1), assisted(VILLAGE_ELSEWHERE, "2025-01-01", 1)]).await;
    stage
        .pairing
        .state_all(&[covered(VILLAGE, "party", "2025-02-01", 1), covered(VILLAGE, "dual", "2025-03-01", 1)])
        .await;
    stage.pairing.state(&activity(VILLAGE, "2025-04-01")).await;
    stage.settle().await;

    let scorecard = stage.scorecard_for(PROVINCE, CITY, None).await.unwrap();
    assert_eq!(scorecard.region_name, "清远市");
    assert_eq!(scorecard.as_of.unwrap().day, 31);
    let values: Vec<_> = scorecard.figures.iter().map(|figure| (figure.indicator_id.as_str(), figure.value)).collect();
    assert!(values[9..].iter().all(|(_, value)| *value == 0), "what other services state");
    assert_eq!(
        values[..9],
        [
            ("supporter_party_organisations_paired", 0),
            ("villages_party_paired", 1),
            ("assisted_villages", 2),
            ("party_coverage", 5_000),
            ("villages_dual_covered", 1),
            ("dual_coverage", 5_000),
            ("supporter_schools_paired", 0),
            ("recipient_schools_paired", 0),
            ("joint_activities", 1),
        ]
    );
    let head = &scorecard.heads[0];
    assert_eq!((head.source.as_str(), head.epoch, head.seq), ("pairing", 1, 6));
    stage.assert_no_drift().await;

    let town = stage.scorecard_for(TOWN, TOWN, None).await.unwrap();
    let coverage = &town.figures[3];
    assert_eq!((coverage.value, coverage.numerator, coverage.denominator), (10_000, 1, 1));
    stage.stop().await;
}

#[tokio::test]
async fn late_entries_change_the_figures_of_every_day_since() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    // In the order in which they are entered, not in that of their days.
    let entries = [
        covered(VILLAGE, "party", "2025-12-15", 1),
        covered(VILLAGE_ELSEWHERE, "party", "2025-06-30", 1),
        covered(VILLAGE, "party", "2024-02-29", 1),
        covered(VILLAGE, "party", "2025-12-15", -1),
        covered(VILLAGE_ELSEWHERE, "party", "2025-07-01", -1),
        covered(VILLAGE_ELSEWHERE, "party", "2025-12-31", 1),
    ];
    stage.pairing.state_all(&entries).await;
    let held = ["2024-12-31", "2025-01-01", "2025-01-31", "2025-12-31"].map(|day| activity(VILLAGE, day));
    stage.pairing.state_all(&held).await;
    stage.settle().await;

    for (as_of, villages, activities) in [
        ("2024-02-28", 0, 0),
        ("2024-02-29", 1, 0),
        ("2024-12-31", 1, 1),
        ("2025-01-01", 1, 1),
        ("2025-01-31", 1, 2),
        ("2025-06-29", 1, 2),
        ("2025-06-30", 2, 2),
        ("2025-07-01", 1, 2),
        ("2025-12-14", 1, 2),
        ("2025-12-15", 1, 2),
        ("2025-12-30", 1, 2),
        ("2025-12-31", 2, 3),
    ] {
        assert_eq!(stage.figure(CITY, as_of, "villages_party_paired").await, villages, "on {as_of}");
        assert_eq!(stage.figure(CITY, as_of, "joint_activities").await, activities, "until {as_of}");
    }
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn an_activity_that_was_voided_no_longer_counts_on_its_day() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    let mistake = activity(VILLAGE, "2025-03-01");
    stage.pairing.state_all(&[mistake.clone(), activity(VILLAGE, "2025-04-01")]).await;
    stage.pairing.state(&voided(&mistake)).await;
    stage.settle().await;
    for (as_of, expected) in [("2025-03-01", 0), ("2025-04-01", 1), ("2025-12-31", 1)] {
        assert_eq!(stage.figure(CITY, as_of, "joint_activities").await, expected, "until {as_of}");
    }
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn organisations_are_counted_only_where_the_event_says() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    let (supporter, recipient) = (OrganisationSide::Supporter, OrganisationSide::Recipient);
    let line = [PROVINCE, CITY, COUNTY, TOWN, VILLAGE];
    stage
        .pairing
        .state_all(&[
            // Two supporters of the village; one of them was counted above it before.
            paired(supporter, PairingKind::Party, &line, "2025-01-01", 1),
            paired(supporter, PairingKind::Party, &line[3..], "2025-01-01", 1),
            paired(recipient, PairingKind::Party, &line, "2025-01-01", 1),
            paired(supporter, PairingKind::School, &line[..2], "2025-01-01", 1),
            paired(recipient, PairingKind::School, &line[..1], "2025-01-01", 1),
            paired(supporter, PairingKind::Hospital, &line, "2025-01-01", 1),
        ])
        .await;
    stage.settle().await;

    for (region, organisations, supporters, recipients) in
        [(PROVINCE, 1, 1, 1), (CITY, 1, 1, 0), (COUNTY, 1, 0, 0), (TOWN, 2, 0, 0), (VILLAGE, 2, 0, 0)]
    {
        let scorecard = stage.scorecard_for(PROVINCE, region, None).await.unwrap();
        assert_eq!(figure(&scorecard, "supporter_party_organisations_paired"), organisations, "{region}");
        assert_eq!(figure(&scorecard, "supporter_schools_paired"), supporters, "{region}");
        assert_eq!(figure(&scorecard, "recipient_schools_paired"), recipients, "{region}");
    }
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_region_outside_of_the_callers_answers_like_one_that_does_not_exist() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state(&assisted(VILLAGE_ELSEWHERE, "2025-01-01", 1)).await;
    stage.settle().await;

    let own = stage.scorecard_for(COUNTY, VILLAGE, None).await.unwrap();
    assert_eq!(own.region_name, "沙塘村");
    let mut answers = Vec::new();
    // Another county's village, a village that is nowhere, the region above.
    for region in [VILLAGE_ELSEWHERE, "441825104299", CITY] {
        let status = stage.scorecard_for(COUNTY, region, None).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        assert_eq!(status.get_details_error_info().unwrap().reason, "REGION_NOT_FOUND");
        assert_eq!(status.get_details_bad_request().unwrap().field_violations[0].field, "region_code");
        let details = String::from_utf8_lossy(status.details()).into_owned();
        answers.push((status.message().replace(region, "…"), details.replace(region, "…")));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    stage.stop().await;
}

#[tokio::test]
async fn a_region_that_is_not_valid_on_a_day_says_so_and_keeps_its_past() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.pairing.state_all(&[activity(VILLAGE, "2025-03-01"), activity(VILLAGE, "2025-11-01")]).await;
    let mut withdrawn = register().regions.into_iter().find(|region| region.code == VILLAGE).unwrap();
    withdrawn.valid_until = Some(date("2025-07-01").into());
    stage.pairing.state(&RegionsRecorded { regions: vec![withdrawn] }).await;
    stage.settle().await;

    for (as_of, activities) in [("2022-12-31", 0), ("2025-03-01", 1), ("2025-07-01", 1), ("2025-12-31", 2)] {
        let village = stage.scorecard_for(PROVINCE, VILLAGE, Some(as_of)).await.unwrap();
        assert_eq!(village.valid_from, Some(date("2021-01-01").into()));
        assert_eq!(village.valid_until, Some(date("2025-07-01").into()), "as of {as_of}");
        assert_eq!(figure(&village, "joint_activities"), activities, "as of {as_of}");
        // What the village counts, those above count.
        assert_eq!(stage.figure(TOWN, as_of, "joint_activities").await, activities, "as of {as_of}");
    }
    assert_eq!(stage.scorecard_for(PROVINCE, TOWN, None).await.unwrap().valid_until, None);
    stage.stop().await;
}

#[tokio::test]
async fn a_day_that_is_none_or_has_not_come_is_refused() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.settle().await;

    let future = stage.scorecard_for(PROVINCE, CITY, Some("2026-01-01")).await.unwrap_err();
    assert_eq!(future.code(), Code::InvalidArgument);
    assert_eq!(future.get_details_error_info().unwrap().reason, "DATE_IN_FUTURE");
    assert_eq!(future.get_details_bad_request().unwrap().field_violations[0].field, "as_of");

    let message = GetScorecardRequest {
        region_code: CITY.to_owned(),
        as_of: Some(tongxin_proto::Date { year: 2025, month: 2, day: 29 }),
    };
    let request = stage.request("hq", PROVINCE, message);
    let none = GatewayServiceClient::new(stage.channel()).get_scorecard(request).await.unwrap_err();
    assert_eq!(none.get_details_error_info().unwrap().reason, "DATE_INVALID");

    let malformed = stage.scorecard_for(PROVINCE, "44", None).await.unwrap_err();
    assert_eq!(malformed.get_details_bad_request().unwrap().field_violations[0].field, "region_code");
    stage.stop().await;
}

#[tokio::test]
async fn the_catalogue_says_what_each_figure_is() {
    let stage = Stage::set().await;
    let request = stage.request("village", VILLAGE, ListIndicatorsRequest {});
    let answer = GatewayServiceClient::new(stage.channel()).list_indicators(request).await.unwrap();
    let indicators = answer.into_inner().indicators;
    assert_eq!(indicators.len(), CATALOGUE.len());
    for indicator in indicators {
        assert!(!indicator.name_zh.is_empty() && !indicator.definition.is_empty(), "{}", indicator.indicator_id);
        let is_ratio = indicator.kind() == IndicatorKind::Ratio;
        assert_eq!(is_ratio, indicator.source_event.is_empty(), "{}", indicator.indicator_id);
    }
    stage.stop().await;
}
