//! Imports of organisations and pairings, row by row: resumed, repeated, tried out, and of what is kept already.

use futures::stream;
use tongxin_platform::testing::eventually;
use tongxin_proto::{
    Parts as _,
    batch::v1::{ImportOptions, ImportStatus},
    pairing::v1::{
        self, EstablishPairingRequest, ImportOrganisationsRequest, ImportPairingsRequest, Organisation,
        OrganisationDraft, OrganisationKind, OrganisationKind::School, OrganisationSide::Recipient,
        OrganisationSide::Supporter, PairingDraft, PairingKind,
    },
};
use tonic::{Code, Status};

use crate::support::{
    COUNTY, Client, OTHER_COUNTY, TOWN, TestApp, VILLAGE, date, draft, new_request_id, party_pairing, party_recipient,
    party_supporter, refused, told,
};

const CODE: &str = "12100000400009880K";
const OTHER_CODE: &str = "91110000600037341L";

fn options(import_id: &str, dry_run: bool) -> ImportOptions {
    ImportOptions { import_id: import_id.to_owned(), dry_run }
}

async fn organisations(
    client: &mut Client,
    (import_id, dry_run): (&str, bool),
    first_row: i64,
    rows: Vec<OrganisationDraft>,
) -> Result<ImportStatus, Status> {
    let parts = [
        ImportOrganisationsRequest::of_options(options(import_id, dry_run)),
        ImportOrganisationsRequest::of_rows(first_row, rows),
    ];
    let mut answers = client.import_organisations(stream::iter(parts)).await?.into_inner();
    Ok(answers.message().await?.unwrap().status.unwrap())
}

async fn pairings(
    client: &mut Client,
    (import_id, dry_run): (&str, bool),
    first_row: i64,
    rows: Vec<PairingDraft>,
) -> Result<ImportStatus, Status> {
    let parts = [
        ImportPairingsRequest::of_options(options(import_id, dry_run)),
        ImportPairingsRequest::of_rows(first_row, rows),
    ];
    let mut answers = client.import_pairings(stream::iter(parts)).await?.into_inner();
    Ok(answers.message().await?.unwrap().status.unwrap())
}

fn counts(status: &ImportStatus) -> (i64, i64, i64) {
    (status.accepted, status.unchanged, status.refused)
}

fn errors(status: &ImportStatus) -> Vec<(i64, &str, &str)> {
    status.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect()
}

fn with_code(draft: OrganisationDraft, code: &str) -> OrganisationDraft {
    OrganisationDraft { credit_code: code.to_owned(), ..draft }
}

/// An organisation as an export writes it.
fn exported(organisation: &Organisation) -> OrganisationDraft {
    OrganisationDraft {
        name: organisation.name.clone(),
        kind: organisation.kind,
        side: organisation.side,
        host_kind: organisation.host_kind,
        region_code: organisation.region_code.clone(),
        credit_code: organisation.credit_code.clone(),
        organisation_id: organisation.organisation_id.clone(),
    }
}

async fn status(client: &mut Client, import_id: &str) -> Result<ImportStatus, Status> {
    let request = v1::GetImportRequest { import_id: import_id.to_owned() };
    Ok(client.get_import(request).await?.into_inner().status.unwrap())
}

#[tokio::test]
async fn organisations_are_imported_once_and_refused_rows_decided_anew() {
    let app = TestApp::with_register().await;
    let (mut hq, id) = (app.hq(), new_request_id());
    let nowhere =
        OrganisationDraft { region_code: "441899000000".to_owned(), ..draft("甲小学", School, Recipient, TOWN) };
    let nameless = OrganisationDraft { name: String::new(), ..draft("", School, Recipient, TOWN) };
    let good = |name| draft(name, School, Recipient, TOWN);
    let file =
        |second| vec![with_code(good("第一小学"), CODE), second, nameless.clone(), with_code(good("重复"), CODE)];
    let expected = [(2, "REGION_NOT_FOUND", "region_code"), (3, "INVALID_FIELDS", "name"), (4, "ROW_TWICE", "")];
    let dry = organisations(&mut hq, (&id, true), 1, file(nowhere.clone())).await.unwrap();
    assert_eq!((counts(&dry), errors(&dry)), ((1, 0, 3), expected.to_vec()));
    assert_eq!(told(&status(&mut hq, &id).await.unwrap_err()).1, "IMPORT_NOT_FOUND");
    assert!(app.events::<v1::OrganisationRegistered>().await.is_empty());

    let first = organisations(&mut hq, (&id, false), 1, file(nowhere)).await.unwrap();
    assert_eq!((counts(&first), errors(&first)), ((1, 0, 3), expected.to_vec()));
    let again = organisations(&mut hq, (&id, false), 2, file(good("乙小学"))[1..].to_vec()).await.unwrap();
    // Its twin is not in the message any more, but kept: another name under the same code.
    assert_eq!((counts(&again), again.errors[1].reason.as_str()), ((2, 0, 2), "ORGANISATION_DIFFERS"));
    assert_eq!(counts(&status(&mut hq, &id).await.unwrap()), (2, 0, 2));
    assert_eq!(app.events::<v1::OrganisationRegistered>().await.len(), 2);
    let gap = organisations(&mut hq, (&id, false), 6, vec![good("丙小学")]).await.unwrap_err();
    assert_eq!(told(&gap).1, "IMPORT_GAP");
    let reused = pairings(&mut hq, (&id, false), 1, vec![PairingDraft::default()]).await.unwrap_err();
    assert_eq!(told(&reused).1, "IMPORT_ID_REUSED");
}

#[tokio::test]
async fn an_organisation_that_is_kept_is_unchanged_or_its_fields_are_named() {
    let app = TestApp::with_register().await;
    let one = app.register(with_code(draft("第一小学", School, Recipient, VILLAGE), CODE)).await;
    let other = app.register(draft("第二小学", School, Supporter, "440100000000")).await;
    let before = app.all_events().await;
    let mut hq = app.hq();
    let by_code = OrganisationDraft { organisation_id: String::new(), ..exported(&one) };
    let renamed =
        OrganisationDraft { name: "第三小学".to_owned(), region_code: TOWN.to_owned(), ..exported(&other) };
    let absent = OrganisationDraft { organisation_id: new_request_id(), ..exported(&one) };
    for dry_run in [true, false] {
        let rows = vec![exported(&one), by_code.clone(), renamed.clone(), absent.clone()];
        let status = organisations(&mut hq, (&new_request_id(), dry_run), 1, rows).await.unwrap();
        let expected = [(3, "ORGANISATION_DIFFERS", "name"), (4, "ORGANISATION_NOT_FOUND", "organisation_id")];
        assert_eq!((counts(&status), errors(&status)), ((2, 2, 2), expected.to_vec()));
        assert_eq!(status.errors[0].message, "the organisation is kept already, and differs in: name, region_code");
    }
    // Whoever does not see it is told that the code is taken, which counts as a look-up.
    let mut elsewhere = app.client("county", OTHER_COUNTY);
    let row = OrganisationDraft { region_code: OTHER_COUNTY.to_owned(), ..by_code };
    for used in [1, 2] {
        let status = organisations(&mut elsewhere, (&new_request_id(), used == 1), 1, vec![row.clone()]).await.unwrap();
        assert_eq!(errors(&status), [(1, "CREDIT_CODE_TAKEN", "credit_code")]);
        let counted: i64 = sqlx::query_scalar("SELECT used FROM hourly_use").fetch_one(&app.owner).await.unwrap();
        assert_eq!(counted, used);
    }
    assert_eq!(app.all_events().await, before);
    // Where an organisation is registered, no identifier is taken.
    let request =
        v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: Some(exported(&other)) };
    let named = app.hq().register_organisation(request).await.unwrap_err();
    refused(&named, Code::InvalidArgument, "INVALID_FIELDS", "organisation.organisation_id");
}

/// Most villages' organisations have none.
#[tokio::test]
async fn an_organisation_without_a_code_is_known_by_its_name() {
    let app = TestApp::with_register().await;
    let mut hq = app.hq();
    let school = |name| draft(name, School, Recipient, VILLAGE);
    let file = vec![school("第一小学"), with_code(school("第二小学"), CODE)];
    let import = async |hq: &mut Client, rows| organisations(hq, (&new_request_id(), false), 1, rows).await.unwrap();
    assert_eq!(counts(&import(&mut hq, file.clone()).await), (2, 0, 0));
    assert_eq!(counts(&import(&mut hq, file).await), (2, 2, 0));
    // Its code became known, or is left out; what has another code, kind or place is another one.
    let elsewhere = OrganisationDraft { region_code: TOWN.to_owned(), ..school("第一小学") };
    let hospital = draft("第一小学", OrganisationKind::Hospital, Recipient, VILLAGE);
    let rows = vec![with_code(school("第一小学"), OTHER_CODE), school("第二小学"), elsewhere, hospital];
    let status = import(&mut hq, rows).await;
    let differs = |row| (row, "ORGANISATION_DIFFERS", "credit_code");
    assert_eq!((counts(&status), errors(&status)), ((2, 0, 2), vec![differs(1), differs(2)]));
    let namesake = import(&mut hq, vec![with_code(school("第二小学"), OTHER_CODE)]).await;
    assert_eq!(counts(&namesake), (1, 0, 0));
}

#[tokio::test]
async fn a_file_that_is_imported_twice_at_once_is_new_once() {
    let app = TestApp::with_register().await;
    let mut owner = app.owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE organisation IN SHARE MODE").execute(&mut *owner).await.unwrap();
    let both = [0, 1].map(|_| {
        let (mut hq, id) = (app.hq(), new_request_id());
        let file = vec![
            draft("第一小学", School, Recipient, VILLAGE),
            with_code(draft("第二小学", School, Recipient, VILLAGE), CODE),
        ];
        tokio::spawn(async move { organisations(&mut hq, (&id, false), 1, file).await.unwrap() })
    });
    let waiting = "
        SELECT count(*) FROM pg_locks
        WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let wait = || async { sqlx::query_scalar::<_, i64>(waiting).fetch_one(&app.owner).await.unwrap() == 2 };
    eventually("both wait", wait).await;
    owner.rollback().await.unwrap();
    let mut counted = Vec::new();
    for import in both {
        counted.push(counts(&import.await.unwrap()));
    }
    counted.sort_unstable();
    assert_eq!(counted, [(2, 0, 0), (2, 2, 0)]);
    assert_eq!(app.events::<v1::OrganisationRegistered>().await.len(), 2);
}

/// A supporter and a recipient with codes.
async fn pair(app: &TestApp) -> (Organisation, Organisation) {
    let supporter = app.register(with_code(party_supporter(OrganisationKind::Government), CODE)).await;
    let recipient = app.register(with_code(party_recipient(VILLAGE), OTHER_CODE)).await;
    (supporter, recipient)
}

fn by_codes(starts_on: &str) -> PairingDraft {
    PairingDraft {
        kind: PairingKind::Party.into(),
        supporter_credit_code: CODE.to_owned(),
        recipient_credit_code: OTHER_CODE.to_owned(),
        agreement_number: "粤帮〔2021〕1号".to_owned(),
        starts_on: date(starts_on),
        ..PairingDraft::default()
    }
}

#[tokio::test]
async fn organisations_of_a_pairing_are_named_by_their_codes() {
    let app = TestApp::with_register().await;
    let (supporter, recipient) = pair(&app).await;
    let establish = async |pairing: PairingDraft| {
        let request = EstablishPairingRequest { request_id: new_request_id(), pairing: Some(pairing) };
        app.hq().establish_pairing(request).await.map(|answer| answer.into_inner().pairing.unwrap())
    };
    let wrong = [
        (PairingDraft { supporter_credit_code: String::new(), ..by_codes("2025-01-01") }, "supporter_id"),
        (PairingDraft { recipient_credit_code: String::new(), ..by_codes("2025-01-01") }, "recipient_id"),
        (
            PairingDraft { recipient_id: recipient.organisation_id.clone(), ..by_codes("2025-01-01") },
            "recipient_credit_code",
        ),
        (PairingDraft { pairing_id: new_request_id(), ..by_codes("2025-01-01") }, "pairing_id"),
    ];
    for (pairing, field) in wrong {
        let status = establish(pairing).await.unwrap_err();
        refused(&status, Code::InvalidArgument, "INVALID_FIELDS", &format!("pairing.{field}"));
    }
    let unknown = PairingDraft { recipient_credit_code: "91350211M0000XUF46".to_owned(), ..by_codes("2025-01-01") };
    let status = establish(unknown).await.unwrap_err();
    refused(&status, Code::NotFound, "ORGANISATION_NOT_FOUND", "pairing.recipient_credit_code");
    // A recipient elsewhere is not there.
    let request = EstablishPairingRequest { request_id: new_request_id(), pairing: Some(by_codes("2025-01-01")) };
    let status = app.client("county", OTHER_COUNTY).establish_pairing(request).await.unwrap_err();
    refused(&status, Code::NotFound, "ORGANISATION_NOT_FOUND", "pairing.recipient_credit_code");

    let established = establish(by_codes("2025-01-01")).await.unwrap();
    let named = (established.supporter_id.as_str(), established.recipient_id.as_str());
    assert_eq!(named, (supporter.organisation_id.as_str(), recipient.organisation_id.as_str()));
}

#[tokio::test]
async fn pairings_are_imported_once_and_unchanged_where_they_are_kept() {
    let app = TestApp::with_register().await;
    let (supporter, recipient) = pair(&app).await;
    let mut hq = app.hq();
    let ended = PairingDraft { ends_on: date("2024-06-01"), ..by_codes("2024-01-01") };
    let rows = || vec![ended.clone(), by_codes("2025-01-01"), by_codes("2025-03-01"), by_codes("2025-01-01")];
    let id = new_request_id();
    for dry_run in [true, false] {
        let status = pairings(&mut hq, (&id, dry_run), 1, rows()).await.unwrap();
        let reasons: Vec<_> = status.errors.iter().map(|error| (error.row, error.reason.as_str())).collect();
        assert_eq!((counts(&status), reasons), ((2, 0, 2), vec![(3, "PAIRING_OVERLAPS"), (4, "ROW_TWICE")]));
    }
    let before = app.all_events().await;
    let list = v1::ListPairingsRequest::default();
    let listed = hq.list_pairings(list).await.unwrap().into_inner().pairings;
    assert_eq!(listed.len(), 2);

    let by_id = |pairing: &v1::Pairing| PairingDraft {
        pairing_id: pairing.pairing_id.clone(),
        ends_on: pairing.ends_on,
        agreement_number: pairing.agreement_number.clone(),
        ..party_pairing(&supporter, &recipient, "2025-01-01")
    };
    let open = listed.iter().find(|pairing| pairing.ends_on.is_none()).unwrap();
    let other_end = PairingDraft { ends_on: date("2024-07-01"), agreement_number: "2".to_owned(), ..ended.clone() };
    let absent = PairingDraft { pairing_id: new_request_id(), ..by_codes("2025-01-01") };
    let moved = PairingDraft { starts_on: date("2025-02-01"), ..by_id(open) };
    let again = vec![ended.clone(), by_codes("2025-01-01"), by_id(open), absent, moved];
    for (dry_run, caller) in [(true, app.hq()), (false, app.client("county", COUNTY))] {
        let status = pairings(&mut caller.clone(), (&new_request_id(), dry_run), 1, again.clone()).await.unwrap();
        let expected = [(4, "PAIRING_NOT_FOUND", "pairing_id"), (5, "PAIRING_DIFFERS", "starts_on")];
        assert_eq!((counts(&status), errors(&status)), ((3, 3, 2), expected.to_vec()));
    }
    let status = pairings(&mut hq, (&new_request_id(), false), 1, vec![other_end]).await.unwrap();
    assert_eq!(errors(&status), [(1, "PAIRING_DIFFERS", "agreement_number")]);
    assert_eq!(status.errors[0].message, "the pairing is kept already, and differs in: agreement_number, ends_on");
    assert_eq!(app.all_events().await, before);
}
