//! What monitoring states, as figures.

use tongxin_proto::{
    gateway::v1::{
        GetScorecardRequest, Indicator, IndicatorKind, ListIndicatorsRequest, Scorecard,
        gateway_service_client::GatewayServiceClient,
    },
    monitoring::v1::{
        CountChanged, Counted, Risk, SignalDecided, SignalRaised, VillageIncomeTierChanged,
        village_service_server::SERVICE_NAME,
    },
};
use tonic::service::Routes;
use uuid::Uuid;

use crate::support::{
    CITY, COUNTY, FakePairing, FakeSource, PROVINCE, Stage, TOWN, VILLAGE, VILLAGE_ELSEWHERE, date, events::register,
    figure, world,
};

/// A gateway that follows pairing and monitoring.
async fn set() -> (Stage, FakeSource) {
    let (world, nats) = world().await;
    let pairing = FakePairing::start(&world).await;
    let monitoring = FakeSource::start(&world, ("monitoring", SERVICE_NAME), Routes::default(), |_| {}).await;
    let stage = Stage::with(world, nats, pairing, |config| config.upstreams.extend([monitoring.upstream()])).await;
    stage.pairing.state(&register()).await;
    stage.settle().await;
    (stage, monitoring)
}

fn count(counted: Counted, village: &str, day: &str, change: i64) -> CountChanged {
    CountChanged {
        counted: counted.into(),
        subject: Uuid::new_v4().to_string(),
        region_code: village.to_owned(),
        occurred_on: Some(date(day).into()),
        change,
        ..CountChanged::default()
    }
}

/// A count of a household in a category at some risks.
fn household(counted: Counted, day: &str, change: i64, category: &str, risks: &[Risk]) -> CountChanged {
    CountChanged {
        category: category.to_owned(),
        risks: risks.iter().map(|risk| (*risk).into()).collect(),
        ..count(counted, VILLAGE, day, change)
    }
}

fn tier(village: &str, tier: &str, day: &str, change: i32) -> VillageIncomeTierChanged {
    VillageIncomeTierChanged {
        region_code: village.to_owned(),
        tier: tier.to_owned(),
        occurred_on: Some(date(day).into()),
        change,
    }
}

async fn assert_figures(stage: &Stage, region: &str, as_of: &str, expected: &[(&str, i64)]) {
    let scorecard = stage.scorecard_for(PROVINCE, region, Some(as_of)).await.unwrap();
    for (indicator, value) in expected {
        assert_eq!(figure(&scorecard, indicator), *value, "{indicator} of {region} on {as_of}");
    }
}

#[tokio::test]
async fn each_count_has_its_figure() {
    let (stage, monitoring) = set().await;
    let changes = [
        count(Counted::Households, VILLAGE, "2025-01-10", 2_000),
        count(Counted::Households, VILLAGE_ELSEWHERE, "2025-01-10", 30),
        count(Counted::OpenSignals, VILLAGE, "2025-02-01", 1),
        count(Counted::OpenSignals, VILLAGE, "2025-02-02", 1),
        count(Counted::OpenSignals, VILLAGE, "2025-02-20", -1),
        count(Counted::WarningSignals, VILLAGE, "2025-02-01", 1),
        count(Counted::WarningSignals, VILLAGE, "2025-02-02", 1),
        count(Counted::WarningSignals, VILLAGE_ELSEWHERE, "2025-02-03", 1),
        count(Counted::WarningsIdentified, VILLAGE, "2025-03-01", 1),
        count(Counted::UnderMonitoring, VILLAGE, "2025-03-01", 1),
        household(Counted::Relapsed, "2025-03-01", 1, "hardship", &[Risk::Accident]),
    ];
    monitoring.state_all(&changes).await;
    // Events that add nothing are passed over.
    monitoring.state(&SignalRaised::default()).await;
    monitoring.is_counted(&stage.pool).await;

    assert_figures(
        &stage,
        CITY,
        "2025-12-31",
        &[
            ("households_registered", 2_030),
            ("open_signals", 1),
            ("warning_signals", 3),
            ("warnings_identified", 1),
            ("warning_precision", 3_333),
            ("households_under_monitoring", 1),
            ("households_relapsed", 1),
            ("households_relapsed_in_year", 1),
            ("households_relapsed_hardship", 1),
            ("households_relapsed_in_year_accident", 1),
            ("overdue_steps", 0),
        ],
    )
    .await;
    assert_figures(&stage, COUNTY, "2025-12-31", &[("households_registered", 2_000), ("warning_precision", 5_000)])
        .await;
    assert_figures(&stage, TOWN, "2025-02-10", &[("open_signals", 2), ("warning_precision", 0)]).await;
    assert_eq!(parked(&stage).await, [""; 0]);
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn signals_tell_by_themselves_how_they_count() {
    let (stage, monitoring) = set().await;
    let counted = [Counted::OpenSignals, Counted::WarningSignals];
    let raised = SignalRaised {
        counts: counted.map(|counted| count(counted, VILLAGE, "2025-02-01", 1)).to_vec(),
        ..SignalRaised::default()
    };
    let decided = SignalDecided {
        counts: vec![count(Counted::OpenSignals, VILLAGE, "2025-02-20", -1)],
        ..SignalDecided::default()
    };
    monitoring.state(&raised).await;
    monitoring.state(&decided).await;
    // All of an event counts, or nothing of it does.
    let wrong = [count(Counted::OpenSignals, VILLAGE, "2025-02-01", 1), CountChanged::default()];
    monitoring.state(&SignalRaised { counts: wrong.to_vec(), ..SignalRaised::default() }).await;
    monitoring.is_counted(&stage.pool).await;

    for (on, open) in [("2025-01-31", 0), ("2025-02-01", 1), ("2025-02-19", 1), ("2025-02-20", 0)] {
        assert_figures(&stage, TOWN, on, &[("open_signals", open)]).await;
    }
    assert_figures(&stage, CITY, "2025-12-31", &[("warning_signals", 1)]).await;
    assert_eq!(parked(&stage).await.len(), 1);
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_household_counts_once_and_once_for_each_of_its_risks() {
    let (stage, monitoring) = set().await;
    let two = [Risk::Illness, Risk::Housing];
    let identified = |day, category, risks: &[Risk]| {
        [Counted::Identified, Counted::UnderMonitoring].map(|counted| household(counted, day, 1, category, risks))
    };
    let mut changes = identified("2024-06-01", "unstable", &two).to_vec();
    changes.extend(identified("2025-02-01", "marginal", &[Risk::Illness]));
    changes.extend(identified("2025-03-01", "of_another_scheme", &[Risk::Other]));
    changes.push(household(Counted::UnderMonitoring, "2025-05-01", -1, "unstable", &two));
    changes.push(household(Counted::Removed, "2025-05-01", 1, "unstable", &two));
    monitoring.state_all(&changes).await;
    monitoring.is_counted(&stage.pool).await;

    let before = [
        ("households_under_monitoring", 3),
        ("households_under_monitoring_unstable", 1),
        ("households_under_monitoring_marginal", 1),
        ("households_under_monitoring_hardship", 0),
        ("households_under_monitoring_illness", 2),
        ("households_under_monitoring_housing", 1),
        ("households_under_monitoring_other", 1),
        ("households_under_monitoring_other_category", 1),
        ("households_identified", 3),
        ("households_identified_in_year", 2),
        ("households_identified_in_year_illness", 1),
        ("households_identified_in_year_unstable", 0),
        ("households_removed", 0),
    ];
    assert_figures(&stage, CITY, "2025-04-30", &before).await;
    let after = [
        ("households_under_monitoring", 2),
        ("households_under_monitoring_unstable", 0),
        ("households_under_monitoring_illness", 1),
        ("households_under_monitoring_housing", 0),
        ("households_identified", 3),
        ("households_identified_illness", 2),
        ("households_identified_unstable", 1),
        ("households_identified_in_year", 2),
        ("households_removed", 1),
        ("households_removed_unstable", 1),
        ("households_removed_illness", 1),
        ("households_removed_housing", 1),
        ("households_removed_in_year", 1),
    ];
    assert_figures(&stage, CITY, "2025-05-01", &after).await;
    assert_figures(&stage, CITY, "2024-12-31", &[("households_identified_in_year", 1), ("households_identified", 1)])
        .await;
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn what_counts_from_a_day_to_come_counts_when_that_day_has_come() {
    let (stage, monitoring) = set().await;
    // Two steps that are due: one is done after its day, the other in time.
    let steps = [
        count(Counted::OverdueSteps, VILLAGE, "2025-12-31", 1),
        count(Counted::OverdueSteps, VILLAGE, "2026-01-02", 1),
        count(Counted::OverdueSteps, VILLAGE, "2026-01-02", -1),
        count(Counted::OverdueSteps, VILLAGE, "2026-01-03", 1),
        count(Counted::OverdueSteps, VILLAGE, "2026-02-10", -1),
    ];
    monitoring.state_all(&steps).await;
    monitoring.is_counted(&stage.pool).await;

    // Today is the last day of 2025.
    let today = stage.scorecard_for(PROVINCE, CITY, None).await.unwrap();
    assert_eq!(figure(&today, "overdue_steps"), 1);
    assert_figures(&stage, CITY, "2025-12-30", &[("overdue_steps", 0)]).await;
    stage.world.clock.set("2026-02-10T04:00:00Z".parse().unwrap());
    for (as_of, overdue) in
        [("2025-12-31", 1), ("2026-01-02", 1), ("2026-01-03", 2), ("2026-02-09", 2), ("2026-02-10", 1)]
    {
        assert_figures(&stage, CITY, as_of, &[("overdue_steps", overdue)]).await;
    }
    stage.assert_no_drift().await;
    stage.stop().await;
}

#[tokio::test]
async fn a_department_is_shown_nothing_that_a_person_more_would_change() {
    let (stage, monitoring) = set().await;
    let read = async |role: &str| {
        let message = GetScorecardRequest { region_code: VILLAGE.to_owned(), as_of: None };
        let request = stage.request(role, COUNTY, message);
        let answer = GatewayServiceClient::new(stage.channel()).get_scorecard(request).await.unwrap();
        // When it was computed is all that may differ.
        Scorecard { compute_time: None, ..answer.into_inner().scorecard.unwrap() }
    };
    let ids = |scorecard: &Scorecard| -> Vec<String> {
        scorecard.figures.iter().map(|figure| figure.indicator_id.clone()).collect()
    };
    monitoring.state(&tier(VILLAGE, "over_100k", "2024-12-31", 1)).await;
    monitoring.is_counted(&stage.pool).await;
    let (before, whole) = (read("department").await, read("village").await);
    // All that one more person, and one more warning, add.
    let counted = [Counted::OpenSignals, Counted::WarningSignals];
    let counts = counted.map(|counted| count(counted, VILLAGE, "2025-02-01", 1)).to_vec();
    monitoring.state(&SignalRaised { counts, ..SignalRaised::default() }).await;
    let household = |counted| household(counted, "2025-03-01", 1, "marginal", &[Risk::Illness]);
    let all = [Counted::UnderMonitoring, Counted::Identified, Counted::Removed, Counted::Relapsed].map(household);
    monitoring.state_all(&all).await;
    let others = [Counted::Households, Counted::WarningsIdentified, Counted::OverdueSteps];
    monitoring.state_all(&others.map(|counted| count(counted, VILLAGE, "2025-03-01", 1))).await;
    monitoring.is_counted(&stage.pool).await;

    let after = read("department").await;
    assert_eq!(after, before);
    assert_eq!(figure(&after, "villages_income_over_100k"), 1, "which is about no person");
    assert_eq!(after.heads.iter().map(|head| head.source.as_str()).collect::<Vec<_>>(), ["pairing"]);
    // Whoever may is shown all of it, and the catalogue says which figures these are.
    let request = stage.request("department", COUNTY, ListIndicatorsRequest {});
    let catalogue = GatewayServiceClient::new(stage.channel()).list_indicators(request).await.unwrap().into_inner();
    let (about_persons, others): (Vec<_>, Vec<_>) =
        catalogue.indicators.into_iter().partition(|indicator| indicator.about_persons);
    assert_eq!(others.into_iter().map(|indicator| indicator.indicator_id).collect::<Vec<_>>(), ids(&after));
    for role in ["hq", "county", "town", "village", "auditor", "operator", "system"] {
        let shown = read(role).await;
        let changed = |id: &str| figure(&shown, id) != figure(&whole, id);
        assert_eq!(shown.figures.len(), about_persons.len() + after.figures.len(), "{role}");
        assert!(
            shown
                .figures
                .iter()
                .all(|figure| !changed(&figure.indicator_id) || !ids(&after).contains(&figure.indicator_id))
        );
        assert!(changed("warning_signals") && changed("households_registered") && shown.heads.len() == 2, "{role}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn villages_are_counted_by_tier() {
    let (stage, monitoring) = set().await;
    let tiers = [
        tier(VILLAGE, "over_100k", "2023-12-31", 1),
        tier(VILLAGE, "over_500k", "2024-12-31", 1),
        tier(VILLAGE, "over_1m", "2024-12-31", 1),
        tier(VILLAGE, "over_1m", "2024-12-31", -1),
        tier(VILLAGE_ELSEWHERE, "over_100k", "2024-12-31", 1),
        // Another tier of the configuration.
        tier(VILLAGE_ELSEWHERE, "over_2m", "2024-12-31", 1),
    ];
    monitoring.state_all(&tiers).await;
    monitoring.is_counted(&stage.pool).await;
    for (region, as_of, counts) in [
        (CITY, "2023-12-30", [0, 0, 0]),
        (CITY, "2023-12-31", [1, 0, 0]),
        (CITY, "2024-12-31", [2, 1, 0]),
        (COUNTY, "2024-12-31", [1, 1, 0]),
    ] {
        let ids = ["villages_income_over_100k", "villages_income_over_500k", "villages_income_over_1m"];
        let expected: Vec<_> = ids.into_iter().zip(counts).collect();
        assert_figures(&stage, region, as_of, &expected).await;
    }
    assert_eq!(parked(&stage).await, [""; 0]);
    stage.stop().await;
}

#[tokio::test]
async fn what_cannot_be_counted_is_set_aside_and_the_rest_goes_on() {
    let (stage, monitoring) = set().await;
    let wrong = [
        count(Counted::Unspecified, VILLAGE, "2025-01-01", 1),
        count(Counted::OpenSignals, VILLAGE, "2025-01-01", 0),
        count(Counted::OpenSignals, "44", "2025-01-01", 1),
        CountChanged { occurred_on: None, ..count(Counted::OpenSignals, VILLAGE, "2025-01-01", 1) },
        // A count of a newer monitoring.
        CountChanged { counted: 99, ..count(Counted::OpenSignals, VILLAGE, "2025-01-01", 1) },
    ];
    monitoring.state_all(&wrong).await;
    monitoring.state(&tier(VILLAGE, "over_100k", "2024-12-31", 2)).await;
    monitoring.state(&count(Counted::OpenSignals, VILLAGE, "2025-01-01", 1)).await;
    monitoring.is_counted(&stage.pool).await;
    assert_figures(&stage, CITY, "2025-12-31", &[("open_signals", 1), ("villages_income_over_100k", 0)]).await;
    let reasons = parked(&stage).await;
    let expected =
        ["counted is needed", "0 is none", "\"44\"", "day of the calendar", "counted is needed", "neither +1 nor -1"];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for (reason, part) in reasons.iter().zip(expected) {
        assert!(reason.contains(part), "{reason}");
    }
    stage.stop().await;
}

#[tokio::test]
async fn without_monitoring_its_figures_are_nothing_and_the_others_stand() {
    let stage = Stage::set().await;
    stage.pairing.state(&register()).await;
    stage.settle().await;
    let scorecard = stage.scorecard_for(PROVINCE, CITY, None).await.unwrap();
    assert_eq!((figure(&scorecard, "households_under_monitoring"), figure(&scorecard, "warning_precision")), (0, 0));
    let sources: Vec<_> = scorecard.heads.iter().map(|head| head.source.as_str()).collect();
    assert_eq!(sources, ["pairing"]);
    let ready = reqwest::get(format!("http://{}/readyz", stage.admin)).await.unwrap();
    assert_eq!(ready.status(), 200, "{}", ready.text().await.unwrap());
    stage.stop().await;
}

#[tokio::test]
async fn a_breakdown_says_what_it_breaks_down() {
    let stage = Stage::set().await;
    let request = stage.request("village", VILLAGE, ListIndicatorsRequest {});
    let answer = GatewayServiceClient::new(stage.channel()).list_indicators(request).await.unwrap();
    let indicators = answer.into_inner().indicators;
    let of = |whole: &str| -> Vec<&Indicator> {
        indicators.iter().filter(|indicator| indicator.breakdown_of == whole).collect()
    };
    let wholes = [
        "households_under_monitoring",
        "households_identified",
        "households_removed",
        "households_relapsed",
        "households_identified_in_year",
        "households_removed_in_year",
        "households_relapsed_in_year",
    ];
    for whole in wholes {
        let parts = of(whole);
        assert_eq!(parts.len(), 6 + 11, "{whole}");
        let by_risk = parts.iter().filter(|part| part.definition.contains("once for each"));
        assert_eq!(by_risk.count(), 11, "{whole}");
        let first = indicators.iter().position(|indicator| indicator.indicator_id == whole).unwrap();
        assert!(
            indicators[first + 1..=first + 17].iter().all(|part| part.breakdown_of == whole),
            "right after the whole"
        );
    }
    assert_eq!(of("").len(), indicators.len() - wholes.len() * 17);
    let flow =
        indicators.iter().find(|indicator| indicator.indicator_id == "households_relapsed_in_year_water").unwrap();
    assert_eq!((flow.kind(), flow.flow_of.as_str()), (IndicatorKind::Flow, "households_relapsed_water"));
    stage.stop().await;
}

/// Why events of monitoring were set aside, oldest first.
async fn parked(stage: &Stage) -> Vec<String> {
    sqlx::query_scalar("SELECT reason FROM parked_event WHERE source = 'monitoring' ORDER BY seq")
        .fetch_all(&stage.pool)
        .await
        .unwrap()
}
