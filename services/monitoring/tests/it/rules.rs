//! Rule sets and holidays.

use tongxin_proto::monitoring::v1::{self, Risk};
use tonic::Code;

use crate::{
    made::{household, observation, record, rule, rule_set, store},
    support::{COUNTY, OTHER_COUNTY, PROVINCE, TOWN, TestApp, VILLAGE, date, new_request_id, told},
};

#[tokio::test]
async fn a_rule_set_is_stored_and_read_as_it_was_stated() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let request = v1::StoreRuleSetRequest { request_id: new_request_id(), rule_set: Some(rule_set(PROVINCE)) };
    let stored = hq.rules.store_rule_set(request.clone()).await.unwrap().into_inner().rule_set.unwrap();
    let again = hq.rules.store_rule_set(request).await.unwrap().into_inner().rule_set.unwrap();
    assert_eq!(stored, again, "the same request is answered alike");
    assert_eq!(stored.stated, Some(rule_set(PROVINCE)));
    let ask = v1::GetRuleSetRequest { rule_set_id: stored.rule_set_id.clone() };
    assert_eq!(hq.rules.get_rule_set(ask).await.unwrap().into_inner().rule_set, Some(stored.clone()));
    let events = app.events::<v1::RuleSetStored>().await;
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0].rule_set_id, events[0].region_code.as_str()), (&stored.rule_set_id, PROVINCE));
}

#[tokio::test]
async fn a_rule_set_that_is_not_sound_is_refused_with_its_field_and_nothing_is_written() {
    type Spoil = fn(&mut v1::RuleSetDraft);
    let cases: [(&str, &str, Spoil); 19] = [
        ("RULE_FIELD_UNKNOWN", "rule_set.rules[0].expression", |set| set.rules[0].expression = "incom < line".into()),
        ("RULE_FIELD_UNKNOWN", "rule_set.rules[0].message", |set| set.rules[0].message = "{incom}".into()),
        ("RULE_FIELD_UNKNOWN", "rule_set.rules[0].expression", |set| set.rules[0].expression = "sum(wages) > 1".into()),
        ("RULE_TYPE_WRONG", "rule_set.rules[0].expression", |set| set.rules[0].expression = "wages".into()),
        ("RULE_TYPE_WRONG", "rule_set.rules[1].expression", |set| set.rules.push(rule(2, Risk::Water, "wages > true"))),
        ("RULE_TYPE_WRONG", "rule_set.rules[0].message", |set| set.rules[0].message = "{yuan(water_safe)}".into()),
        ("RULE_TYPE_WRONG", "rule_set.categories[0].condition", |set| set.categories[0].condition = "1".into()),
        ("RULE_TYPE_WRONG", "rule_set.removal.condition", |set| set.removal.as_mut().unwrap().condition = "1".into()),
        ("RULE_SYNTAX", "rule_set.rules[0].expression", |set| set.rules[0].expression = "wages > > 1".into()),
        ("RULE_SYNTAX", "rule_set.rules[0].message", |set| set.rules[0].message = "{wages".into()),
        ("RULE_UNBOUNDED", "rule_set.rules[0].expression", |set| {
            set.rules[0].expression = "shocks.all(x, x == 'illness')".into();
        }),
        ("RULE_UNBOUNDED", "rule_set.rules[0].expression", |set| set.rules[0].expression = "(".repeat(2_000)),
        ("RULE_NUMBER_TWICE", "rule_set.rules[1].number", |set| set.rules.push(set.rules[0].clone())),
        ("RULE_SET_INCOMPLETE", "rule_set.lines", |set| set.lines[0].year = 2022),
        ("RULE_SET_INCOMPLETE", "rule_set.lines", |set| set.effective_until = date("2022-01-02")),
        ("RULE_SET_INCOMPLETE", "rule_set.lines[1].year", |set| set.lines.push(set.lines[0])),
        ("RULE_SET_INCOMPLETE", "rule_set.deadlines", |set| set.deadlines[7] = set.deadlines[0]),
        ("RULE_SET_INCOMPLETE", "rule_set.categories[1].code", |set| set.categories.push(set.categories[0].clone())),
        ("DATE_ORDER", "rule_set.effective_until", |set| set.effective_until = date("2021-01-01")),
    ];
    let app = TestApp::start().await;
    let mut hq = app.hq();
    for (reason, field, spoil) in cases {
        let mut draft = rule_set(PROVINCE);
        spoil(&mut draft);
        let refused = store(&mut hq, draft.clone()).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]), "{refused}");
        let simulate =
            v1::SimulateRuleSetRequest { rule_set: Some(draft), region_code: PROVINCE.to_owned(), examples: 0 };
        assert_eq!(told(&hq.rules.simulate_rule_set(simulate).await.unwrap_err()).1, reason);
    }
    for (field, spoil) in [
        ("rule_set.notice_min_days", (|set| set.notice_min_days = 4) as Spoil),
        ("rule_set.removal.min_months", |set| set.removal.as_mut().unwrap().min_months = 5),
        ("rule_set.removal.stable_months", |set| set.removal.as_mut().unwrap().stable_months = 5),
    ] {
        let mut undercutting = rule_set(PROVINCE);
        spoil(&mut undercutting);
        let refused = store(&mut hq, undercutting).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec![field.to_owned()]));
    }
    let mut long = rule_set(PROVINCE);
    long.rules[0].expression = "true || ".repeat(250) + "true";
    assert_eq!(told(&store(&mut hq, long).await.unwrap_err()).2, ["rule_set.rules[0].expression"]);
    assert_eq!((app.count("rule_set").await, app.count("event").await), (0, 0));
}

#[tokio::test]
async fn a_rule_set_covers_its_years_to_the_last() {
    let app = TestApp::start().await;
    let until_new_year = v1::RuleSetDraft { effective_until: date("2022-01-01"), ..rule_set(PROVINCE) };
    store(&mut app.hq(), until_new_year).await.unwrap();
}

#[tokio::test]
async fn rules_are_stored_for_the_own_region_alone() {
    let app = TestApp::start().await;
    let mut county = app.clients("hq", COUNTY);
    store(&mut county, rule_set(COUNTY)).await.unwrap();
    store(&mut county, rule_set(TOWN)).await.unwrap();
    for elsewhere in [OTHER_COUNTY, PROVINCE, "441800000000", "441899000000"] {
        let refused = store(&mut county, rule_set(elsewhere)).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::NotFound, "REGION_NOT_FOUND"), "{elsewhere}");
    }
    for role in ["county", "town", "village", "department", "auditor", "system"] {
        let refused = store(&mut app.clients(role, PROVINCE), rule_set(PROVINCE)).await.unwrap_err();
        assert_eq!(told(&refused).1, "PERMISSION_MISSING", "{role}");
    }
    assert_eq!(app.count("rule_set").await, 2);
}

#[tokio::test]
async fn everybody_reads_the_rules_that_bind_them_and_no_others() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let of_province = store(&mut hq, rule_set(PROVINCE)).await.unwrap();
    let newer = v1::RuleSetDraft {
        effective_from: date("2024-01-01"),
        lines: vec![v1::MonitoringLine { year: 2024, line_fen: 800_000 }],
        ..rule_set(COUNTY)
    };
    let of_county = store(&mut hq, newer).await.unwrap();
    let elsewhere = store(&mut hq, rule_set(OTHER_COUNTY)).await.unwrap();

    let mut village = app.clients("village", VILLAGE);
    let mut list = async |region: &str| {
        let ask = v1::ListRuleSetsRequest { region_code: region.to_owned() };
        village.rules.list_rule_sets(ask).await.map(|answer| answer.into_inner().rule_sets)
    };
    assert_eq!(list("").await.unwrap(), [of_county.clone(), of_province.clone()], "newest first");
    assert_eq!(list(VILLAGE).await.unwrap().len(), 2);
    for region in [OTHER_COUNTY, PROVINCE] {
        assert_eq!(told(&list(region).await.unwrap_err()).1, "REGION_NOT_FOUND");
    }
    let mut get = async |rule_set_id: &str| {
        let ask = v1::GetRuleSetRequest { rule_set_id: rule_set_id.to_owned() };
        village.rules.get_rule_set(ask).await.map(|answer| answer.into_inner().rule_set.unwrap())
    };
    assert_eq!(get(&of_province.rule_set_id).await.unwrap(), of_province);
    assert_eq!(get(&of_county.rule_set_id).await.unwrap(), of_county);
    for id in [&elsewhere.rule_set_id, &new_request_id()] {
        assert_eq!(told(&get(id).await.unwrap_err()).1, "RULE_SET_NOT_FOUND");
    }
    assert_eq!(
        app.hq().rules.list_rule_sets(v1::ListRuleSetsRequest::default()).await.unwrap().into_inner().rule_sets.len(),
        3
    );
}

#[tokio::test]
async fn rules_do_not_change_what_newer_ones_in_force_have_decided() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let from = |day: &str, year| v1::RuleSetDraft {
        effective_from: date(day),
        lines: vec![v1::MonitoringLine { year, line_fen: 800_000 }],
        ..rule_set(PROVINCE)
    };
    store(&mut hq, from("2024-03-01", 2024)).await.unwrap();
    let refused = store(&mut hq, rule_set(PROVINCE)).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "RULE_SET_IN_USE"));
    store(&mut hq, from("2024-03-01", 2024)).await.unwrap();
    store(&mut hq, from("2026-01-01", 2026)).await.unwrap();
    store(&mut hq, from("2025-01-01", 2025)).await.expect("what comes into force in 2026 is not in force yet");
    let refused = store(&mut hq, rule_set(COUNTY)).await.unwrap_err();
    assert_eq!(told(&refused).1, "RULE_SET_IN_USE", "those of the province were in force there");
    let of_county = v1::RuleSetDraft { region_code: COUNTY.to_owned(), ..from("2025-01-01", 2025) };
    store(&mut hq, of_county).await.expect("a region has its own from then on");
    let refused = store(&mut hq, from("2024-12-31", 2024)).await.unwrap_err();
    assert_eq!(told(&refused).1, "RULE_SET_IN_USE");
}

/// The rule sets that a household of the village is judged by.
async fn judged_by(app: &TestApp) -> Vec<String> {
    let household = household(app, VILLAGE).await;
    let answer = record(&mut app.hq(), observation(&household)).await.unwrap();
    answer.verdicts.into_iter().map(|verdict| verdict.rule_set_id).collect()
}

#[tokio::test]
async fn the_nearest_region_wins_then_the_newest_as_long_as_it_holds() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    assert_eq!(judged_by(&app).await, Vec::<String>::new(), "without rules nothing is flagged");
    let of_province = store(&mut hq, rule_set(PROVINCE)).await.unwrap().rule_set_id;
    store(&mut hq, rule_set(OTHER_COUNTY)).await.unwrap();
    assert_eq!(judged_by(&app).await, std::slice::from_ref(&of_province));

    let soon = v1::RuleSetDraft {
        effective_from: date("2025-07-01"),
        effective_until: date("2025-08-01"),
        lines: vec![v1::MonitoringLine { year: 2025, line_fen: 800_000 }],
        ..rule_set(TOWN)
    };
    let of_town = store(&mut hq, soon).await.unwrap().rule_set_id;
    assert_eq!(judged_by(&app).await, std::slice::from_ref(&of_province), "it does not hold yet");
    for (now, expected) in [
        ("2025-06-30T15:59:59Z", &of_province),
        ("2025-06-30T16:00:00Z", &of_town),
        ("2025-07-31T15:59:59Z", &of_town),
        ("2025-07-31T16:00:00Z", &of_province),
    ] {
        app.world.clock.set(now.parse().unwrap());
        assert_eq!(judged_by(&app).await, std::slice::from_ref(expected), "{now}");
    }
    let newer = store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap().rule_set_id;
    assert_eq!(judged_by(&app).await, [newer], "of two of the same day the one stored last");
}

fn holidays(year: i32, days: &[(&str, bool)]) -> v1::SetHolidaysRequest {
    let holiday =
        |(day, worked): &(&str, bool)| v1::Holiday { day: date(day), worked: *worked, name: "国庆节".to_owned() };
    let holidays = days.iter().map(holiday).collect();
    v1::SetHolidaysRequest { request_id: new_request_id(), year, holidays, region_code: String::new() }
}

#[tokio::test]
async fn the_holidays_of_a_year_take_the_place_of_those_stated_before() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    hq.rules.set_holidays(holidays(2024, &[("2024-12-31", false)])).await.unwrap();
    hq.rules.set_holidays(holidays(2025, &[("2025-10-08", false), ("2025-10-01", false)])).await.unwrap();
    let answer = hq.rules.set_holidays(holidays(2025, &[("2025-10-11", true), ("2025-10-01", false)])).await.unwrap();
    assert_eq!(answer.into_inner().days, 2);

    let mut village = app.clients("village", VILLAGE);
    let mut list = async |year| {
        let request = v1::ListHolidaysRequest { year, region_code: String::new() };
        village.rules.list_holidays(request).await.unwrap().into_inner().holidays
    };
    let stated = list(2025).await;
    assert_eq!(
        stated.iter().map(|one| (one.day, one.worked)).collect::<Vec<_>>(),
        [(date("2025-10-01"), false), (date("2025-10-11"), true),]
    );
    assert_eq!((list(2024).await.len(), list(2026).await.len()), (1, 0));
    assert_eq!(app.events::<v1::HolidaysSet>().await.last().map(|event| (event.year, event.days)), Some((2025, 2)));
}

#[tokio::test]
async fn each_province_states_its_own_holidays() {
    const GUANGXI: &str = "450000000000";
    let app = TestApp::start().await;
    let (mut guangxi, mut guangdong) = (app.clients("hq", GUANGXI), app.hq());
    guangxi.rules.set_holidays(holidays(2099, &[("2099-04-03", false)])).await.unwrap();
    guangdong.rules.set_holidays(holidays(2099, &[("2099-10-01", false), ("2099-10-02", false)])).await.unwrap();
    guangxi.rules.set_holidays(holidays(2099, &[("2099-04-06", false)])).await.unwrap();
    for (mut caller, named, province, days) in [
        (app.clients("village", VILLAGE), "", PROVINCE, vec!["2099-10-01", "2099-10-02"]),
        (app.clients("village", VILLAGE), COUNTY, PROVINCE, vec!["2099-10-01", "2099-10-02"]),
        (app.clients("hq", GUANGXI), GUANGXI, GUANGXI, vec!["2099-04-06"]),
    ] {
        let request = v1::ListHolidaysRequest { year: 2099, region_code: named.to_owned() };
        let listed = caller.rules.list_holidays(request).await.unwrap().into_inner();
        let stated: Vec<_> = listed.holidays.iter().map(|one| one.day).collect();
        assert_eq!((listed.region_code.as_str(), stated), (province, days.into_iter().map(date).collect()));
    }
    let theirs = v1::ListHolidaysRequest { year: 2099, region_code: GUANGXI.to_owned() };
    assert_eq!(told(&guangdong.rules.list_holidays(theirs).await.unwrap_err()).1, "REGION_NOT_FOUND");
    for (region, reason) in [(GUANGXI, "REGION_NOT_FOUND"), ("440100000000", "REGION_LEVEL_WRONG")] {
        let request = v1::SetHolidaysRequest { region_code: region.to_owned(), ..holidays(2099, &[]) };
        assert_eq!(told(&guangdong.rules.set_holidays(request).await.unwrap_err()).1, reason, "{region}");
    }
    let told_of: Vec<_> = app.events::<v1::HolidaysSet>().await.into_iter().map(|event| event.region_code).collect();
    assert_eq!(told_of, [GUANGXI, PROVINCE, GUANGXI]);
}

#[tokio::test]
async fn holidays_are_days_of_the_year_each_once_and_not_everybodys_to_state() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    for (days, reason) in [
        (&[("2025-10-01", false), ("2026-01-01", false)][..], "HOLIDAY_YEAR_WRONG"),
        (&[("2025-10-01", false), ("2025-10-01", true)], "HOLIDAY_TWICE"),
    ] {
        let refused = hq.rules.set_holidays(holidays(2025, days)).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::InvalidArgument, reason));
    }
    let refused = app.clients("county", COUNTY).rules.set_holidays(holidays(2025, &[])).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
    for part in ["441800000000", COUNTY] {
        let refused = app.clients("hq", part).rules.set_holidays(holidays(2025, &[])).await.unwrap_err();
        assert_eq!(
            (refused.code(), told(&refused).1.as_str()),
            (Code::PermissionDenied, "HOLIDAYS_ELSEWHERE"),
            "{part}"
        );
    }
    assert_eq!(app.count("holiday").await, 0);
}
