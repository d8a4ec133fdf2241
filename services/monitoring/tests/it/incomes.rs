//! Collective income of villages, and the tiers that it puts them in.

use futures::future::join_all;
use tongxin_proto::monitoring::v1::{self, IncomeKind};
use tonic::{Code, Status};

use crate::support::{COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, day, new_request_id, told};

const YUAN: i64 = 100;

fn income(village: &str, year: i32, amounts: &[(IncomeKind, i64)]) -> v1::RecordVillageIncomeRequest {
    let amount = |(kind, yuan): &(IncomeKind, i64)| v1::IncomeAmount { kind: (*kind).into(), amount_fen: yuan * YUAN };
    v1::RecordVillageIncomeRequest {
        request_id: new_request_id(),
        region_code: village.to_owned(),
        year,
        amounts: amounts.iter().map(amount).collect(),
        expected_version: 0,
    }
}

impl Clients {
    async fn earn(&mut self, request: v1::RecordVillageIncomeRequest) -> Result<v1::VillageIncome, Status> {
        Ok(self.villages.record_village_income(request).await?.into_inner().income.unwrap())
    }

    async fn incomes(&mut self, village: &str) -> Result<Vec<v1::VillageIncome>, Status> {
        let request = v1::GetVillageIncomeRequest { region_code: village.to_owned() };
        Ok(self.villages.get_village_income(request).await?.into_inner().incomes)
    }
}

/// Whether a village is in a tier on a day, by the changes that were stated: 1 or 0.
async fn in_tier(app: &TestApp, tier: &str, on: &str) -> i32 {
    let counts = |change: &&v1::VillageIncomeTierChanged| {
        let since: chrono::NaiveDate = change.occurred_on.unwrap().try_into().unwrap();
        change.tier == tier && since <= day(on)
    };
    app.events::<v1::VillageIncomeTierChanged>().await.iter().filter(counts).map(|change| change.change).sum()
}

#[tokio::test]
async fn an_income_puts_a_village_above_the_tiers_that_it_exceeds() {
    let app = TestApp::start().await;
    let mut town = app.clients("town", TOWN);
    let recorded = town
        .earn(income(VILLAGE, 2024, &[(IncomeKind::Operating, 400_000), (IncomeKind::Investment, 100_001)]))
        .await
        .unwrap();
    assert_eq!((recorded.total_fen, recorded.version), (500_001 * YUAN, 1));
    assert_eq!(recorded.tiers, ["over_100k", "over_500k"]);
    let amounts: Vec<_> = recorded.amounts.iter().map(|amount| (amount.kind(), amount.amount_fen / YUAN)).collect();
    assert_eq!(amounts, [(IncomeKind::Operating, 400_000), (IncomeKind::Investment, 100_001)]);
    for (tier, before, from) in [("over_100k", 0, 1), ("over_500k", 0, 1), ("over_1m", 0, 0)] {
        assert_eq!(in_tier(&app, tier, "2024-12-30").await, before, "{tier}");
        assert_eq!(in_tier(&app, tier, "2024-12-31").await, from, "{tier}");
    }
    let told_of = app.events::<v1::VillageIncomeRecorded>().await;
    assert_eq!((told_of.len(), told_of[0].year, told_of[0].total_fen), (1, 2024, 500_001 * YUAN));
    assert_eq!(town.incomes(VILLAGE).await.unwrap(), [recorded]);
}

#[tokio::test]
async fn exactly_the_bound_is_not_above_it() {
    let app = TestApp::start().await;
    let at_bound = app.hq().earn(income(VILLAGE, 2024, &[(IncomeKind::Other, 100_000)])).await.unwrap();
    assert_eq!(at_bound.tiers, Vec::<String>::new());
    assert!(app.events::<v1::VillageIncomeTierChanged>().await.is_empty());
}

#[tokio::test]
async fn a_correction_sends_the_opposite_and_late_years_are_put_in_between() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    hq.earn(income(VILLAGE, 2024, &[(IncomeKind::Other, 2_000_000)])).await.unwrap();
    let corrected = hq.earn(income(VILLAGE, 2024, &[(IncomeKind::Other, 200_000)])).await.unwrap();
    assert_eq!((corrected.version, corrected.tiers.as_slice()), (2, &["over_100k".to_owned()][..]));
    // Entered last, of the years before and in between.
    hq.earn(income(VILLAGE, 2021, &[(IncomeKind::Other, 150_000)])).await.unwrap();
    hq.earn(income(VILLAGE, 2023, &[(IncomeKind::Other, 90_000)])).await.unwrap();
    for (on, above) in [
        ("2021-12-30", 0),
        ("2021-12-31", 1),
        ("2022-12-31", 1),
        ("2023-12-31", 0),
        ("2024-12-30", 0),
        ("2024-12-31", 1),
        ("2025-06-30", 1),
    ] {
        assert_eq!(in_tier(&app, "over_100k", on).await, above, "{on}");
        assert_eq!(in_tier(&app, "over_500k", on).await, 0, "{on}");
        assert_eq!(in_tier(&app, "over_1m", on).await, 0, "{on}");
    }
    let years: Vec<_> = hq.incomes(VILLAGE).await.unwrap().iter().map(|income| income.year).collect();
    assert_eq!(years, [2024, 2023, 2021]);
    assert_eq!(hq.incomes(OTHER_VILLAGE).await.unwrap(), []);
}

#[tokio::test]
async fn an_income_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let mut county = app.clients("county", COUNTY);
    let other = [(IncomeKind::Other, 1)];
    for (request, code, reason, field) in [
        (income("441823107299", 2024, &other), Code::NotFound, "REGION_NOT_FOUND", Some("region_code")),
        (income("441825104200", 2024, &other), Code::NotFound, "REGION_NOT_FOUND", Some("region_code")),
        (income(TOWN, 2024, &other), Code::InvalidArgument, "REGION_LEVEL_WRONG", Some("region_code")),
        (income("441823107001", 2024, &other), Code::InvalidArgument, "REGION_LEVEL_WRONG", Some("region_code")),
        (income(VILLAGE, 2025, &other), Code::InvalidArgument, "DATE_IN_FUTURE", Some("year")),
        (income(VILLAGE, 2023, &other), Code::PermissionDenied, "HISTORY_NOT_ALLOWED", Some("year")),
        (income(VILLAGE, 2024, &other.repeat(2)), Code::InvalidArgument, "KIND_TWICE", Some("amounts")),
        (income(VILLAGE, 2024, &[(IncomeKind::Other, -1)]), Code::InvalidArgument, "AMOUNT_NEGATIVE", Some("amounts")),
        (income(VILLAGE, 2024, &[]), Code::InvalidArgument, "INVALID_FIELDS", Some("amounts")),
        (
            v1::RecordVillageIncomeRequest { expected_version: 1, ..income(VILLAGE, 2024, &other) },
            Code::Aborted,
            "VERSION_STALE",
            Some("expected_version"),
        ),
    ] {
        let (told_code, told_reason, fields) = told(&county.earn(request).await.unwrap_err());
        assert_eq!((told_code, told_reason.as_str()), (code, reason));
        assert_eq!(fields.first().map(String::as_str), field, "{reason}");
    }
    let village = app.clients("village", VILLAGE).earn(income(VILLAGE, 2024, &other)).await.unwrap_err();
    assert_eq!(told(&village).1, "PERMISSION_MISSING");
    let foreign = app.clients("county", OTHER_COUNTY).incomes(VILLAGE).await.unwrap_err();
    assert_eq!(told(&foreign).1, "REGION_NOT_FOUND");
    assert_eq!((app.count("village_income").await, app.events::<v1::VillageIncomeRecorded>().await.len()), (0, 0));
}

#[tokio::test]
async fn the_year_may_end_today() {
    let app = TestApp::start().await;
    let record = || income(VILLAGE, 2025, &[(IncomeKind::Other, 200_000)]);
    // 30 and 31 December in Shanghai.
    app.world.clock.set("2025-12-30T15:59:59Z".parse().unwrap());
    assert_eq!(told(&app.hq().earn(record()).await.unwrap_err()).1, "DATE_IN_FUTURE");
    app.world.clock.set("2025-12-30T16:00:00Z".parse().unwrap());
    app.hq().earn(record()).await.unwrap();
    assert_eq!(in_tier(&app, "over_100k", "2025-12-31").await, 1);
}

#[tokio::test]
async fn two_years_that_are_recorded_at_once_agree_on_the_tiers() {
    let app = TestApp::start().await;
    let records = (2015..2025).map(|year| {
        let (mut hq, yuan) = (app.hq(), if year % 2 == 0 { 50_000 } else { 150_000 });
        async move { hq.earn(income(VILLAGE, year, &[(IncomeKind::Other, yuan)])).await.unwrap() }
    });
    join_all(records).await;
    for year in 2021..2025 {
        assert_eq!(in_tier(&app, "over_100k", &format!("{year}-12-31")).await, year % 2, "{year}");
    }
}
