//! What households earned and lack.

use futures::stream;
use tongxin_proto::{
    batch::v1::{ImportOptions, ImportStatus, RowError},
    monitoring::v1::{
        self, Disaster, HousingGrade, ImportObservationsRequest, ObservationRows, Risk,
        import_observations_request::Part,
    },
};
use tonic::{Code, Status};

use crate::{
    made::{household, household_with_number, observation, record, rule, rule_set, store},
    support::{COUNTY, Clients, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, new_request_id, told},
};

async fn list(app: &TestApp, household_id: &str) -> Vec<v1::Observation> {
    let ask = v1::ListObservationsRequest { household_id: household_id.to_owned() };
    app.hq().observations.list_observations(ask).await.unwrap().into_inner().observations
}

#[tokio::test]
async fn income_is_computed_once_and_kept_with_what_was_stated() {
    let app = TestApp::start().await;
    let id = household(&app, VILLAGE).await;
    let shock = |cause: Risk, disaster: Disaster, loss_fen| v1::Shock {
        cause: cause.into(),
        disaster: disaster.into(),
        loss_fen,
    };
    let stated = v1::ObservationDraft {
        business_fen: 300_000,
        property_fen: 20_000,
        transfer_fen: 3_000,
        business_expense_fen: 100_001,
        out_of_pocket_fen: 7,
        insurance_received_fen: 8,
        housing_grade: HousingGrade::C.into(),
        water_safe: false,
        shocks: vec![shock(Risk::NaturalDisaster, Disaster::Flood, 50), shock(Risk::Illness, Disaster::Unspecified, 0)],
        ..observation(&id)
    };
    let answer = record(&mut app.clients("village", VILLAGE), stated.clone()).await.unwrap();
    let recorded = answer.observation.unwrap();
    assert_eq!(
        (recorded.net_income_fen, recorded.persons, recorded.per_capita_net_income_fen),
        (1_222_999, 4, 305_749)
    );
    assert_eq!((recorded.version, recorded.stated.as_ref()), (1, Some(&stated)));

    let newer = v1::ObservationDraft { window_ends_on: date("2025-06-30"), wages_fen: 0, ..observation(&id) };
    record(&mut app.hq(), newer).await.unwrap();
    let listed = list(&app, &id).await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].stated.as_ref().unwrap().window_ends_on, date("2025-06-30"));
    assert_eq!(listed[1], recorded);
    assert_eq!(app.events::<v1::ObservationRecorded>().await.len(), 2);
}

#[tokio::test]
async fn a_correction_is_the_next_version_of_the_same_window() {
    let app = TestApp::start().await;
    let id = household(&app, VILLAGE).await;
    record(&mut app.hq(), observation(&id)).await.unwrap();
    let corrected = v1::ObservationDraft { wages_fen: 2_000_000, ..observation(&id) };
    let request = v1::RecordObservationRequest { request_id: new_request_id(), observation: Some(corrected) };
    let mut hq = app.hq();
    let first = hq.observations.record_observation(request.clone()).await.unwrap().into_inner();
    let again = hq.observations.record_observation(request).await.unwrap().into_inner();
    assert_eq!(first, again, "the same request is answered alike");
    let listed = list(&app, &id).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].version, listed[0].per_capita_net_income_fen), (2, 500_000));
    let versions: Vec<_> = app.events::<v1::ObservationRecorded>().await.iter().map(|event| event.version).collect();
    assert_eq!(versions, [1, 2]);
}

#[tokio::test]
async fn a_household_is_named_by_its_national_number_too() {
    let app = TestApp::start().await;
    let id = household_with_number(&app, VILLAGE, "4418230001").await;
    let stated = v1::ObservationDraft { household_number: "4418230001".to_owned(), ..observation("") };
    let recorded = record(&mut app.hq(), stated).await.unwrap().observation.unwrap();
    assert_eq!(recorded.stated.unwrap().household_id, id);
    let unknown = v1::ObservationDraft { household_number: "4418230002".to_owned(), ..observation("") };
    let expected = (Code::NotFound, "HOUSEHOLD_NOT_FOUND".to_owned(), vec!["observation.household_number".to_owned()]);
    assert_eq!(told(&record(&mut app.hq(), unknown).await.unwrap_err()), expected);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nothing_is_written() {
    let app = TestApp::start().await;
    let id = household(&app, VILLAGE).await;
    let shock = |loss_fen| v1::Shock { cause: Risk::Illness.into(), disaster: 0, loss_fen };
    let flooded = v1::Shock { cause: Risk::Illness.into(), disaster: Disaster::Flood.into(), loss_fen: 1 };
    let unkind = v1::Shock { cause: Risk::NaturalDisaster.into(), disaster: 0, loss_fen: 1 };
    let lost = v1::Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: -1 };
    let on = |day: &str| v1::ObservationDraft { window_ends_on: date(day), ..observation(&id) };
    let cases = [
        (on("2025-07-31"), "DATE_IN_FUTURE", "observation.window_ends_on"),
        (on("2025-05-30"), "WINDOW_END_WRONG", "observation.window_ends_on"),
        (
            v1::ObservationDraft { shocks: vec![shock(1), shock(2)], ..observation(&id) },
            "SHOCK_TWICE",
            "observation.shocks",
        ),
        (
            v1::ObservationDraft { shocks: vec![flooded], ..observation(&id) },
            "INVALID_FIELDS",
            "observation.shocks[0].disaster",
        ),
        (v1::ObservationDraft { wages_fen: -1, ..observation(&id) }, "AMOUNT_NEGATIVE", "observation.wages_fen"),
        (
            v1::ObservationDraft { shocks: vec![shock(1), unkind], ..observation(&id) },
            "INVALID_FIELDS",
            "observation.shocks[1].disaster",
        ),
        (
            v1::ObservationDraft { shocks: vec![shock(1), lost], ..observation(&id) },
            "AMOUNT_NEGATIVE",
            "observation.shocks[1].loss_fen",
        ),
        (v1::ObservationDraft { housing_grade: 0, ..observation(&id) }, "INVALID_FIELDS", "observation.housing_grade"),
        (
            v1::ObservationDraft { window_ends_on: None, ..observation(&id) },
            "INVALID_FIELDS",
            "observation.window_ends_on",
        ),
        (observation(""), "INVALID_FIELDS", "observation.household_id"),
    ];
    for (stated, reason, field) in cases {
        let refused = record(&mut app.hq(), stated).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]), "{refused}");
    }
    assert_eq!((app.count("observation").await, app.count("event").await), (0, 0));
}

#[tokio::test]
async fn old_windows_need_the_permission_to_load_history() {
    let app = TestApp::start().await;
    let id = household(&app, VILLAGE).await;
    let old = v1::ObservationDraft { window_ends_on: date("2024-05-31"), ..observation(&id) };
    let refused = record(&mut app.clients("village", VILLAGE), old.clone()).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::PermissionDenied, "HISTORY_NOT_ALLOWED"));
    record(&mut app.hq(), old).await.unwrap();
}

#[tokio::test]
async fn a_household_elsewhere_does_not_exist_and_a_merged_one_names_the_other() {
    let app = TestApp::start().await;
    let (kept, merged) = (household(&app, VILLAGE).await, household(&app, VILLAGE).await);
    let elsewhere = household(&app, VILLAGE_ELSEWHERE).await;
    let reason = |status: Status| told(&status).1;
    let mut county = app.clients("county", COUNTY);
    for id in [&elsewhere, &new_request_id()] {
        assert_eq!(reason(record(&mut county, observation(id)).await.unwrap_err()), "HOUSEHOLD_NOT_FOUND");
        let ask = v1::ListObservationsRequest { household_id: id.clone() };
        assert_eq!(reason(county.observations.list_observations(ask).await.unwrap_err()), "HOUSEHOLD_NOT_FOUND");
    }
    sqlx::query("UPDATE household SET merged_into = $1::uuid WHERE household_id = $2::uuid")
        .bind(&kept)
        .bind(&merged)
        .execute(&app.owner)
        .await
        .unwrap();
    let refused = record(&mut county, observation(&merged)).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "HOUSEHOLD_MERGED"));
    assert!(refused.message().contains(&kept));
}

#[tokio::test]
async fn an_observation_is_screened_at_once() {
    let app = TestApp::start().await;
    let mut draft = rule_set(PROVINCE);
    draft.rules.push(rule(
        2,
        Risk::Other,
        "has_previous && 10 * per_capita_net_income < 8 * previous_per_capita_net_income",
    ));
    draft.rules.push(rule(3, Risk::Housing, "housing_grade in ['C', 'D'] || loss > 0"));
    let rule_set_id = store(&mut app.hq(), draft).await.unwrap().rule_set_id;
    let id = household(&app, VILLAGE).await;
    let mut village = app.clients("village", VILLAGE);

    let rich = v1::ObservationDraft { window_ends_on: date("2024-06-30"), wages_fen: 4_000_000, ..observation(&id) };
    assert_eq!(record(&mut village, rich).await.unwrap().verdicts, []);
    let poor = v1::ObservationDraft { window_ends_on: date("2025-06-30"), ..observation(&id) };
    let found = record(&mut village, poor.clone()).await.unwrap().verdicts;
    assert_eq!(found.iter().map(|one| one.rule_number).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((found[0].message.as_str(), found[0].hit), ("人均纯收入 2500.00 元", true));
    assert_eq!((&found[0].rule_set_id, found[0].screened_on), (&rule_set_id, date("2025-06-30")));
    let inputs: Vec<_> =
        [("per_capita_net_income", "250000"), ("line", "700000")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    assert_eq!(found[0].inputs, inputs.into_iter().collect(), "only what the rule asks about is kept");
    assert_eq!(found[1].inputs["previous_per_capita_net_income"], "1000000");
    assert_eq!((app.count("verdict").await, app.count("signal").await), (2, 1), "two rules of a cause are one signal");

    assert_eq!(record(&mut village, poor.clone()).await.unwrap().verdicts, found, "the same facts are flagged once");
    assert_eq!((app.count("verdict").await, app.count("signal").await, app.count("signal_source").await), (2, 1, 2));

    let ruined = v1::ObservationDraft {
        shocks: vec![v1::Shock { cause: Risk::Accident.into(), disaster: 0, loss_fen: 1 }],
        ..poor.clone()
    };
    let found = record(&mut village, ruined).await.unwrap().verdicts;
    assert_eq!(found.iter().map(|one| one.rule_number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((app.count("verdict").await, app.count("signal").await), (3, 2));

    sqlx::query("UPDATE signal SET state = 'refuted', decided_on = '2025-06-30'").execute(&app.owner).await.unwrap();
    record(&mut village, poor.clone()).await.unwrap();
    assert_eq!((app.count("verdict").await, app.count("signal").await), (5, 3), "who states it anew is heard anew");
    sqlx::query("UPDATE signal SET state = 'refuted', decided_on = '2025-06-30'").execute(&app.owner).await.unwrap();
    let known = record(&mut village, poor.clone()).await.unwrap().verdicts;
    assert_eq!(known.iter().map(|one| one.rule_number).collect::<Vec<_>>(), [1, 2]);
    let older = v1::ObservationDraft { window_ends_on: date("2025-05-31"), wages_fen: 1, ..poor };
    assert_eq!(record(&mut village, older).await.unwrap().verdicts, []);
    let nothing_new = "neither the same once more nor an older window is anything new";
    assert_eq!((app.count("verdict").await, app.count("signal").await), (5, 3), "{nothing_new}");
}

#[tokio::test]
async fn a_window_a_year_before_is_found_across_the_end_of_february() {
    let app = TestApp::start().await;
    let mut draft = rule_set(PROVINCE);
    draft.rules = vec![rule(1, Risk::Other, "has_previous && previous_per_capita_net_income == 1000000")];
    store(&mut app.hq(), draft).await.unwrap();
    let on = |id: &str, day: &str, wages_fen| v1::ObservationDraft {
        window_ends_on: date(day),
        wages_fen,
        ..observation(id)
    };
    for (before, after) in [("2023-02-28", "2024-02-29"), ("2024-02-29", "2025-02-28"), ("2024-05-31", "2025-05-31")] {
        app.world.clock.set(format!("{after}T12:00:00Z").parse().unwrap());
        let id = household(&app, VILLAGE).await;
        let mut hq = app.hq();
        record(&mut hq, on(&id, after, 1_000_000)).await.unwrap();
        record(&mut hq, on(&id, before, 4_000_000)).await.unwrap();
        let verdicts = record(&mut hq, on(&id, after, 1_000_001)).await.unwrap().verdicts;
        assert_eq!(verdicts.len(), 1, "{before} is entered after {after}");
    }
    let id = household(&app, VILLAGE).await;
    record(&mut app.hq(), on(&id, "2024-04-30", 4_000_000)).await.unwrap();
    assert_eq!(record(&mut app.hq(), on(&id, "2025-05-31", 0)).await.unwrap().verdicts, []);
}

/// Sends messages of rows under an import, and returns the last answer.
async fn import(
    clients: &mut Clients,
    (import_id, dry_run): (&str, bool),
    messages: Vec<(i64, Vec<v1::ObservationDraft>)>,
) -> Result<ImportStatus, Status> {
    let options = Part::Options(ImportOptions { import_id: import_id.to_owned(), dry_run });
    let rows = messages.into_iter().map(|(first_row, rows)| Part::Rows(ObservationRows { first_row, rows }));
    let requests: Vec<_> =
        [options].into_iter().chain(rows).map(|part| ImportObservationsRequest { part: Some(part) }).collect();
    let mut answers = clients.observations.import_observations(stream::iter(requests)).await?.into_inner();
    let mut last = None;
    while let Some(answer) = answers.message().await? {
        last = answer.status;
    }
    Ok(last.expect("an import is answered"))
}

#[tokio::test]
async fn an_import_says_of_each_row_what_recording_it_would() {
    let app = TestApp::start().await;
    store(&mut app.hq(), rule_set(PROVINCE)).await.unwrap();
    let (first, merged) = (household(&app, VILLAGE).await, household(&app, VILLAGE).await);
    let numbered = household_with_number(&app, VILLAGE, "441823000777").await;
    let elsewhere = household(&app, VILLAGE_ELSEWHERE).await;
    sqlx::query("UPDATE household SET merged_into = $1::uuid WHERE household_id = $2::uuid")
        .bind(&first)
        .bind(&merged)
        .execute(&app.owner)
        .await
        .unwrap();
    let shock = v1::Shock { cause: Risk::Illness.into(), disaster: 0, loss_fen: 1 };
    let on = |day: &str| v1::ObservationDraft { window_ends_on: date(day), ..observation(&first) };
    let rows = vec![
        observation(&first),
        v1::ObservationDraft { household_number: "441823000777".to_owned(), ..observation("") },
        v1::ObservationDraft { household_number: "9".to_owned(), ..observation("") },
        observation(&merged),
        observation(&elsewhere),
        on("2025-07-31"),
        on("2025-05-30"),
        on("2023-05-31"),
        v1::ObservationDraft { shocks: vec![shock, shock], ..on("2025-04-30") },
        v1::ObservationDraft { wages_fen: -1, ..on("2025-03-31") },
        // Of the second row's household, by another name.
        v1::ObservationDraft { wages_fen: 2_000_000, ..observation(&numbered) },
        on("2024-12-31"),
        v1::ObservationDraft { wages_fen: 3_000_000, ..observation(&first) },
    ];
    let mut town = app.clients("town", TOWN);
    let id = new_request_id();
    let dry = import(&mut town, (&new_request_id(), true), vec![(1, rows.clone())]).await.unwrap();
    assert_eq!((app.count("observation").await, app.count("import").await), (0, 0), "a dry run keeps nothing");
    let status = import(&mut town, (&id, false), vec![(1, rows.clone())]).await.unwrap();
    assert_eq!((status.rows_taken, status.accepted, status.refused), (13, 4, 9));
    assert_eq!(dry.errors, status.errors);
    let named = |error: &RowError| (error.row, error.reason.clone(), error.field.clone());
    let expected = [
        (3, "HOUSEHOLD_NOT_FOUND", "household_number"),
        (4, "HOUSEHOLD_MERGED", ""),
        (5, "HOUSEHOLD_NOT_FOUND", "household_id"),
        (6, "DATE_IN_FUTURE", "window_ends_on"),
        (7, "WINDOW_END_WRONG", "window_ends_on"),
        (8, "HISTORY_NOT_ALLOWED", "window_ends_on"),
        (9, "SHOCK_TWICE", "shocks"),
        (10, "AMOUNT_NEGATIVE", "wages_fen"),
        (13, "ROW_TWICE", ""),
    ];
    let expected = expected.map(|(row, reason, field)| (row, reason.to_owned(), field.to_owned()));
    assert_eq!(status.errors.iter().map(named).collect::<Vec<_>>(), expected);
    let known = |listed: Vec<v1::Observation>| -> Vec<(i64, i64)> {
        listed.iter().map(|one| (one.version, one.per_capita_net_income_fen)).collect()
    };
    assert_eq!(known(list(&app, &first).await), [(1, 250_000), (1, 250_000)]);
    assert_eq!(known(list(&app, &numbered).await), [(2, 500_000)], "a later row corrects an earlier one");
    assert_eq!(app.count("verdict").await, 2, "one of each household");

    let events = app.events::<v1::ObservationsImported>().await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].region_code.as_str(), events[0].household_ids.len()), (VILLAGE, 2));
    let again = import(&mut town, (&id, false), vec![(1, rows)]).await.unwrap();
    assert_eq!(
        (again.rows_taken, again.refused, app.events::<v1::ObservationsImported>().await.len()),
        (13, 9, 1),
        "rows are accepted once"
    );
    let gap = import(&mut town, (&id, false), vec![(15, vec![observation(&first)])]).await.unwrap_err();
    assert_eq!(told(&gap).1, "IMPORT_GAP");

    let mut screening = app.hq();
    let request = v1::ScreenHouseholdsRequest { request_id: new_request_id(), region_code: PROVINCE.to_owned() };
    let mut answers = screening.rules.screen_households(request).await.unwrap().into_inner();
    let mut count = None;
    while let Some(answer) = answers.message().await.unwrap() {
        count = answer.count;
    }
    assert_eq!(count.unwrap().households, 2, "what was imported is screened by a screening");
    let refused = import(&mut app.clients("village", VILLAGE), (&id, false), vec![]).await.unwrap_err();
    assert_eq!(told(&refused).1, "PERMISSION_MISSING");
}

#[tokio::test]
async fn a_row_that_says_what_is_kept_of_its_window_changes_nothing() {
    let app = TestApp::start().await;
    let id = household(&app, VILLAGE).await;
    let shock = v1::Shock { cause: Risk::Illness.into(), disaster: 0, loss_fen: 1 };
    let stated = v1::ObservationDraft { shocks: vec![shock], ..observation(&id) };
    let old = v1::ObservationDraft { window_ends_on: date("2020-12-31"), ..stated.clone() };
    let rows = |wages_fen| {
        vec![
            stated.clone(),
            old.clone(),
            v1::ObservationDraft { window_ends_on: date("2025-04-30"), wages_fen, ..stated.clone() },
        ]
    };
    import(&mut app.hq(), (&new_request_id(), false), vec![(1, rows(1))]).await.unwrap();
    let (events, listed) = (app.count("event").await, list(&app, &id).await);

    // A town may not enter the old window, but it enters nothing there.
    for dry_run in [true, false] {
        let again =
            import(&mut app.clients("town", TOWN), (&new_request_id(), dry_run), vec![(1, rows(1))]).await.unwrap();
        assert_eq!((again.accepted, again.unchanged, again.refused), (3, 3, 0));
    }
    assert_eq!((app.count("event").await, list(&app, &id).await), (events, listed));
    let corrected = import(&mut app.hq(), (&new_request_id(), false), vec![(1, rows(2))]).await.unwrap();
    assert_eq!((corrected.accepted, corrected.unchanged, corrected.corrected), (3, 2, 1));
    assert_eq!(list(&app, &id).await[1].version, 2);
    assert_eq!(app.events::<v1::ObservationsImported>().await.len(), 2);
}

#[tokio::test]
async fn an_import_screens_whose_newest_window_is_no_history() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    store(&mut hq, rule_set(PROVINCE)).await.unwrap();
    let (poor, was_poor, rich) =
        (household(&app, VILLAGE).await, household(&app, VILLAGE).await, household(&app, VILLAGE).await);
    let on = |id: &str, day: &str, wages_fen| v1::ObservationDraft {
        window_ends_on: date(day),
        wages_fen,
        ..observation(id)
    };
    let rows = vec![
        on(&poor, "2024-07-31", 1_000_000),
        on(&was_poor, "2024-06-30", 1_000_000),
        on(&rich, "2025-05-31", 4_000_000),
        on(&rich, "2025-04-30", 1_000_000),
    ];
    import(&mut hq, (&new_request_id(), true), vec![(1, rows.clone())]).await.unwrap();
    assert_eq!((app.count("verdict").await, app.count("signal").await), (0, 0), "a dry run raises nothing");
    let id = new_request_id();
    import(&mut hq, (&id, false), vec![(1, rows.clone())]).await.unwrap();
    let flagged = "SELECT household_id::text FROM signal JOIN verdict USING (household_id)";
    let flagged: Vec<String> = sqlx::query_scalar(flagged).fetch_all(&app.owner).await.unwrap();
    assert_eq!(flagged, [poor.as_str()]);
    import(&mut hq, (&id, false), vec![(1, rows.clone())]).await.unwrap();
    assert_eq!((app.count("verdict").await, app.count("signal").await), (1, 1), "what was taken is not screened again");
    sqlx::query("UPDATE signal SET state = 'refuted', decided_on = '2025-06-30'").execute(&app.owner).await.unwrap();
    let older = vec![on(&poor, "2024-06-30", 500_000)];
    for rows in [rows, older] {
        import(&mut hq, (&new_request_id(), false), vec![(1, rows)]).await.unwrap();
        assert_eq!(app.count("signal").await, 1, "nothing new was said of the newest window");
    }
    let said = [
        (on(&poor, "2024-07-31", 900_000), 2, "of the newest window"),
        (on(&poor, "2025-05-31", 900_000), 3, "of a newer one"),
        (on(&poor, "2024-07-31", 800_000), 3, "of one that is not the newest any more"),
    ];
    for (row, signals, of) in said {
        import(&mut hq, (&new_request_id(), false), vec![(1, vec![row])]).await.unwrap();
        assert_eq!(app.count("signal").await, signals, "{of}");
        let refute = "UPDATE signal SET state = 'refuted', decided_on = '2025-06-30'";
        sqlx::query(refute).execute(&app.owner).await.unwrap();
    }
}
