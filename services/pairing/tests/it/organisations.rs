//! Organisations: registering, reading, closing.

use std::collections::BTreeSet;

use tongxin_proto::pairing::v1::{
    self, CreditCodeCheck, OrganisationKind::Hospital, OrganisationKind::School, OrganisationSide::Recipient,
    OrganisationSide::Supporter,
};
use tonic::Code;

use crate::support::{
    COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, date, draft, new_request_id,
    party_supporter, refused, told,
};

fn registration(organisation: v1::OrganisationDraft) -> v1::RegisterOrganisationRequest {
    v1::RegisterOrganisationRequest { request_id: new_request_id(), organisation: Some(organisation) }
}

fn get(organisation: &v1::Organisation) -> v1::GetOrganisationRequest {
    v1::GetOrganisationRequest { organisation_id: organisation.organisation_id.clone() }
}

#[tokio::test]
async fn a_registered_organisation_can_be_read_and_is_told_of() {
    let app = TestApp::with_register().await;
    let school = app.register(draft("太平中学", School, Recipient, TOWN)).await;
    let read = app.hq().get_organisation(get(&school)).await.unwrap().into_inner().organisation.unwrap();
    assert_eq!(read, school);
    let events: Vec<v1::OrganisationRegistered> = app.events().await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].organisation_id, school.organisation_id);
}

#[tokio::test]
async fn a_mistake_in_a_name_or_a_code_is_corrected_and_what_it_was_stays_in_the_log() {
    const CODE: &str = "12100000400009880K";
    let app = TestApp::with_register().await;
    let school = app.register(draft("大平小学", School, Recipient, TOWN)).await;
    let other =
        v1::OrganisationDraft { credit_code: CODE.to_owned(), ..draft("连山小学", School, Recipient, TOWN) };
    let other = app.register(other).await;
    let change = |code: &str, expected_version| v1::ChangeOrganisationRequest {
        request_id: new_request_id(),
        organisation_id: school.organisation_id.clone(),
        name: "太平小学".to_owned(),
        credit_code: code.to_owned(),
        expected_version,
    };
    let stale = app.hq().change_organisation(change("", 9)).await.unwrap_err();
    assert_eq!((stale.code(), told(&stale).1.as_str()), (Code::Aborted, "VERSION_STALE"));
    let taken = app.hq().change_organisation(change(CODE, 1)).await.unwrap_err();
    assert_eq!(told(&taken), (Code::AlreadyExists, "CREDIT_CODE_TAKEN".to_owned(), vec!["credit_code".to_owned()]));
    let elsewhere = app.client("county", OTHER_COUNTY).change_organisation(change("", 1)).await.unwrap_err();
    refused(&elsewhere, Code::NotFound, "ORGANISATION_NOT_FOUND", "organisation_id");

    let request = change("91350211M0000XUF46", 1);
    let changed = app.hq().change_organisation(request.clone()).await.unwrap().into_inner();
    assert_eq!(app.hq().change_organisation(request).await.unwrap().into_inner(), changed);
    let changed = changed.organisation.unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("太平小学", 2));
    assert_eq!(changed.credit_code_check(), CreditCodeCheck::Failed);
    assert_eq!(app.hq().get_organisation(get(&school)).await.unwrap().into_inner().organisation.unwrap(), changed);
    // What is right already is not changed again.
    let same = app.hq().change_organisation(change("91350211M0000XUF46", 2)).await.unwrap().into_inner();
    assert_eq!(same.organisation.unwrap(), changed);

    // That a code is taken was counted as a look-up; who has none left corrects what asks for none.
    let counted = sqlx::query("UPDATE hourly_use SET used = 200 WHERE used = 1").execute(&app.owner).await.unwrap();
    assert_eq!(counted.rows_affected(), 1);
    let limited = app.hq().change_organisation(change(CODE, 2)).await.unwrap_err();
    assert_eq!((limited.code(), told(&limited).1.as_str()), (Code::ResourceExhausted, "LOOK_UP_LIMIT"));
    let kept = app.hq().change_organisation(change("91350211M0000XUF46", 2)).await.unwrap().into_inner();
    assert_eq!(kept.organisation.unwrap(), changed);

    let events: Vec<v1::OrganisationChanged> = app.events().await;
    let [event] = &events[..] else { panic!("not one event: {events:?}") };
    assert_eq!((event.previous_name.as_str(), event.name.as_str()), ("大平小学", "太平小学"));
    assert_eq!((event.previous_credit_code.as_str(), event.credit_code.as_str()), ("", "91350211M0000XUF46"));
    assert_eq!(app.hq().get_organisation(get(&other)).await.unwrap().into_inner().organisation.unwrap(), other);
}

#[tokio::test]
async fn a_credit_code_with_a_wrong_check_digit_is_flagged_and_taken_once() {
    let app = TestApp::with_register().await;
    let with_code = |code: &str| v1::OrganisationDraft {
        credit_code: code.to_owned(),
        ..draft("太平小学", School, Recipient, TOWN)
    };
    let flagged = app.register(with_code("91350211M0000XUF46")).await;
    assert_eq!(flagged.credit_code_check(), CreditCodeCheck::Failed);
    assert_eq!(app.register(with_code("12100000400009880K")).await.credit_code_check(), CreditCodeCheck::Passed);

    let taken = app.hq().register_organisation(registration(with_code("91350211M0000XUF46"))).await.unwrap_err();
    assert_eq!(
        told(&taken),
        (Code::AlreadyExists, "CREDIT_CODE_TAKEN".to_owned(), vec!["organisation.credit_code".to_owned()])
    );
}

#[tokio::test]
async fn the_same_request_registers_once() {
    let app = TestApp::with_register().await;
    let request = registration(draft("太平中学", School, Recipient, TOWN));
    let first = app.hq().register_organisation(request.clone()).await.unwrap().into_inner();
    let second = app.hq().register_organisation(request.clone()).await.unwrap().into_inner();
    assert_eq!(first, second);
    assert_eq!(app.events::<v1::OrganisationRegistered>().await.len(), 1);

    let other = v1::RegisterOrganisationRequest {
        organisation: Some(draft("太平小学", School, Recipient, TOWN)),
        ..request
    };
    let reused = app.hq().register_organisation(other).await.unwrap_err();
    refused(&reused, Code::AlreadyExists, "REQUEST_ID_REUSED", "request_id");
}

#[tokio::test]
async fn bad_input_is_refused_by_field() {
    let app = TestApp::with_register().await;
    let good = || draft("太平中学", School, Recipient, TOWN);
    let cases = [
        (v1::OrganisationDraft { name: String::new(), ..good() }, "INVALID_FIELDS", "organisation.name"),
        (v1::OrganisationDraft { kind: 99, ..good() }, "INVALID_FIELDS", "organisation.kind"),
        (
            v1::OrganisationDraft { region_code: "4418".to_owned(), ..good() },
            "INVALID_FIELDS",
            "organisation.region_code",
        ),
        (v1::OrganisationDraft { credit_code: "O".repeat(18), ..good() }, "INVALID_FIELDS", "organisation.credit_code"),
        (v1::OrganisationDraft { host_kind: 4, ..good() }, "HOST_KIND_REFUSED", "organisation.host_kind"),
        (
            v1::OrganisationDraft { host_kind: 0, ..party_supporter(School) },
            "HOST_KIND_REQUIRED",
            "organisation.host_kind",
        ),
    ];
    for (organisation, reason, field) in cases {
        let refused = app.hq().register_organisation(registration(organisation)).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]));
    }
    let unknown = v1::OrganisationDraft { region_code: "441899000000".to_owned(), ..good() };
    let refused = app.hq().register_organisation(registration(unknown)).await.unwrap_err();
    assert_eq!(told(&refused).1, "REGION_NOT_FOUND");
    assert!(app.events::<v1::OrganisationRegistered>().await.is_empty());
}

#[tokio::test]
async fn what_lies_elsewhere_is_answered_like_what_does_not_exist() {
    let app = TestApp::with_register().await;
    let school = app.register(draft("太平中学", School, Recipient, TOWN)).await;
    let absent = v1::GetOrganisationRequest { organisation_id: new_request_id() };
    for (role, region) in [("county", OTHER_COUNTY), ("village", VILLAGE), ("village", OTHER_VILLAGE)] {
        let foreign = app.client(role, region).get_organisation(get(&school)).await.unwrap_err();
        let missing = app.client(role, region).get_organisation(absent.clone()).await.unwrap_err();
        assert_eq!(told(&foreign), told(&missing));
        let text = |status: &tonic::Status, id: &str| status.message().replace(id, "ID");
        assert_eq!(text(&foreign, &school.organisation_id), text(&missing, &absent.organisation_id));
    }
    assert!(app.client("county", COUNTY).get_organisation(get(&school)).await.is_ok());

    let request = registration(draft("吉田中学", School, Recipient, "441825104000"));
    let outside = app.client("county", COUNTY).register_organisation(request).await.unwrap_err();
    assert_eq!(told(&outside).1, "REGION_NOT_FOUND");
}

#[tokio::test]
async fn supporters_are_seen_everywhere_and_recipients_at_home() {
    let app = TestApp::with_register().await;
    app.register(draft("广州市第一中学", School, Supporter, "440100000000")).await;
    app.register(draft("太平中学", School, Recipient, TOWN)).await;
    let list = v1::ListOrganisationsRequest::default();
    let names = |region: &'static str| {
        let (mut client, list) = (app.client("county", region), list.clone());
        async move {
            let listed = client.list_organisations(list).await.unwrap().into_inner().organisations;
            listed.into_iter().map(|organisation| organisation.name).collect::<BTreeSet<_>>()
        }
    };
    let set = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    assert_eq!(names(COUNTY).await, set(&["广州市第一中学", "太平中学"]));
    assert_eq!(names(OTHER_COUNTY).await, set(&["广州市第一中学"]));
}

#[tokio::test]
async fn lists_are_read_page_by_page() {
    let app = TestApp::with_register().await;
    for number in 0..5 {
        app.register(draft(&format!("第{number}小学"), School, Recipient, TOWN)).await;
    }
    let mut seen = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListOrganisationsRequest { page_size: 2, page_token, ..Default::default() };
        let page = app.hq().list_organisations(request).await.unwrap().into_inner();
        assert!(page.organisations.len() <= 2);
        seen.extend(page.organisations.into_iter().map(|organisation| organisation.organisation_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 5);

    let huge = v1::ListOrganisationsRequest { page_size: 1_000_000_000, ..Default::default() };
    let refused = app.hq().list_organisations(huge).await.unwrap_err();
    assert_eq!(told(&refused), (Code::InvalidArgument, "INVALID_FIELDS".to_owned(), vec!["page_size".to_owned()]));
    let foreign = v1::ListOrganisationsRequest { page_token: "%".to_owned(), ..Default::default() };
    assert_eq!(told(&app.hq().list_organisations(foreign).await.unwrap_err()).2, ["page_token"]);
}

#[tokio::test]
async fn pages_follow_each_other_over_regions_sides_and_kinds() {
    let app = TestApp::with_register().await;
    let drafts = [
        draft("广州市第一中学", School, Supporter, "440100000000"),
        draft("太平中学", School, Recipient, TOWN),
        draft("沙塘卫生站", Hospital, Recipient, VILLAGE),
        draft("阳山医院", Hospital, Supporter, COUNTY),
        draft("三水小学", School, Recipient, "441825104200"),
    ];
    for draft in drafts {
        app.register(draft).await;
    }
    let all = app.hq().list_organisations(v1::ListOrganisationsRequest::default()).await.unwrap().into_inner();
    let all: Vec<_> = all.organisations.into_iter().map(|one| one.name).collect();
    assert_eq!(all, ["广州市第一中学", "阳山医院", "太平中学", "沙塘卫生站", "三水小学"]);
    let (mut paged, mut page_token) = (Vec::new(), String::new());
    for _ in 0..5 {
        let request = v1::ListOrganisationsRequest { page_size: 1, page_token, ..Default::default() };
        let page = app.hq().list_organisations(request).await.unwrap().into_inner();
        paged.extend(page.organisations.into_iter().map(|one| one.name));
        page_token = page.next_page_token;
    }
    assert_eq!((paged, page_token), (all, String::new()));
}

#[tokio::test]
async fn a_list_of_a_region_holds_what_is_at_home_there_and_visible() {
    let app = TestApp::with_register().await;
    app.register(draft("广州市第一中学", School, Supporter, "440100000000")).await;
    app.register(draft("阳山医院", Hospital, Supporter, COUNTY)).await;
    app.register(draft("太平中学", School, Recipient, TOWN)).await;
    app.register(draft("三水小学", School, Recipient, "441825104200")).await;
    let names = |region_code: &str, side: i32, kind: i32| {
        let (mut client, region_code) = (app.client("county", COUNTY), region_code.to_owned());
        let request = v1::ListOrganisationsRequest { region_code, side, kind, ..Default::default() };
        async move {
            let listed = client.list_organisations(request).await.unwrap().into_inner().organisations;
            listed.into_iter().map(|one| one.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names("", 0, 0).await, ["广州市第一中学", "阳山医院", "太平中学"]);
    assert_eq!(names(PROVINCE, 0, 0).await, ["广州市第一中学", "阳山医院", "太平中学"]);
    assert_eq!(names(COUNTY, 0, 0).await, ["阳山医院", "太平中学"]);
    assert_eq!(names(OTHER_COUNTY, 0, 0).await, [""; 0]);
    assert_eq!(names("", Supporter.into(), 0).await, ["广州市第一中学", "阳山医院"]);
    assert_eq!(names("", Recipient.into(), 0).await, ["太平中学"]);
    assert_eq!(names("", 0, Hospital.into()).await, ["阳山医院"]);
}

#[tokio::test]
async fn an_organisation_is_closed_once_nothing_depends_on_it() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(v1::OrganisationKind::Government, VILLAGE, "2025-01-01").await;
    let close = |organisation_id: &str, expected_version| v1::CloseOrganisationRequest {
        request_id: new_request_id(),
        organisation_id: organisation_id.to_owned(),
        closed_on: date("2025-06-01"),
        reason: "merged".to_owned(),
        expected_version,
    };
    let busy = app.hq().close_organisation(close(&pairing.supporter_id, 0)).await.unwrap_err();
    refused(&busy, Code::FailedPrecondition, "ORGANISATION_HAS_PAIRINGS", "organisation_id");

    app.end(&pairing, "2025-05-01").await.unwrap();
    let stale = app.hq().close_organisation(close(&pairing.supporter_id, 9)).await.unwrap_err();
    assert_eq!((stale.code(), told(&stale).1.as_str()), (Code::Aborted, "VERSION_STALE"));
    let closed = app.hq().close_organisation(close(&pairing.supporter_id, 1)).await.unwrap().into_inner();
    assert_eq!(closed.organisation.as_ref().unwrap().version, 2);
    let again = app.hq().close_organisation(close(&pairing.supporter_id, 0)).await.unwrap().into_inner();
    assert_eq!(again, closed);
    assert_eq!(app.events::<v1::OrganisationClosed>().await.len(), 1);

    let ask = v1::GetOrganisationRequest { organisation_id: pairing.recipient_id };
    let recipient = app.hq().get_organisation(ask).await.unwrap().into_inner().organisation.unwrap();
    let late = app.establish(&closed.organisation.unwrap(), &recipient, "2025-06-10").await.unwrap_err();
    refused(&late, Code::FailedPrecondition, "ORGANISATION_CLOSED", "pairing.supporter_id");
}

#[tokio::test]
async fn a_clerk_may_not_do_what_the_role_does_not_say() {
    let app = TestApp::with_register().await;
    let request = registration(draft("太平中学", School, Recipient, TOWN));
    let refused = app.client("department", PROVINCE).register_organisation(request).await.unwrap_err();
    assert_eq!(told(&refused), (Code::PermissionDenied, "PERMISSION_MISSING".to_owned(), vec![]));
}

#[tokio::test]
async fn a_county_does_not_close_a_supporter_from_elsewhere() {
    let app = TestApp::with_register().await;
    let supporter = app.register(draft("广州市第一中学", School, Supporter, "440100000000")).await;
    let close = v1::CloseOrganisationRequest {
        request_id: new_request_id(),
        organisation_id: supporter.organisation_id.clone(),
        closed_on: date("2025-06-01"),
        reason: "not mine".to_owned(),
        expected_version: 0,
    };
    let refused = app.client("county", COUNTY).close_organisation(close).await.unwrap_err();
    assert_eq!(
        told(&refused),
        (Code::NotFound, "ORGANISATION_NOT_FOUND".to_owned(), vec!["organisation_id".to_owned()])
    );
    let read = app.hq().get_organisation(get(&supporter)).await.unwrap().into_inner().organisation.unwrap();
    assert_eq!(read, supporter);
}

#[tokio::test]
async fn every_table_with_a_region_is_guarded() {
    TestApp::start().await.database.assert_regions_are_guarded().await;
}
