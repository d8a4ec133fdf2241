//! Texts with characters that nobody sees.

use tongxin_proto::pairing::v1::{
    self, OrganisationKind::Government, OrganisationKind::School, OrganisationSide::Recipient,
};
use tonic::Code;

use crate::support::{
    TOWN, TestApp, VILLAGE, draft, new_request_id, party_pairing, party_recipient, party_supporter, refused, register,
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
        v1::PairingDraft { agreement_number: "2025\u{7}-1".to_owned(), ..good.clone() },
        v1::PairingDraft {
            supporter_id: format!("\u{feff}{}", supporter.organisation_id),
            agreement_number: "\u{200b}2025-1 ".to_owned(),
            ..good
        },
    ];
    let outcome = crate::batches::establish(&app, &new_request_id(), false, vec![rows]).await.unwrap();
    let errors: Vec<_> =
        outcome.errors.iter().map(|error| (error.row, error.reason.as_str(), error.field.as_str())).collect();
    let expected = [(1, "INVALID_FIELDS", "agreement_number")];
    assert_eq!((outcome.accepted, errors), (1, expected.to_vec()));
    let request = v1::GetPairingRequest { pairing_id: outcome.ids[1].clone() };
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
