//! Who looked at what, for auditors.

use chrono::TimeDelta;
use tongxin_proto::monitoring::v1::{
    Disclosure, FindHouseholdsRequest, ListDisclosuresRequest, LookUp, LookUpKey, Reveal, RevealHouseholdRequest,
    RevealPurpose, disclosure::Act,
};
use tonic::Code;

use crate::{
    drafts::id_number,
    support::{
        COUNTY, Clients, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TestApp, VILLAGE, VILLAGE_ELSEWHERE, date, now, told,
    },
};

async fn look_up(clients: &mut Clients, region: &str) {
    let request = FindHouseholdsRequest {
        id_number: id_number("19800101", 1),
        region_code: region.to_owned(),
        ..FindHouseholdsRequest::default()
    };
    clients.households.find_households(request).await.unwrap();
}

async fn reveal(clients: &mut Clients, household: &str, reference: &str) {
    let request = RevealHouseholdRequest {
        household_id: household.to_owned(),
        purpose: RevealPurpose::HomeVisit.into(),
        reference: reference.to_owned(),
    };
    clients.households.reveal_household(request).await.unwrap();
}

async fn list(clients: &Clients, request: ListDisclosuresRequest) -> Vec<Disclosure> {
    clients.disclosures.clone().list_disclosures(request).await.unwrap().into_inner().disclosures
}

#[expect(clippy::unnecessary_wraps, reason = "as fields of messages have it")]
fn look_up_of(found: i32) -> Option<Act> {
    Some(Act::LookUp(LookUp { key: LookUpKey::IdNumber.into(), found }))
}

fn acts(listed: &[Disclosure]) -> Vec<Option<Act>> {
    listed.iter().map(|one| one.act.clone()).collect()
}

#[tokio::test]
async fn an_auditor_sees_who_looked_at_what_when_and_why_in_its_region_alone() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let elsewhere = app.registered(VILLAGE_ELSEWHERE, 1).await.household_id;
    look_up(&mut app.clients("village", VILLAGE), "").await;
    app.world.clock.set(now() + TimeDelta::minutes(1));
    reveal(&mut app.clients("county", COUNTY), &household, "2025/7").await;
    app.world.clock.set(now() + TimeDelta::minutes(2));
    reveal(&mut app.clients("county", OTHER_COUNTY), &elsewhere, "2025/8").await;
    look_up(&mut app.hq(), "").await;

    let revealed = |household: &str, reference: &str| {
        Some(Act::Reveal(Reveal {
            household_id: household.to_owned(),
            purpose: RevealPurpose::HomeVisit.into(),
            reference: reference.to_owned(),
        }))
    };
    let auditor = app.clients("auditor", COUNTY);
    let listed = list(&auditor, ListDisclosuresRequest::default()).await;
    assert_eq!(acts(&listed), [revealed(&household, "2025/7"), look_up_of(1)]);
    assert!(
        listed[0].subject.ends_with("|county@441823000000") && listed[1].subject.ends_with("|village@441823107201")
    );
    assert_eq!((listed[0].region_code.as_str(), listed[1].region_code.as_str()), (VILLAGE, VILLAGE));
    assert_eq!(listed[1].disclose_time.unwrap().seconds, now().timestamp());
    assert_eq!(listed[0].disclose_time.unwrap().seconds, now().timestamp() + 60);
    let outside = ListDisclosuresRequest { region_code: OTHER_COUNTY.to_owned(), ..ListDisclosuresRequest::default() };
    let refused = auditor.disclosures.clone().list_disclosures(outside).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::NotFound, "REGION_NOT_FOUND"));
    let other = ListDisclosuresRequest { household_id: elsewhere.clone(), ..ListDisclosuresRequest::default() };
    assert_eq!(list(&auditor, other.clone()).await, []);

    let province = app.clients("auditor", PROVINCE);
    assert_eq!(list(&province, ListDisclosuresRequest::default()).await.len(), 4);
    assert_eq!(acts(&list(&province, other).await), [revealed(&elsewhere, "2025/8")]);
}

#[tokio::test]
async fn disclosures_are_narrowed_by_day_subject_and_region_and_come_in_pages() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    for day in 0..3 {
        app.world.clock.set(now() + TimeDelta::days(day));
        for region in [VILLAGE, OTHER_VILLAGE] {
            look_up(&mut app.clients("county", COUNTY), region).await;
        }
        reveal(&mut app.clients("town", "441823107000"), &household, "").await;
    }
    let auditor = app.clients("auditor", PROVINCE);
    let all = ListDisclosuresRequest::default();
    let everything = list(&auditor, all.clone()).await;
    assert_eq!(everything.len(), 9);
    let of_day = ListDisclosuresRequest { since: date("2025-07-01"), until: date("2025-07-01"), ..all.clone() };
    assert_eq!(list(&auditor, of_day).await, everything[3..6]);
    let subject = everything.iter().find(|one| one.subject.ends_with("|town@441823107000")).unwrap().subject.clone();
    let by_subject = list(&auditor, ListDisclosuresRequest { subject: subject.clone(), ..all.clone() }).await;
    assert_eq!(by_subject.len(), 3);
    let both = ListDisclosuresRequest { subject: "x|y".to_owned(), household_id: household, ..all.clone() };
    assert_eq!(list(&auditor, both.clone()).await, []);
    assert_eq!(list(&auditor, ListDisclosuresRequest { subject, ..both }).await, by_subject);
    let in_village = ListDisclosuresRequest { region_code: OTHER_VILLAGE.to_owned(), ..all.clone() };
    assert_eq!(acts(&list(&auditor, in_village).await), [look_up_of(0), look_up_of(0), look_up_of(0)]);

    let (mut request, mut paged) = (ListDisclosuresRequest { page_size: 2, ..all }, Vec::new());
    loop {
        let page = auditor.disclosures.clone().list_disclosures(request.clone()).await.unwrap().into_inner();
        paged.extend(page.disclosures);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, everything);
}

#[tokio::test]
async fn only_auditors_read_who_looked_at_what() {
    let app = TestApp::start().await;
    for role in ["hq", "county", "town", "village", "department", "operator", "system"] {
        let mut clients = app.clients(role, PROVINCE);
        let refused = clients.disclosures.list_disclosures(ListDisclosuresRequest::default()).await.unwrap_err();
        assert_eq!(
            (refused.code(), told(&refused).1.as_str()),
            (Code::PermissionDenied, "PERMISSION_MISSING"),
            "{role}"
        );
    }
}
