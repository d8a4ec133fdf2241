//! Batches: row-level errors, all or nothing, safe to repeat.

use futures::stream;
use tongxin_proto::{
    batch::v1::{BatchOptions, Outcome},
    pairing::v1::{
        self, OrganisationKind::School, OrganisationSide::Recipient, batch_establish_pairings_request,
        batch_register_organisations_request,
    },
};
use tonic::{Code, Status};

use crate::support::{
    TOWN, TestApp, VILLAGE, date, draft, new_request_id, party_recipient, party_supporter, refused, told,
};

async fn register(
    app: &TestApp,
    request_id: &str,
    all_or_nothing: bool,
    messages: Vec<Vec<v1::OrganisationDraft>>,
) -> Result<Outcome, Status> {
    use batch_register_organisations_request::Part;

    let options = Part::Options(BatchOptions { request_id: request_id.to_owned(), all_or_nothing });
    let rows = messages.into_iter().map(|rows| Part::Rows(v1::OrganisationRows { rows }));
    let parts: Vec<_> = std::iter::once(options).chain(rows).collect();
    let requests = parts.into_iter().map(|part| v1::BatchRegisterOrganisationsRequest { part: Some(part) });
    let answer = app.hq().batch_register_organisations(stream::iter(requests.collect::<Vec<_>>())).await?;
    Ok(answer.into_inner().outcome.unwrap())
}

pub async fn establish(
    app: &TestApp,
    request_id: &str,
    all_or_nothing: bool,
    messages: Vec<Vec<v1::PairingDraft>>,
) -> Result<Outcome, Status> {
    use batch_establish_pairings_request::Part;

    let options = Part::Options(BatchOptions { request_id: request_id.to_owned(), all_or_nothing });
    let rows = messages.into_iter().map(|rows| Part::Rows(v1::PairingRows { rows }));
    let parts: Vec<_> = std::iter::once(options).chain(rows).collect();
    let requests = parts.into_iter().map(|part| v1::BatchEstablishPairingsRequest { part: Some(part) });
    let answer = app.hq().batch_establish_pairings(stream::iter(requests.collect::<Vec<_>>())).await?;
    Ok(answer.into_inner().outcome.unwrap())
}

fn school(number: usize) -> v1::OrganisationDraft {
    draft(&format!("第{number}小学"), School, Recipient, TOWN)
}

fn with_code(draft: v1::OrganisationDraft) -> v1::OrganisationDraft {
    v1::OrganisationDraft { credit_code: "12100000400009880K".to_owned(), ..draft }
}

#[tokio::test]
async fn rows_that_fail_are_named_and_the_others_registered() {
    let app = TestApp::with_register().await;
    let nowhere = v1::OrganisationDraft { region_code: "441899000000".to_owned(), ..school(3) };
    let nameless = v1::OrganisationDraft { name: String::new(), ..school(4) };
    let messages =
        vec![vec![school(1), nowhere, with_code(school(2))], vec![nameless, with_code(school(5)), school(6)]];
    let answer = register(&app, &new_request_id(), false, messages).await.unwrap();
    assert_eq!((answer.accepted, answer.refused), (3, 3));
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    assert_eq!(
        errors,
        [
            (2, "REGION_NOT_FOUND", "region_code"),
            (4, "INVALID_FIELDS", "name"),
            (5, "CREDIT_CODE_TAKEN", "credit_code")
        ]
    );
    let empty: Vec<_> = answer.ids.iter().map(String::is_empty).collect();
    assert_eq!(empty, [false, true, false, true, true, false]);
    assert_eq!(app.events::<v1::OrganisationRegistered>().await.len(), 3);
}

#[tokio::test]
async fn all_or_nothing_registers_nothing_when_a_row_fails() {
    let app = TestApp::with_register().await;
    let nameless = v1::OrganisationDraft { name: String::new(), ..school(4) };
    let messages = vec![vec![school(1), school(2)], vec![nameless]];
    let refused = register(&app, &new_request_id(), true, messages).await.unwrap_err();
    assert_eq!(told(&refused), (Code::FailedPrecondition, "BATCH_REFUSED".to_owned(), vec!["rows.rows".to_owned()]));
    assert!(refused.message().contains("row 3"), "{}", refused.message());
    assert!(app.events::<v1::OrganisationRegistered>().await.is_empty());

    let whole = register(&app, &new_request_id(), true, vec![vec![school(1)], vec![school(2)]]).await.unwrap();
    assert_eq!((whole.accepted, whole.ids.len()), (2, 2));
}

#[tokio::test]
async fn a_row_about_the_same_as_an_earlier_one_of_its_message_is_refused() {
    let app = TestApp::with_register().await;
    let rows = || vec![with_code(school(1)), school(2), with_code(school(3)), school(2)];
    let refused = register(&app, &new_request_id(), true, vec![rows()]).await.unwrap_err();
    assert_eq!(told(&refused).1, "BATCH_REFUSED");
    assert!(refused.message().contains("row 3: row 1 is about the same"), "{}", refused.message());

    let answer = register(&app, &new_request_id(), false, vec![vec![school(4)], rows()]).await.unwrap();
    let errors: Vec<_> =
        answer.errors.iter().map(|error| (error.row, error.reason.as_str(), error.message.as_str())).collect();
    let twice = ["row 2 is about the same: state it once", "row 3 is about the same: state it once"];
    let twice = [(4, "ROW_TWICE", twice[0]), (5, "ROW_TWICE", twice[1])];
    assert_eq!(errors, twice, "by its code, or without one by name, kind, side and region");
    assert!(answer.errors[0].refused_time.is_none());
}

#[tokio::test]
async fn a_batch_that_was_cut_off_is_sent_again() {
    let app = TestApp::with_register().await;
    let request_id = new_request_id();
    let messages = || vec![vec![school(1), school(2)], vec![school(3)]];
    let cut_off = register(&app, &request_id, false, messages()[..1].to_vec()).await.unwrap();
    let again = register(&app, &request_id, false, messages()).await.unwrap();
    assert_eq!(again.ids[..2], cut_off.ids);
    assert_eq!(app.events::<v1::OrganisationRegistered>().await.len(), 3);

    let other = register(&app, &request_id, false, vec![vec![school(9)]]).await.unwrap_err();
    refused(&other, Code::AlreadyExists, "REQUEST_ID_REUSED", "options.request_id");
}

#[tokio::test]
async fn rows_without_options_and_too_many_rows_are_refused() {
    use batch_register_organisations_request::Part;

    let app = TestApp::with_register().await;
    let rows = |rows| v1::BatchRegisterOrganisationsRequest { part: Some(Part::Rows(v1::OrganisationRows { rows })) };
    let send = |message| {
        let mut client = app.hq();
        async move { client.batch_register_organisations(stream::iter([message])).await.unwrap_err() }
    };
    assert_eq!(told(&send(rows(vec![school(1)])).await).2, ["options"]);
    let refused = send(rows(vec![school(1); 5_001])).await;
    assert_eq!(told(&refused).2, ["rows.rows"]);
    assert_eq!(told(&send(v1::BatchRegisterOrganisationsRequest { part: None }).await).2, ["part"]);
}

#[tokio::test]
async fn a_batch_has_an_end() {
    let app = TestApp::with_register().await;
    let nameless = v1::OrganisationDraft { name: String::new(), ..school(1) };
    let messages = |count| vec![vec![nameless.clone(); 5_000]; count];
    let huge = vec![vec![v1::OrganisationDraft { name: "n".repeat(4_000_000), ..school(1) }]; 17];
    for (messages, whole, field) in
        [(messages(21), false, "rows"), (messages(11), true, "all_or_nothing"), (huge, true, "all_or_nothing")]
    {
        let refused = register(&app, &new_request_id(), whole, messages).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec![field.to_owned()]));
    }
    let parts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM request WHERE part > 0").fetch_one(&app.owner).await.unwrap();
    assert_eq!(parts, 20, "what came before is carried out, of those that are not wholes");
}

#[tokio::test]
async fn pairings_of_one_batch_know_of_each_other() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(v1::OrganisationKind::Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let pairing = |starts_on, ends_on: Option<&str>| v1::PairingDraft {
        ends_on: ends_on.and_then(date),
        ..crate::support::party_pairing(&supporter, &recipient, starts_on)
    };
    let rows = vec![
        pairing("2025-01-01", Some("2025-03-01")),
        pairing("2025-02-01", None),
        pairing("2025-03-01", None),
        pairing("2025-05-01", Some("2025-04-01")),
    ];
    let answer = establish(&app, &new_request_id(), false, vec![rows]).await.unwrap();
    let errors: Vec<_> = answer.errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
    assert_eq!(errors, [(2, "PAIRING_OVERLAPS"), (4, "DATE_ORDER")]);
    // Covered from January on; the end in March was taken back by the pairing that begins then.
    let changes: Vec<_> = app.events::<v1::VillageCoverageChanged>().await.iter().map(|event| event.change).collect();
    assert_eq!(changes, [1, -1, 1]);
}
