//! Bad input: each is refused with a code, a reason, and the field that is wrong, and nothing is written.

use tongxin_proto::{
    Date,
    pairing::v1::{
        self, ImportRegionsRequest, OrganisationKind::Government, OrganisationKind::School,
        OrganisationSide::Recipient, RegionEdition, RegionRows, import_regions_request::Part,
    },
    register::v1::RegionLevel::Village,
};
use tonic::{Code, Status};

use crate::{
    activities::request as activity,
    support::{
        COUNTY, TOWN, TestApp, VILLAGE, date, draft, new_request_id, party_pairing, party_recipient, party_supporter,
        refused, register, row, told,
    },
};

/// Every row that changes could have written, but for those of the register.
async fn written(app: &TestApp) -> i64 {
    let query = "SELECT (SELECT count(*) FROM organisation) + (SELECT count(*) FROM pairing)
        + (SELECT count(*) FROM activity) + (SELECT count(*) FROM region) + (SELECT count(*) FROM edition)
        + (SELECT count(*) FROM region_import) + (SELECT count(*) FROM event) + (SELECT count(*) FROM request)";
    sqlx::query_scalar(query).fetch_one(&app.owner).await.unwrap()
}

fn invalid(status: &Status, reason: &str, field: &str) {
    refused(status, Code::InvalidArgument, reason, field);
}

/// Sends messages as they are.
async fn import(app: &TestApp, parts: Vec<Option<Part>>) -> Status {
    let requests: Vec<_> = parts.into_iter().map(|part| ImportRegionsRequest { part }).collect();
    let mut client = app.client("operator", crate::support::PROVINCE);
    let mut answers = match client.import_regions(futures::stream::iter(requests)).await {
        Ok(answers) => answers.into_inner(),
        Err(refused) => return refused,
    };
    loop {
        match answers.message().await {
            Ok(Some(answer)) => assert!(answer.result.is_none(), "it was taken"),
            Ok(None) => panic!("it ended without an error"),
            Err(refused) => return refused,
        }
    }
}

fn edition() -> Part {
    edition_of(date("2025-01-01"), "")
}

fn edition_of(effective_from: Option<Date>, complete_for: &str) -> Part {
    Part::Edition(RegionEdition {
        request_id: new_request_id(),
        effective_from,
        complete_for: complete_for.to_owned(),
        ..RegionEdition::default()
    })
}

#[tokio::test]
async fn organisations_that_cannot_be() {
    let app = TestApp::with_register().await;
    let before = written(&app).await;
    let good = || draft("太平中学", School, Recipient, TOWN);
    let register = |organisation| v1::RegisterOrganisationRequest {
        request_id: new_request_id(),
        organisation: Some(organisation),
    };
    let mut hq = app.hq();
    let unknown = v1::OrganisationDraft { region_code: "441899000000".to_owned(), ..good() };
    let unknown = hq.register_organisation(register(unknown)).await.unwrap_err();
    assert_eq!(
        told(&unknown),
        (Code::NotFound, "REGION_NOT_FOUND".to_owned(), vec!["organisation.region_code".to_owned()])
    );
    let what_to_do =
        "region 441899000000 does not exist: look at ListRegions, or import an edition of the register that has it";
    assert_eq!(unknown.message(), what_to_do);
    let long = v1::OrganisationDraft { name: "名".repeat(201), ..good() };
    invalid(&hq.register_organisation(register(long)).await.unwrap_err(), "INVALID_FIELDS", "organisation.name");
    let nul = v1::OrganisationDraft { name: "太平\0中学".to_owned(), ..good() };
    invalid(&hq.register_organisation(register(nul)).await.unwrap_err(), "INVALID_FIELDS", "organisation.name");
    let nobody = v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: None };
    invalid(&hq.register_organisation(nobody).await.unwrap_err(), "INVALID_FIELDS", "organisation");
    let unnamed = v1::RegisterOrganisationRequest { request_id: "7".to_owned(), ..register(good()) };
    invalid(&hq.register_organisation(unnamed).await.unwrap_err(), "INVALID_FIELDS", "request_id");
    let huge = v1::OrganisationDraft { name: "n".repeat(5 << 20), ..good() };
    let huge = hq.register_organisation(register(huge)).await.unwrap_err();
    assert_eq!(told(&huge), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned(), vec![]));
    assert!(huge.message().contains("too large") && huge.message().contains("4194304"), "{}", huge.message());
    assert_eq!(written(&app).await, before);
}

#[tokio::test]
async fn closings_that_cannot_be() {
    let app = TestApp::with_register().await;
    let school = app.register(draft("太平中学", School, Recipient, TOWN)).await;
    let before = written(&app).await;
    let mut hq = app.hq();
    let future = v1::CloseOrganisationRequest { closed_on: date("2025-07-01"), ..crate::at_once::close(&school) };
    invalid(&hq.close_organisation(future).await.unwrap_err(), "DATE_IN_FUTURE", "closed_on");
    let silent = v1::CloseOrganisationRequest { reason: String::new(), ..crate::at_once::close(&school) };
    invalid(&hq.close_organisation(silent).await.unwrap_err(), "INVALID_FIELDS", "reason");
    let old = v1::CloseOrganisationRequest { closed_on: date("2022-07-01"), ..crate::at_once::close(&school) };
    let old = app.client("county", COUNTY).close_organisation(old).await.unwrap_err();
    assert_eq!(told(&old), (Code::PermissionDenied, "HISTORY_NOT_ALLOWED".to_owned(), vec!["closed_on".to_owned()]));
    assert_eq!(written(&app).await, before);
}

#[tokio::test]
async fn pairings_that_cannot_be() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let of_county = app.register(party_recipient(COUNTY)).await;
    let before = written(&app).await;
    let mut hq = app.hq();
    let establish = |pairing| v1::EstablishPairingRequest { request_id: new_request_id(), pairing: Some(pairing) };
    let good = |starts_on| party_pairing(&supporter, &recipient, starts_on);

    let level = establish(party_pairing(&supporter, &of_county, "2025-01-01"));
    let level = hq.establish_pairing(level).await.unwrap_err();
    refused(&level, Code::FailedPrecondition, "RECIPIENT_REGION_WRONG", "pairing.recipient_id");
    assert!(level.message().contains("pairings are with villages and towns"), "{}", level.message());
    let cases = [
        (good("2025-07-01"), "DATE_IN_FUTURE", "pairing.starts_on"),
        (v1::PairingDraft { ends_on: date("2025-01-01"), ..good("2025-01-01") }, "DATE_ORDER", "pairing.ends_on"),
        (v1::PairingDraft { ends_on: date("2024-12-31"), ..good("2025-01-01") }, "DATE_ORDER", "pairing.ends_on"),
        (
            v1::PairingDraft { ends_on: Some(Date { year: 2025, month: 13, day: 1 }), ..good("2025-01-01") },
            "INVALID_FIELDS",
            "pairing.ends_on",
        ),
        (v1::PairingDraft { kind: 0, ..good("2025-01-01") }, "INVALID_FIELDS", "pairing.kind"),
        (
            v1::PairingDraft { supporter_id: "441".to_owned(), ..good("2025-01-01") },
            "INVALID_FIELDS",
            "pairing.supporter_id",
        ),
        (
            v1::PairingDraft { agreement_number: "号".repeat(65), ..good("2025-01-01") },
            "INVALID_FIELDS",
            "pairing.agreement_number",
        ),
    ];
    for (pairing, reason, field) in cases {
        invalid(&hq.establish_pairing(establish(pairing)).await.unwrap_err(), reason, field);
    }
    assert_eq!(written(&app).await, before);

    let pairing = app.establish(&supporter, &recipient, "2025-02-01").await.unwrap();
    let before = written(&app).await;
    invalid(&app.end(&pairing, "2025-01-31").await.unwrap_err(), "DATE_ORDER", "ends_on");
    invalid(&app.end(&pairing, "2025-07-01").await.unwrap_err(), "DATE_IN_FUTURE", "ends_on");
    let mut future = activity(&pairing, "2025-07-01");
    invalid(&hq.record_joint_activity(future.clone()).await.unwrap_err(), "DATE_IN_FUTURE", "activity.held_on");
    future.activity.as_mut().unwrap().remark = "x".repeat(501);
    invalid(&hq.record_joint_activity(future).await.unwrap_err(), "INVALID_FIELDS", "activity.remark");
    assert_eq!(written(&app).await, before);
}

#[tokio::test]
async fn rows_of_a_batch_say_what_is_wrong_with_them() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let before = written(&app).await;
    let good = |starts_on| party_pairing(&supporter, &recipient, starts_on);
    let rows = || {
        vec![
            good("2025-07-01"),
            v1::PairingDraft { ends_on: date("2024-12-31"), ..good("2025-01-01") },
            v1::PairingDraft { recipient_id: new_request_id(), ..good("2025-01-01") },
            v1::PairingDraft { agreement_number: "号".repeat(65), ..good("2025-01-02") },
        ]
    };
    let whole = crate::batches::establish(&app, &new_request_id(), true, vec![rows()]).await.unwrap_err();
    refused(&whole, Code::FailedPrecondition, "BATCH_REFUSED", "rows.rows");
    assert!(whole.message().contains("row 1: starts_on: 2025-07-01 is in the future"), "{}", whole.message());
    assert_eq!(written(&app).await, before);

    let answer = crate::batches::establish(&app, &new_request_id(), false, vec![rows()]).await.unwrap();
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    let expected = [
        (1, "DATE_IN_FUTURE", "starts_on"),
        (2, "DATE_ORDER", "ends_on"),
        (3, "ORGANISATION_NOT_FOUND", "recipient_id"),
        (4, "INVALID_FIELDS", "agreement_number"),
    ];
    assert_eq!((errors, answer.accepted), (expected.to_vec(), 0));
    // The answer is kept.
    assert_eq!(written(&app).await, before + 2, "the batch and its part");
}

#[tokio::test]
async fn pages_that_are_too_large() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let page_size = 1_000_000_000;
    let mut hq = app.hq();
    let organisations = v1::ListOrganisationsRequest { page_size, ..Default::default() };
    invalid(&hq.list_organisations(organisations).await.unwrap_err(), "INVALID_FIELDS", "page_size");
    let pairings = v1::ListPairingsRequest { page_size, ..Default::default() };
    invalid(&hq.list_pairings(pairings).await.unwrap_err(), "INVALID_FIELDS", "page_size");
    let regions = v1::ListRegionsRequest { parent_code: TOWN.to_owned(), page_size, ..Default::default() };
    invalid(&hq.list_regions(regions).await.unwrap_err(), "INVALID_FIELDS", "page_size");
    let pairing_id = pairing.pairing_id;
    let activities = v1::ListJointActivitiesRequest { pairing_id, page_size, ..Default::default() };
    invalid(&hq.list_joint_activities(activities).await.unwrap_err(), "INVALID_FIELDS", "page_size");
    for page_token in ["%", "NDQx"] {
        let page_token = page_token.to_owned();
        let foreign = v1::ListPairingsRequest { page_token, ..Default::default() };
        invalid(&hq.list_pairings(foreign).await.unwrap_err(), "INVALID_FIELDS", "page_token");
    }
}

#[tokio::test]
async fn editions_that_are_not_whole() {
    let app = TestApp::with_register().await;
    let before = written(&app).await;
    let rows = |rows| Some(Part::Rows(RegionRows { rows }));
    let empty = import(&app, vec![Some(edition())]).await;
    invalid(&empty, "REGION_ROWS_INVALID", "rows.rows");
    assert_eq!(empty.message(), "the edition has no rows");
    invalid(&import(&app, vec![]).await, "INVALID_FIELDS", "edition");
    invalid(&import(&app, vec![rows(register())]).await, "INVALID_FIELDS", "edition");
    invalid(&import(&app, vec![Some(edition()), Some(edition())]).await, "INVALID_FIELDS", "edition");
    // As a client says that it cannot go on.
    let broken_off = import(&app, vec![Some(edition()), rows(register()), None]).await;
    invalid(&broken_off, "INVALID_FIELDS", "part");
    let undated = Part::Edition(RegionEdition { request_id: new_request_id(), ..Default::default() });
    invalid(&import(&app, vec![Some(undated), rows(register())]).await, "INVALID_FIELDS", "edition.effective_from");
    let crowded = vec![row(VILLAGE, "沙塘村", Village, TOWN, true); 5_001];
    invalid(&import(&app, vec![Some(edition()), rows(crowded)]).await, "INVALID_FIELDS", "rows.rows");
    let long = vec![row(VILLAGE, &"村".repeat(101), Village, TOWN, true)];
    let long = import(&app, vec![Some(edition()), rows(register()), rows(long)]).await;
    invalid(&long, "REGION_ROWS_INVALID", "rows.rows");
    assert!(long.message().contains("row 12: name"), "{}", long.message());
    let huge = vec![row(VILLAGE, &"n".repeat(5 << 20), Village, TOWN, true)];
    let day = edition_of(date("2025-07-01"), "");
    invalid(&import(&app, vec![Some(day), rows(register())]).await, "DATE_IN_FUTURE", "edition.effective_from");
    let uncounted = edition_of(date("2025-01-01"), "440000000000");
    invalid(&import(&app, vec![Some(uncounted), rows(register())]).await, "INVALID_FIELDS", "edition.row_count");
    let huge = import(&app, vec![Some(edition()), rows(huge)]).await;
    assert_eq!(told(&huge), (Code::ResourceExhausted, "MESSAGE_TOO_LARGE".to_owned(), vec![]));
    let twice = import(&app, vec![Some(edition()), rows(register()), rows(register())]).await;
    invalid(&twice, "REGION_ROWS_INVALID", "rows.rows");
    assert!(twice.message().contains("row 12: 440000000000 stands in row 1 already"), "{}", twice.message());
    assert_eq!(written(&app).await, before);
}
