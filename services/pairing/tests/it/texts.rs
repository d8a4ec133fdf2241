//! Texts with characters that nobody sees, and days whose years have no century.

use futures::stream;
use tongxin_proto::{
    Date,
    pairing::v1::{
        self, ImportRegionsRequest, OrganisationKind::Government, OrganisationKind::School,
        OrganisationSide::Recipient, RegionEdition, RegionRows, import_regions_request::Part,
    },
};
use tonic::{Code, Status};

use crate::support::{
    PROVINCE, TOWN, TestApp, VILLAGE, draft, new_request_id, party_pairing, party_recipient, party_supporter, refused,
    register,
};

fn registration(name: &str) -> v1::RegisterOrganisationRequest {
    v1::RegisterOrganisationRequest {
        request_id: new_request_id(),
        organisation: Some(draft(name, School, Recipient, TOWN)),
    }
}

#[tokio::test]
async fn an_organisation_has_the_name_that_is_seen() {
    let app = TestApp::with_register().await;
    let mut hq = app.hq();
    let mut named = async |name| {
        let answer = hq.register_organisation(registration(name)).await;
        answer.map(|answer| answer.into_inner().organisation.unwrap().name)
    };
    assert_eq!(named("\u{feff}太平中学").await.unwrap(), "太平中学");
    assert_eq!(named(" 太平\u{200b}小学\u{3000}").await.unwrap(), "太平小学");
    for (name, says) in [
        ("\u{200b}\u{200b}", "needs at least 1 characters"),
        ("太平\0中学", "holds the control character U+0000"),
        ("太平\n中学", "holds the line break U+000A"),
    ] {
        let error = named(name).await.unwrap_err();
        refused(&error, Code::InvalidArgument, "INVALID_FIELDS", "organisation.name");
        assert_eq!(error.message(), format!("organisation.name {says}"));
    }
    let code = "12100000400009880K";
    let coded = v1::OrganisationDraft {
        credit_code: "１２1000004\u{200b}00009880Ｋ ".to_owned(),
        ..draft("太平幼儿园", School, Recipient, TOWN)
    };
    assert_eq!(app.register(coded).await.credit_code, code);
    let listed = v1::ListOrganisationsRequest { region_code: format!("{TOWN}\u{a0}"), ..Default::default() };
    assert_eq!(app.hq().list_organisations(listed).await.unwrap().into_inner().organisations.len(), 3);
}

#[tokio::test]
async fn a_reason_of_nothing_visible_is_none() {
    let app = TestApp::with_register().await;
    let school = app.register(draft("太平测试学校", School, Recipient, TOWN)).await;
    let close =
        |reason: &str| v1::CloseOrganisationRequest { reason: reason.to_owned(), ..crate::at_once::close(&school) };
    let error = app.hq().close_organisation(close("\u{200b}")).await.unwrap_err();
    refused(&error, Code::InvalidArgument, "INVALID_FIELDS", "reason");
    let closed = app.hq().close_organisation(close("撤并：\n并入太平中学\u{200b}")).await.unwrap().into_inner();
    assert_eq!(closed.organisation.unwrap().close_reason, "撤并：\n并入太平中学");
}

#[tokio::test]
async fn rows_of_a_batch_and_of_the_register_are_tidied_and_refused_by_themselves() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let good = party_pairing(&supporter, &recipient, "2025-01-01");
    let rows = vec![
        // Of another day, since one thing is stated once in a message.
        v1::PairingDraft {
            agreement_number: "2025\u{7}-1".to_owned(),
            ..party_pairing(&supporter, &recipient, "2025-03-01")
        },
        v1::PairingDraft { starts_on: Some(Date { year: 25, month: 1, day: 1 }), ..good.clone() },
        v1::PairingDraft {
            supporter_id: format!("\u{feff}{}", supporter.organisation_id),
            agreement_number: "\u{200b}2025-1 ".to_owned(),
            ..good
        },
    ];
    let outcome = crate::batches::establish(&app, &new_request_id(), false, vec![rows]).await.unwrap();
    let errors: Vec<_> =
        outcome.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    let expected = [(1, "INVALID_FIELDS", "agreement_number"), (2, "DATE_TOO_EARLY", "starts_on")];
    assert_eq!((outcome.accepted, errors), (1, expected.to_vec()));
    let request = v1::GetPairingRequest { pairing_id: outcome.ids[2].clone() };
    let pairing = app.hq().get_pairing(request).await.unwrap().into_inner().pairing.unwrap();
    assert_eq!(pairing.agreement_number, "2025-1");

    let mut rows = register();
    for row in &mut rows {
        row.code.insert(0, '\u{feff}');
        row.name.push('\u{200b}');
    }
    let result = app.import("2025-01-01", rows).await.unwrap().result.unwrap();
    assert_eq!((result.added, result.changed), (0, 0), "it is the same register");
}

fn too_early(status: &Status, field: &str) {
    refused(status, Code::InvalidArgument, "DATE_TOO_EARLY", field);
}

#[tokio::test]
async fn a_year_without_its_century_is_refused_whoever_enters_it() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let of_two_digits = Some(Date { year: 26, month: 1, day: 1 });
    for mut caller in [app.hq(), app.client("town", TOWN)] {
        let pairing =
            v1::PairingDraft { starts_on: of_two_digits, ..party_pairing(&supporter, &recipient, "2025-01-01") };
        let request = v1::EstablishPairingRequest { request_id: new_request_id(), pairing: Some(pairing) };
        too_early(&caller.establish_pairing(request).await.unwrap_err(), "pairing.starts_on");
        let coverage =
            v1::GetCoverageRequest { region_code: TOWN.to_owned(), rule: "party".to_owned(), as_of: of_two_digits };
        too_early(&caller.get_coverage(coverage).await.unwrap_err(), "as_of");
    }
    let edition = RegionEdition {
        request_id: new_request_id(),
        effective_from: Some(Date { year: 21, month: 1, day: 1 }),
        ..RegionEdition::default()
    };
    let parts = [Part::Edition(edition), Part::Rows(RegionRows { rows: register() })];
    let messages = parts.map(|part| ImportRegionsRequest { part: Some(part) });
    let answers = app.client("operator", PROVINCE).import_regions(stream::iter(messages)).await;
    let error = match answers {
        Ok(answers) => answers.into_inner().message().await.unwrap_err(),
        Err(error) => error,
    };
    too_early(&error, "edition.effective_from");
}
