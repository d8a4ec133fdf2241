//! Pairings: who may be paired with whom, when, and until when.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Executor as _};
use tongxin_proto::pairing::v1::{
    self,
    OrganisationKind::{Enterprise, Government, Hospital, PartyOrganisation, School, VillageCollective},
    OrganisationSide::{Recipient, Supporter},
    PairingKind,
};
use tonic::Code;

use crate::{
    at_once::{close, paired},
    support::{
        COUNTY, Client, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, date, draft, new_request_id,
        party_pairing, party_recipient, party_supporter, refused, told,
    },
};

fn request(pairing: v1::PairingDraft) -> v1::EstablishPairingRequest {
    v1::EstablishPairingRequest { request_id: new_request_id(), pairing: Some(pairing) }
}

#[tokio::test]
async fn an_established_pairing_can_be_read_and_is_told_of() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2021-07-01").await;
    let request = v1::GetPairingRequest { pairing_id: pairing.pairing_id.clone() };
    let read = app.client("village", VILLAGE).get_pairing(request.clone()).await.unwrap().into_inner();
    assert_eq!(read.pairing.unwrap(), pairing);
    let events: Vec<v1::PairingEstablished> = app.events().await;
    assert_eq!((events.len(), &events[0].starts_on), (1, &date("2021-07-01")));

    let foreign = app.client("village", OTHER_VILLAGE).get_pairing(request).await.unwrap_err();
    assert_eq!(told(&foreign), (Code::NotFound, "PAIRING_NOT_FOUND".to_owned(), vec!["pairing_id".to_owned()]));
}

#[tokio::test]
async fn pairings_of_every_kind_are_read_back_as_they_were_stated() {
    let app = TestApp::with_register().await;
    let kinds = [
        (PairingKind::Party, PartyOrganisation, PartyOrganisation),
        (PairingKind::School, School, School),
        (PairingKind::Hospital, Hospital, Hospital),
        (PairingKind::Enterprise, Enterprise, VillageCollective),
        (PairingKind::Enterprise, Enterprise, School),
    ];
    for (number, (kind, supporter, recipient)) in kinds.into_iter().enumerate() {
        let host = |kind| if kind == PartyOrganisation { Government.into() } else { 0 };
        let one = v1::OrganisationDraft {
            host_kind: host(supporter),
            ..draft("广州市某单位", supporter, Supporter, "440100000000")
        };
        let other = v1::OrganisationDraft {
            host_kind: host(recipient),
            ..draft("太平镇某单位", recipient, Recipient, TOWN)
        };
        let (one, other) = (app.register(one).await, app.register(other).await);
        let stated = v1::PairingDraft {
            kind: kind.into(),
            agreement_number: format!("粤帮〔2024〕{number}号"),
            ends_on: date("2027-12-31"),
            ..party_pairing(&one, &other, "2024-03-01")
        };
        let made = app.hq().establish_pairing(request(stated.clone())).await.unwrap().into_inner().pairing.unwrap();
        let ask = v1::GetPairingRequest { pairing_id: made.pairing_id };
        let read = app.hq().get_pairing(ask).await.unwrap().into_inner().pairing.unwrap();
        let read = v1::PairingDraft {
            kind: read.kind,
            supporter_id: read.supporter_id,
            recipient_id: read.recipient_id,
            agreement_number: read.agreement_number,
            starts_on: read.starts_on,
            ends_on: read.ends_on,
            ..v1::PairingDraft::default()
        };
        assert_eq!(read, stated);
        let wrong = v1::PairingDraft { kind: PairingKind::Party.into(), ..stated };
        if kind != PairingKind::Party {
            let wrong = app.hq().establish_pairing(request(wrong)).await.unwrap_err();
            refused(&wrong, Code::FailedPrecondition, "ORGANISATION_KIND_WRONG", "pairing.supporter_id");
        }
    }
}

/// A trigger stands for whatever may fail once a pairing is written: the log, or the answer that is kept.
#[tokio::test]
async fn a_pairing_and_what_is_told_of_it_come_to_be_together_or_not_at_all() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let (events, refuse) = (
        app.all_events().await,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$",
    );
    app.owner.execute(refuse).await.unwrap();
    for table in ["event", "request"] {
        let trigger = format!("CREATE TRIGGER refuse AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()");
        app.owner.execute(AssertSqlSafe(trigger)).await.unwrap();
        let failed = app.establish(&supporter, &recipient, "2025-01-01").await.unwrap_err();
        assert_eq!((failed.code(), told(&failed).1.as_str()), (Code::Unavailable, "UNAVAILABLE"), "{table}");
        let pairings: i64 = sqlx::query_scalar("SELECT count(*) FROM pairing").fetch_one(&app.owner).await.unwrap();
        assert_eq!((pairings, app.all_events().await), (0, events), "{table}");
        app.owner.execute(AssertSqlSafe(format!("DROP TRIGGER refuse ON {table}"))).await.unwrap();
    }
    app.establish(&supporter, &recipient, "2025-01-01").await.unwrap();
    assert!(app.all_events().await > events);
}

#[tokio::test]
async fn two_organisations_are_paired_once_at_a_time() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let first = app.establish(&supporter, &recipient, "2025-01-01").await.unwrap();
    let twice = app.establish(&supporter, &recipient, "2025-03-01").await.unwrap_err();
    refused(&twice, Code::AlreadyExists, "PAIRING_OVERLAPS", "pairing.recipient_id");
    app.end(&first, "2025-02-01").await.unwrap();
    app.establish(&supporter, &recipient, "2025-03-01").await.unwrap();
}

#[tokio::test]
async fn of_fifty_equal_pairings_at_once_one_is_established() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let tries = (0..50).map(|_| app.establish(&supporter, &recipient, "2025-01-01"));
    let done = futures::future::join_all(tries).await;
    assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1);
    for status in done.into_iter().filter_map(Result::err) {
        assert_eq!(told(&status).1, "PAIRING_OVERLAPS");
    }
}

#[tokio::test]
async fn only_those_are_paired_who_fit() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let school = app.register(draft("广州市第一中学", School, Supporter, "440100000000")).await;
    let pupil = app.register(draft("太平小学", School, Recipient, TOWN)).await;
    let of_county = app.register(party_recipient(COUNTY)).await;
    let pair = |one, other| party_pairing(one, other, "2025-01-01");
    let cases = [
        (pair(&recipient, &recipient), "ORGANISATION_SIDE_WRONG", "pairing.supporter_id"),
        (pair(&supporter, &supporter), "ORGANISATION_SIDE_WRONG", "pairing.recipient_id"),
        (pair(&school, &recipient), "ORGANISATION_KIND_WRONG", "pairing.supporter_id"),
        (pair(&supporter, &pupil), "ORGANISATION_KIND_WRONG", "pairing.recipient_id"),
        (pair(&supporter, &of_county), "RECIPIENT_REGION_WRONG", "pairing.recipient_id"),
    ];
    for (draft, reason, field) in cases {
        let unfit = app.hq().establish_pairing(request(draft)).await.unwrap_err();
        refused(&unfit, Code::FailedPrecondition, reason, field);
    }
    let nobody = v1::PairingDraft { supporter_id: new_request_id(), ..pair(&supporter, &recipient) };
    let nobody = app.hq().establish_pairing(request(nobody)).await.unwrap_err();
    refused(&nobody, Code::NotFound, "ORGANISATION_NOT_FOUND", "pairing.supporter_id");
    let foreign = app.client("county", OTHER_COUNTY).establish_pairing(request(pair(&supporter, &recipient))).await;
    refused(&foreign.unwrap_err(), Code::NotFound, "ORGANISATION_NOT_FOUND", "pairing.recipient_id");
    assert!(app.events::<v1::PairingEstablished>().await.is_empty());
}

#[tokio::test]
async fn dates_are_in_order_not_in_the_future_and_not_too_old() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Enterprise)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let with_dates = |starts_on, ends_on| {
        request(v1::PairingDraft { starts_on, ends_on, ..party_pairing(&supporter, &recipient, "2025-01-01") })
    };
    let no_day = Some(tongxin_proto::Date { year: 2025, month: 2, day: 30 });
    let cases = [
        (with_dates(date("2025-07-01"), None), "DATE_IN_FUTURE", "pairing.starts_on"),
        (with_dates(date("2025-03-01"), date("2025-02-01")), "DATE_ORDER", "pairing.ends_on"),
        (with_dates(no_day, None), "INVALID_FIELDS", "pairing.starts_on"),
        (with_dates(None, None), "INVALID_FIELDS", "pairing.starts_on"),
    ];
    for (request, reason, field) in cases {
        let wrong = app.hq().establish_pairing(request).await.unwrap_err();
        refused(&wrong, Code::InvalidArgument, reason, field);
    }
    let old = app.client("county", COUNTY).establish_pairing(with_dates(date("2022-01-01"), None)).await.unwrap_err();
    assert_eq!(
        told(&old),
        (Code::PermissionDenied, "HISTORY_NOT_ALLOWED".to_owned(), vec!["pairing.starts_on".to_owned()])
    );
    app.hq().establish_pairing(with_dates(date("2022-01-01"), date("2030-01-01"))).await.unwrap();
}

#[tokio::test]
async fn a_pairing_ends_once_and_not_before_it_began() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    assert_eq!(told(&app.end(&pairing, "2025-02-01").await.unwrap_err()).1, "DATE_ORDER");
    assert_eq!(told(&app.end(&pairing, "2025-07-01").await.unwrap_err()).1, "DATE_IN_FUTURE");
    let ended = app.end(&pairing, "2025-06-30").await.unwrap();
    assert_eq!((ended.version, ended.end_reason.as_str(), ended.ends_on), (2, "merged", date("2025-06-30")));
    let again = app.end(&pairing, "2025-06-30").await.unwrap_err();
    refused(&again, Code::FailedPrecondition, "PAIRING_ENDED", "pairing_id");
    assert_eq!(app.events::<v1::PairingEnded>().await.len(), 1);
}

#[tokio::test]
async fn an_agreed_end_that_has_come_stands_and_one_to_come_is_brought_forward() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    let recipient = app.register(party_recipient(VILLAGE)).await;
    let until = |starts_on: &str, ends_on: &str| {
        request(v1::PairingDraft { ends_on: date(ends_on), ..party_pairing(&supporter, &recipient, starts_on) })
    };
    let mut hq = app.hq();
    let past = hq.establish_pairing(until("2025-01-01", "2025-04-01")).await.unwrap().into_inner().pairing.unwrap();
    let early = app.end(&past, "2025-03-01").await.unwrap_err();
    refused(&early, Code::FailedPrecondition, "PAIRING_ENDED", "pairing_id");
    let open = hq.establish_pairing(until("2025-05-01", "2026-01-01")).await.unwrap().into_inner().pairing.unwrap();
    assert_eq!(app.end(&open, "2025-06-01").await.unwrap().ends_on, date("2025-06-01"));
}

#[tokio::test]
async fn a_pairing_is_ended_as_it_was_seen_and_not_from_elsewhere() {
    let app = TestApp::with_register().await;
    let pairing = app.pair(Government, VILLAGE, "2025-02-01").await;
    let end = |expected_version, pairing_id: &str| v1::EndPairingRequest {
        request_id: new_request_id(),
        pairing_id: pairing_id.to_owned(),
        ends_on: date("2025-06-01"),
        reason: "merged".to_owned(),
        expected_version,
    };
    let stale = app.hq().end_pairing(end(9, &pairing.pairing_id)).await.unwrap_err();
    assert_eq!(told(&stale), (Code::Aborted, "VERSION_STALE".to_owned(), vec!["expected_version".to_owned()]));
    let foreign = app.client("county", OTHER_COUNTY).end_pairing(end(0, &pairing.pairing_id)).await.unwrap_err();
    let missing = app.hq().end_pairing(end(0, &new_request_id())).await.unwrap_err();
    assert_eq!((told(&foreign), foreign.code()), (told(&missing), Code::NotFound));
    assert!(app.events::<v1::PairingEnded>().await.is_empty());
    app.hq().end_pairing(end(1, &pairing.pairing_id)).await.unwrap();
}

/// As below, where pairings end or are voided: the supporter goes on to count for those elsewhere.
#[tokio::test]
async fn a_supporter_counts_as_long_as_a_pairing_elsewhere_lasts() {
    let app = TestApp::with_register().await;
    let mut pairings = Vec::new();
    for _ in ["ends", "is voided"] {
        let supporter = app.register(party_supporter(Government)).await;
        for village in ["441825104200", VILLAGE] {
            let recipient = app.register(party_recipient(village)).await;
            pairings.push(app.establish(&supporter, &recipient, "2025-05-01").await.unwrap());
        }
    }
    let [_, ends, _, is_voided] = &pairings[..] else { unreachable!() };
    let mut county = app.client("county", COUNTY);
    let end = v1::EndPairingRequest {
        request_id: new_request_id(),
        pairing_id: ends.pairing_id.clone(),
        ends_on: date("2025-06-01"),
        reason: "merged".to_owned(),
        expected_version: 0,
    };
    county.end_pairing(end).await.unwrap();
    let void = v1::VoidPairingRequest {
        request_id: new_request_id(),
        pairing_id: is_voided.pairing_id.clone(),
        reason: "typed twice".to_owned(),
        expected_version: 0,
    };
    county.void_pairing(void).await.unwrap();
    for pairing in [ends, is_voided] {
        for (region, expected) in [(PROVINCE, 1), (COUNTY, 0), (OTHER_COUNTY, 1)] {
            assert_eq!(paired(&app, &pairing.supporter_id, region).await, expected, "{region}");
        }
    }
}

#[tokio::test]
async fn a_supporter_with_a_pairing_in_another_county_is_not_closed_at_home() {
    let app = TestApp::with_register().await;
    let at_home = v1::OrganisationDraft { region_code: COUNTY.to_owned(), ..party_supporter(Government) };
    let supporter = app.register(at_home).await;
    let recipient = app.register(party_recipient("441825104200")).await;
    app.establish(&supporter, &recipient, "2025-05-01").await.unwrap();
    let busy = app.client("county", COUNTY).close_organisation(close(&supporter)).await.unwrap_err();
    refused(&busy, Code::FailedPrecondition, "ORGANISATION_HAS_PAIRINGS", "organisation_id");
    assert!(app.events::<v1::OrganisationClosed>().await.is_empty());
}

#[tokio::test]
async fn pairings_are_listed_by_region_organisation_and_day() {
    let app = TestApp::with_register().await;
    let first = app.pair(Government, VILLAGE, "2025-02-01").await;
    let second = app.pair(Enterprise, OTHER_VILLAGE, "2025-03-01").await;
    app.end(&first, "2025-04-01").await.unwrap();
    let list = |request: v1::ListPairingsRequest| {
        let mut client = app.hq();
        async move {
            let listed = client.list_pairings(request).await.unwrap().into_inner().pairings;
            listed.into_iter().map(|pairing| pairing.pairing_id).collect::<BTreeSet<_>>()
        }
    };
    let set = |pairings: &[&v1::Pairing]| pairings.iter().map(|pairing| pairing.pairing_id.clone()).collect();
    let of_town = v1::ListPairingsRequest { region_code: TOWN.to_owned(), ..Default::default() };
    assert_eq!(list(of_town.clone()).await, set(&[&first, &second]));
    let in_force = v1::ListPairingsRequest { in_force_on: date("2025-04-01"), ..of_town };
    assert_eq!(list(in_force).await, set(&[&second]));
    let organisation_id = first.supporter_id.clone();
    let of_supporter = v1::ListPairingsRequest { organisation_id, ..Default::default() };
    assert_eq!(list(of_supporter).await, set(&[&first]));
}

#[tokio::test]
async fn pairings_are_listed_page_by_page_within_the_callers_region() {
    let app = TestApp::with_register().await;
    let elsewhere = app.pair(Government, "441825104200", "2025-02-01").await;
    let second = app.pair(Enterprise, OTHER_VILLAGE, "2025-03-01").await;
    let first = app.pair(Government, VILLAGE, "2025-02-01").await;
    let teacher = app.register(draft("广州市第一中学", School, Supporter, "440100000000")).await;
    let pupil = app.register(draft("太平小学", School, Recipient, TOWN)).await;
    let schools =
        v1::PairingDraft { kind: PairingKind::School.into(), ..party_pairing(&teacher, &pupil, "2025-02-01") };
    let schools = app.hq().establish_pairing(request(schools)).await.unwrap().into_inner().pairing.unwrap();
    let list = |request: v1::ListPairingsRequest, mut client: Client| async move {
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = v1::ListPairingsRequest { page_size: 1, page_token, ..request.clone() };
            let page = client.list_pairings(request).await.unwrap().into_inner();
            listed.extend(page.pairings.into_iter().map(|pairing| pairing.pairing_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return listed;
            }
        }
    };
    let ids = |pairings: &[&v1::Pairing]| pairings.iter().map(|one| one.pairing_id.clone()).collect::<Vec<_>>();
    let (any, county) = (v1::ListPairingsRequest::default, || app.client("county", COUNTY));
    assert_eq!(list(any(), app.hq()).await, ids(&[&schools, &first, &second, &elsewhere]));
    assert_eq!(list(any(), county()).await, ids(&[&schools, &first, &second]));
    let of_province = v1::ListPairingsRequest { region_code: PROVINCE.to_owned(), ..any() };
    assert_eq!(list(of_province, county()).await, ids(&[&schools, &first, &second]));
    let of_schools = v1::ListPairingsRequest { kind: PairingKind::School.into(), ..any() };
    assert_eq!(list(of_schools, county()).await, ids(&[&schools]));
    let of_pupil = v1::ListPairingsRequest { organisation_id: pupil.organisation_id, ..any() };
    assert_eq!(list(of_pupil, county()).await, ids(&[&schools]));
    let of_stranger = v1::ListPairingsRequest { organisation_id: elsewhere.supporter_id, ..any() };
    assert_eq!(list(of_stranger, county()).await, ids(&[]));
}

/// What a figure counts does not depend on who enters it: a county sees its own pairings only, but
/// the province's count of a supporter that others have, too, does not rise again.
#[tokio::test]
async fn a_supporter_counts_once_whoever_pairs_it() {
    let app = TestApp::with_register().await;
    let supporter = app.register(party_supporter(Government)).await;
    for (county, village) in [(COUNTY, VILLAGE), (OTHER_COUNTY, "441825104200")] {
        let recipient = app.register(party_recipient(village)).await;
        let draft = request(party_pairing(&supporter, &recipient, "2025-05-01"));
        app.client("county", county).establish_pairing(draft).await.unwrap();
    }
    let mut regions: Vec<String> = Vec::new();
    for event in app.events::<v1::OrganisationPairedChanged>().await {
        if event.organisation_id == supporter.organisation_id {
            regions.extend(event.changes.into_iter().map(|change| change.region_code));
        }
    }
    let once = |code: &str| regions.iter().filter(|region| *region == code).count();
    assert_eq!((once("440000000000"), once("441800000000")), (1, 1));
    assert_eq!((once(COUNTY), once(OTHER_COUNTY)), (1, 1));
}
