//! Screening, simulation, and verdicts that can be given once more.

use chrono::{Days, NaiveDate};
use tongxin_platform::testing::eventually;
use tongxin_proto::monitoring::v1::{self, HousingGrade, Relation, Risk, ScreeningCount};
use tonic::{Code, Status};

use crate::{
    drafts::{self, id_number, member},
    made::{household, observation, record, rule, rule_set, store},
    support::{
        COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, day,
        new_request_id, now, told,
    },
};

/// A household with so much income a head in fen, recorded before there are rules.
async fn earning(app: &TestApp, village: &str, per_capita_fen: i64) -> String {
    let id = household(app, village).await;
    let stated = v1::ObservationDraft { wages_fen: 4 * per_capita_fen, ..observation(&id) };
    assert_eq!(record(&mut app.hq(), stated).await.unwrap().verdicts, [], "nobody is flagged while there are no rules");
    id
}

async fn screen(clients: &mut Clients, region: &str) -> Result<ScreeningCount, Status> {
    let request = v1::ScreenHouseholdsRequest { request_id: new_request_id(), region_code: region.to_owned() };
    let mut answers = clients.rules.screen_households(request).await?.into_inner();
    loop {
        let answer = answers.message().await?.expect("the last answer says that it is the last");
        if answer.done {
            assert_eq!(answers.message().await?, None);
            return Ok(answer.count.unwrap());
        }
    }
}

async fn simulate(
    clients: &mut Clients,
    rule_set: v1::RuleSetDraft,
    region: &str,
    examples: i32,
) -> Result<v1::SimulateRuleSetResponse, Status> {
    let request = v1::SimulateRuleSetRequest { rule_set: Some(rule_set), region_code: region.to_owned(), examples };
    let mut answers = clients.rules.simulate_rule_set(request).await?.into_inner();
    loop {
        let answer = answers.message().await?.expect("the last answer says that it is the last");
        if answer.done {
            return Ok(answer);
        }
    }
}

fn counted(count: &ScreeningCount) -> (i64, i64, i64) {
    (count.households, count.flagged, count.signals)
}

async fn verdicts(clients: &mut Clients, household_id: &str) -> Vec<v1::Verdict> {
    let ask = v1::ListVerdictsRequest { household_id: household_id.to_owned() };
    clients.rules.list_verdicts(ask).await.unwrap().into_inner().verdicts
}

#[tokio::test]
async fn a_screening_makes_hits_signals_and_finds_nothing_new_afterwards() {
    let app = TestApp::start().await;
    let poor = earning(&app, VILLAGE, 600_000).await;
    earning(&app, OTHER_VILLAGE, 800_000).await;
    household(&app, VILLAGE).await;
    let mut draft = rule_set(PROVINCE);
    draft.rules.push(rule(2, Risk::LackOfLabour, "labourers == 2"));
    store(&mut app.hq(), draft).await.unwrap();

    let mut town = app.clients("town", TOWN);
    let count = screen(&mut town, TOWN).await.unwrap();
    assert_eq!(counted(&count), (2, 2, 3), "a household without an observation is not screened");
    assert_eq!(count.hits, [(1, 1), (2, 2)].into());
    assert_eq!((app.count("verdict").await, app.count("signal").await), (3, 3));
    let found = verdicts(&mut town, &poor).await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().any(|verdict| verdict.message == "人均纯收入 6000.00 元" && verdict.rule_number == 1));

    assert_eq!(counted(&screen(&mut town, TOWN).await.unwrap()), (2, 2, 0));
    sqlx::query("UPDATE signal SET state = 'refuted', decided_on = '2025-06-30'").execute(&app.owner).await.unwrap();
    app.world.clock.set("2025-07-20T04:00:00Z".parse().unwrap());
    let mut town = app.clients("town", TOWN);
    assert_eq!(counted(&screen(&mut town, TOWN).await.unwrap()), (2, 2, 0), "what was refuted is not asked again");
    assert_eq!((app.count("verdict").await, app.count("signal").await), (3, 3));

    let worse = v1::ObservationDraft { window_ends_on: date("2025-06-30"), wages_fen: 1, ..observation(&poor) };
    record(&mut app.hq(), worse).await.unwrap();
    assert_eq!(app.count("signal").await, 5, "a new window is a new fact");
}

#[tokio::test]
async fn a_screening_stays_within_the_region_that_it_is_asked_for() {
    let app = TestApp::start().await;
    let here = earning(&app, VILLAGE, 1).await;
    earning(&app, OTHER_VILLAGE, 1).await;
    earning(&app, VILLAGE_ELSEWHERE, 1).await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    let mut county = app.clients("county", COUNTY);
    assert_eq!(counted(&screen(&mut county, VILLAGE).await.unwrap()), (1, 1, 1));
    assert_eq!(verdicts(&mut county, &here).await.len(), 1);
    assert_eq!(counted(&screen(&mut county, COUNTY).await.unwrap()), (2, 2, 1));
    for elsewhere in [OTHER_COUNTY, PROVINCE, "441899000000"] {
        assert_eq!(told(&screen(&mut county, elsewhere).await.unwrap_err()).1, "REGION_NOT_FOUND");
        let refused = simulate(&mut county, rule_set(COUNTY), elsewhere, 0).await.unwrap_err();
        assert_eq!(told(&refused).1, "REGION_NOT_FOUND");
    }
    assert_eq!(counted(&screen(&mut app.hq(), PROVINCE).await.unwrap()), (3, 3, 1));
    let refused = screen(&mut app.clients("village", VILLAGE), VILLAGE).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
}

#[tokio::test]
async fn what_was_observed_long_ago_is_history_for_a_screening_and_a_simulation() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    for window in ["2024-06-30", "2024-07-31"] {
        let id = household(&app, VILLAGE).await;
        let stated = v1::ObservationDraft { window_ends_on: date(window), wages_fen: 4, ..observation(&id) };
        record(&mut hq, stated).await.unwrap();
    }
    store(&mut hq, rule_set(PROVINCE)).await.unwrap();
    let simulated = simulate(&mut hq, rule_set(PROVINCE), PROVINCE, 0).await.unwrap();
    assert_eq!(counted(&simulated.count.unwrap()), (1, 1, 0));
    assert_eq!(counted(&screen(&mut hq, PROVINCE).await.unwrap()), (1, 1, 1));
}

#[tokio::test]
async fn each_household_is_screened_by_the_rules_of_its_nearest_region() {
    let app = TestApp::start().await;
    earning(&app, VILLAGE, 1).await;
    earning(&app, VILLAGE_ELSEWHERE, 1).await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    let of_county = v1::RuleSetDraft { rules: vec![rule(7, Risk::Other, "true")], ..rule_set(COUNTY) };
    store(&mut app.hq(), of_county).await.unwrap();
    let count = screen(&mut app.hq(), PROVINCE).await.unwrap();
    assert_eq!(count.hits, [(1, 1), (7, 1)].into());
    assert_eq!(screen(&mut app.clients("town", TOWN), TOWN).await.unwrap().hits, [(7, 1)].into());
}

#[tokio::test]
async fn without_rules_there_is_no_screening() {
    let app = TestApp::start().await;
    earning(&app, VILLAGE, 1).await;
    let elsewhere = earning(&app, VILLAGE_ELSEWHERE, 1).await;
    let refused = screen(&mut app.hq(), PROVINCE).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "RULE_SET_MISSING"));
    store(&mut app.hq(), rule_set(COUNTY)).await.unwrap();
    screen(&mut app.hq(), COUNTY).await.unwrap();
    let refused = screen(&mut app.hq(), PROVINCE).await.unwrap_err();
    assert_eq!(told(&refused).1, "RULE_SET_MISSING");
    assert!(refused.message().contains(VILLAGE_ELSEWHERE), "nobody is left out unseen: {refused}");
    assert_eq!(verdicts(&mut app.hq(), &elsewhere).await, []);
}

#[tokio::test]
async fn a_rule_without_a_value_is_counted_and_does_not_hit() {
    let app = TestApp::start().await;
    earning(&app, VILLAGE, 1).await;
    let mut draft = rule_set(PROVINCE);
    draft.rules.push(rule(2, Risk::Other, "wages / elderly > 0"));
    draft.rules.push(rule(3, Risk::Other, "wages * 9000000000000000000 > 0"));
    store(&mut app.hq(), draft).await.unwrap();
    let count = screen(&mut app.hq(), PROVINCE).await.unwrap();
    assert_eq!((count.hits, count.faults), ([(1, 1)].into(), 2));
}

#[tokio::test]
async fn several_screenings_at_once_flag_a_household_once() {
    let app = TestApp::start().await;
    for _ in 0..20 {
        earning(&app, VILLAGE, 1).await;
    }
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    let screenings = (0..6).map(|_| {
        let mut hq = app.hq();
        async move { screen(&mut hq, PROVINCE).await.unwrap().signals }
    });
    let signals: i64 = futures::future::join_all(screenings).await.into_iter().sum();
    assert_eq!((signals, app.count("signal").await, app.count("verdict").await), (20, 20, 20));
}

#[tokio::test]
async fn a_merged_household_is_left_alone() {
    let app = TestApp::start().await;
    let (kept, merged) = (earning(&app, VILLAGE, 1).await, earning(&app, VILLAGE, 1).await);
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    sqlx::query("UPDATE household SET merged_into = $1::uuid WHERE household_id = $2::uuid")
        .bind(&kept)
        .bind(&merged)
        .execute(&app.owner)
        .await
        .unwrap();
    assert_eq!(screen(&mut app.hq(), PROVINCE).await.unwrap().signals, 1);
    assert_eq!(verdicts(&mut app.hq(), &merged).await, []);
}

#[tokio::test]
async fn a_simulation_says_whom_other_rules_would_flag_and_writes_nothing() {
    let app = TestApp::start().await;
    let poor = earning(&app, VILLAGE, 600_000).await;
    let middling = earning(&app, VILLAGE, 750_000).await;
    earning(&app, OTHER_VILLAGE, 900_000).await;
    let unsafe_home = household(&app, VILLAGE).await;
    let stated = v1::ObservationDraft {
        wages_fen: 4_000_000,
        housing_grade: HousingGrade::D.into(),
        ..observation(&unsafe_home)
    };
    record(&mut app.hq(), stated).await.unwrap();
    let mut in_force = rule_set(PROVINCE);
    in_force.rules.push(rule(2, Risk::Housing, "housing_grade == 'D'"));
    store(&mut app.hq(), in_force).await.unwrap();
    let aging = drafts::household(VILLAGE, vec![member("张三丰", id_number("19650702", 1), Relation::Head)]);
    let aging = app.hq().register(aging).await.unwrap().household_id;
    record(&mut app.hq(), observation(&aging)).await.unwrap();
    // The head has become 60, which no profile says.
    app.world.clock.set(now() + Days::new(2));
    // Their numbers come later than the events themselves.
    let unnumbered = "(SELECT FROM event WHERE seq IS NULL) AS unnumbered";
    eventually("all events are numbered", || async { app.count(unnumbered).await == 0 }).await;
    let tables = ["rule_set", "verdict", "signal", "signal_source", "event", "request", "profile"];
    let mut before = Vec::new();
    for table in tables {
        before.push(all_of(&app, table).await);
    }

    let mut what_if = rule_set(COUNTY);
    what_if.lines[0].line_fen = 800_000;
    what_if.rules.push(rule(2, Risk::Other, "elderly == 1"));
    let mut county = app.clients("county", COUNTY);
    let result = simulate(&mut county, what_if.clone(), COUNTY, 10).await.unwrap();
    assert_eq!(counted(result.count.as_ref().unwrap()), (5, 3, 0));
    assert_eq!((result.newly_flagged, result.no_longer_flagged), (2, 1));
    let mut flagged: Vec<_> = result.examples.iter().map(|one| one.household_id.clone()).collect();
    flagged.sort();
    let mut expected = vec![poor, middling.clone(), aging];
    expected.sort();
    assert_eq!(flagged, expected);
    let example = result.examples.iter().find(|one| one.household_id == middling).unwrap();
    assert_eq!(example.message, "人均纯收入 7500.00 元");
    assert_eq!((example.inputs["line"].as_str(), example.hit), ("800000", true));
    assert_eq!((example.verdict_id.as_str(), example.rule_set_id.as_str()), ("", ""));

    assert_eq!(simulate(&mut county, what_if.clone(), COUNTY, 1).await.unwrap().examples.len(), 1);
    assert_eq!(simulate(&mut county, what_if, COUNTY, 0).await.unwrap().examples, []);
    for (table, rows) in tables.into_iter().zip(before) {
        assert_eq!(all_of(&app, table).await, rows, "{table}");
    }
}

/// All that a table holds, as one text.
async fn all_of(app: &TestApp, table: &str) -> String {
    let query = format!("SELECT coalesce(string_agg(one::text, '|' ORDER BY one::text), '') FROM {table} AS one");
    sqlx::query_scalar(sqlx::AssertSqlSafe(query)).fetch_one(&app.owner).await.unwrap()
}

async fn replay(clients: &mut Clients, verdict_id: &str) -> Result<v1::ReplayVerdictResponse, Status> {
    let ask = v1::ReplayVerdictRequest { verdict_id: verdict_id.to_owned() };
    clients.rules.replay_verdict(ask).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_verdict_is_the_same_years_later() {
    let app = TestApp::start().await;
    let id = earning(&app, VILLAGE, 600_000).await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    screen(&mut app.hq(), PROVINCE).await.unwrap();
    let given = verdicts(&mut app.hq(), &id).await.remove(0);

    let newer = v1::RuleSetDraft {
        effective_from: date("2025-06-30"),
        lines: vec![v1::MonitoringLine { year: 2025, line_fen: 1 }],
        rules: vec![rule(1, Risk::Water, "!water_safe")],
        ..rule_set(PROVINCE)
    };
    store(&mut app.hq(), newer).await.unwrap();
    record(&mut app.hq(), v1::ObservationDraft { wages_fen: 9_000_000, ..observation(&id) }).await.unwrap();
    app.world.clock.set("2031-03-01T04:00:00Z".parse().unwrap());
    let replayed = replay(&mut app.hq(), &given.verdict_id).await.unwrap();
    assert!(replayed.same);
    assert_eq!((replayed.given.as_ref(), replayed.replayed.as_ref()), (Some(&given), Some(&given)));
}

#[tokio::test]
async fn a_verdict_whose_inputs_or_text_were_tampered_with_is_not_the_same() {
    let app = TestApp::start().await;
    let id = earning(&app, VILLAGE, 600_000).await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    screen(&mut app.hq(), PROVINCE).await.unwrap();
    let given = verdicts(&mut app.hq(), &id).await.remove(0);
    for (set, hits) in [
        (r#"inputs = inputs || '{"per_capita_net_income": "700000"}'"#, false),
        (r#"inputs = inputs || '{"per_capita_net_income": "599999"}'"#, true),
        (r#"inputs = inputs || '{"per_capita_net_income": "much"}'"#, false),
        ("inputs = inputs - 'line'", false),
        ("message = message || '!'", true),
        ("rule_number = 99", false),
    ] {
        let mut conn = app.owner.begin().await.unwrap();
        let statement = format!("UPDATE verdict SET {set}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *conn).await.unwrap();
        conn.commit().await.unwrap();
        let replayed = replay(&mut app.hq(), &given.verdict_id).await.unwrap();
        assert_eq!((replayed.same, replayed.replayed.unwrap().hit), (false, hits), "{set}");
        let back = "UPDATE verdict SET rule_number = 1, message = $1, inputs = $2::jsonb";
        let inputs = r#"{"per_capita_net_income": "600000", "line": "700000"}"#;
        sqlx::query(back).bind(&given.message).bind(inputs).execute(&app.owner).await.unwrap();
        assert!(replay(&mut app.hq(), &given.verdict_id).await.unwrap().same);
    }
}

#[tokio::test]
async fn verdicts_elsewhere_do_not_exist() {
    let app = TestApp::start().await;
    let id = earning(&app, VILLAGE_ELSEWHERE, 1).await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    screen(&mut app.hq(), PROVINCE).await.unwrap();
    let given = verdicts(&mut app.hq(), &id).await.remove(0);
    let mut county = app.clients("county", COUNTY);
    for verdict_id in [&given.verdict_id, &new_request_id()] {
        assert_eq!(told(&replay(&mut county, verdict_id).await.unwrap_err()).1, "VERDICT_NOT_FOUND");
    }
    let ask = v1::ListVerdictsRequest { household_id: id };
    assert_eq!(told(&county.rules.list_verdicts(ask).await.unwrap_err()).1, "HOUSEHOLD_NOT_FOUND");
}

#[tokio::test]
async fn birthdays_count_without_being_stated() {
    let app = TestApp::start().await;
    let mut draft = rule_set(PROVINCE);
    draft.rules = vec![rule(1, Risk::Other, "elderly == 1")];
    store(&mut app.hq(), draft).await.unwrap();
    // The head becomes 60 on 2 July.
    let members = vec![
        member("张三丰", id_number("19650702", 1), Relation::Head),
        member("王小花", id_number("19700202", 2), Relation::Spouse),
    ];
    let id = app.hq().register(drafts::household(VILLAGE, members)).await.unwrap().household_id;
    assert_eq!(record(&mut app.hq(), observation(&id)).await.unwrap().verdicts, []);
    app.world.clock.set(now() + Days::new(1));
    assert_eq!(counted(&screen(&mut app.hq(), PROVINCE).await.unwrap()), (1, 0, 0));
    app.world.clock.set(now() + Days::new(2));
    assert_eq!(counted(&screen(&mut app.hq(), PROVINCE).await.unwrap()), (1, 1, 1));
    let rises_on: Option<NaiveDate> =
        sqlx::query_scalar("SELECT elderly_rises_on FROM profile").fetch_one(&app.owner).await.unwrap();
    assert_eq!(rises_on, Some(day("2030-02-02")), "the next one to be");
    // Years later an observation counts anew by itself.
    app.world.clock.set(now() + Days::new(5 * 366));
    record(&mut app.hq(), observation(&id)).await.unwrap();
    let elderly: i16 = sqlx::query_scalar("SELECT elderly FROM profile").fetch_one(&app.owner).await.unwrap();
    assert_eq!(elderly, 2);
}

#[tokio::test]
async fn a_sweep_of_villages_of_which_some_have_no_rules_writes_nothing() {
    let app = TestApp::start().await;
    for village in [VILLAGE, VILLAGE_ELSEWHERE] {
        earning(&app, village, 1).await;
    }
    store(&mut app.hq(), rule_set(COUNTY)).await.unwrap();
    let refused = screen(&mut app.hq(), PROVINCE).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "RULE_SET_MISSING"));
    assert!(refused.message().contains(VILLAGE_ELSEWHERE), "{}", refused.message());
    assert_eq!((app.count("verdict").await, app.count("signal").await), (0, 0));
    assert_eq!(counted(&screen(&mut app.hq(), COUNTY).await.unwrap()), (1, 1, 1));
}
