//! Looking persons up and revealing them: logged each time, and limited for each subject and hour.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures::future::join_all;
use tongxin_platform::{limit::HourlyLimits, testing::TestWorld};
use tongxin_proto::monitoring::v1::{
    FindHouseholdsRequest, FindHouseholdsResponse, HouseholdRevealed, HouseholdsLookedUp, LookUpKey,
    MoveHouseholdRequest, RegisterHouseholdRequest,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    drafts::{couple, id_number},
    support::{COUNTY, Clients, OTHER_VILLAGE, TOWN, TestApp, VILLAGE, date, new_request_id, now, told},
};

/// A world in which villages and counties look up and reveal so often.
async fn limited(look_ups_per_hour: u32, reveals_per_hour: u32) -> TestApp {
    let limits = HourlyLimits { look_ups_per_hour, reveals_per_hour };
    let limits = ["village", "county"].map(|role| (role.to_owned(), limits));
    TestApp::start_in(TestWorld::with_limits(now(), BTreeMap::from(limits)).await).await
}

async fn find(clients: &Clients, id_number: String) -> Result<FindHouseholdsResponse, Status> {
    let request = FindHouseholdsRequest { id_number, ..FindHouseholdsRequest::default() };
    Ok(clients.households.clone().find_households(request).await?.into_inner())
}

/// The ID number of the head of `couple(_, 0)`.
fn known() -> String {
    id_number("19800101", 1)
}

fn unknown() -> String {
    id_number("19510203", 7)
}

#[tokio::test]
async fn each_look_up_leaves_an_event_with_the_kind_of_its_key_and_never_the_key() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    let mut village = app.clients("village", VILLAGE);
    assert_eq!(find(&village, known()).await.unwrap().households.len(), 1);
    assert_eq!(find(&village, unknown()).await.unwrap().households.len(), 0);
    let by_name = FindHouseholdsRequest {
        name: "王小花".to_owned(),
        region_code: VILLAGE.to_owned(),
        ..FindHouseholdsRequest::default()
    };
    village.households.find_households(by_name).await.unwrap();
    let event = |key: LookUpKey, found| HouseholdsLookedUp { key: key.into(), region_code: VILLAGE.to_owned(), found };
    let expected = [event(LookUpKey::IdNumber, 1), event(LookUpKey::IdNumber, 0), event(LookUpKey::Name, 1)];
    assert_eq!(app.events::<HouseholdsLookedUp>().await, expected);

    let leaks = "SELECT count(*) FROM event, member
        WHERE event_type LIKE '%HouseholdsLookedUp'
            AND (position(uuid_send(id_index) IN payload) > 0 OR position(uuid_send(name_index) IN payload) > 0
                OR aggregate_id IN (id_index::text, name_index::text)
                OR position(convert_to($1, 'UTF8') IN payload) > 0 OR actor NOT LIKE '%|village@441823107201')";
    let leaks: i64 = sqlx::query_scalar(leaks).bind(known()).fetch_one(&app.owner).await.unwrap();
    assert_eq!(leaks, 0);
}

#[tokio::test]
async fn a_look_up_that_cannot_be_logged_is_not_answered() {
    let app = TestApp::start().await;
    app.registered(VILLAGE, 0).await;
    sqlx::query("ALTER TABLE event ADD CONSTRAINT no_room CHECK (event_type NOT LIKE '%LookedUp') NOT VALID")
        .execute(&app.owner)
        .await
        .unwrap();
    for asked in [known(), unknown()] {
        let refused = find(&app.clients("village", VILLAGE), asked).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::Internal, "INTERNAL"));
    }
    assert_eq!(app.count("hourly_use").await, 0);
}

#[tokio::test]
async fn fifty_at_once_on_two_replicas_find_as_often_as_the_limit_says_and_the_next_hour_is_free_again() {
    let app = limited(20, 100).await;
    app.registered(VILLAGE, 0).await;
    let replica = app.replica().await;
    let clients = [app.clients("village", VILLAGE), app.clients_of(&replica, "village", VILLAGE)];
    let outcomes = join_all((0..50).map(|call| find(&clients[call % 2], known()))).await;
    let (found, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((found.len(), app.events::<HouseholdsLookedUp>().await.len()), (20, 20));
    for refused in refused {
        let status = refused.unwrap_err();
        assert_eq!(told(&status), (Code::ResourceExhausted, "LOOK_UP_LIMIT".to_owned(), vec![]));
        assert!(status.message().contains("20 look-ups an hour"), "{}", status.message());
        let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!((1..=3_600).contains(&wait.as_secs()), "{wait:?}");
    }
    // Another subject has an hour of its own.
    find(&app.clients("village", TOWN), known()).await.unwrap();

    app.world.clock.set(now() + TimeDelta::minutes(59));
    find(&clients[0], known()).await.unwrap_err();
    app.world.clock.set(now() + TimeDelta::hours(1));
    let again = [app.clients("village", VILLAGE), app.clients_of(&replica, "village", VILLAGE)];
    for call in 0..20 {
        find(&again[call % 2], known()).await.unwrap();
    }
    find(&again[0], known()).await.unwrap_err();
}

#[tokio::test]
async fn a_look_up_that_finds_nothing_counts_twice() {
    let app = limited(10, 100).await;
    app.registered(VILLAGE, 0).await;
    let village = app.clients("village", VILLAGE);
    for _ in 0..5 {
        find(&village, unknown()).await.unwrap();
    }
    assert_eq!(told(&find(&village, known()).await.unwrap_err()).1, "LOOK_UP_LIMIT");
}

#[tokio::test]
async fn a_refused_look_up_says_the_same_of_a_known_and_an_unknown_person() {
    let app = limited(1, 100).await;
    app.registered(VILLAGE, 0).await;
    let village = app.clients("village", VILLAGE);
    find(&village, known()).await.unwrap();
    let refused = [find(&village, known()).await.unwrap_err(), find(&village, unknown()).await.unwrap_err()];
    let [known, unknown] = refused.map(|status| (status.message().to_owned(), status.details().to_vec()));
    assert_eq!(known, unknown);
    assert_eq!(app.events::<HouseholdsLookedUp>().await.len(), 1);
}

#[tokio::test]
async fn reveals_have_a_limit_of_their_own_and_a_refused_one_shows_and_logs_nothing() {
    let app = limited(1, 3).await;
    let household = app.registered(VILLAGE, 0).await.household_id;
    let village = app.clients("village", VILLAGE);
    let reveals = join_all((0..50).map(|_| {
        let mut village = village.clone();
        let household = household.clone();
        async move { village.reveal(&household).await }
    }));
    let (shown, refused): (Vec<_>, Vec<_>) = reveals.await.into_iter().partition(Result::is_ok);
    assert_eq!((shown.len(), app.events::<HouseholdRevealed>().await.len()), (3, 3));
    for refused in refused {
        assert_eq!(told(&refused.unwrap_err()), (Code::ResourceExhausted, "REVEAL_LIMIT".to_owned(), vec![]));
    }
    find(&village, known()).await.unwrap();
    // The limit is that of the role: others have the usual one.
    app.clients("town", TOWN).reveal(&household).await.unwrap();
    for _ in 0..30 {
        app.clients("town", TOWN).reveal(&household).await.unwrap();
    }
}

#[tokio::test]
async fn a_number_that_is_said_to_be_taken_counts_as_a_look_up() {
    let app = limited(2, 100).await;
    let mut taken = couple(VILLAGE, 0);
    taken.household_number = "44182300001".to_owned();
    app.hq().register(taken.clone()).await.unwrap();
    let register = async |draft| {
        let request = RegisterHouseholdRequest { request_id: new_request_id(), household: Some(draft) };
        app.clients("village", VILLAGE).households.register_household(request).await
    };
    for _ in 0..2 {
        assert_eq!(told(&register(taken.clone()).await.unwrap_err()).1, "HOUSEHOLD_NUMBER_TAKEN");
    }
    assert_eq!(told(&register(taken).await.unwrap_err()).1, "LOOK_UP_LIMIT");
    assert_eq!(told(&find(&app.clients("village", VILLAGE), known()).await.unwrap_err()).1, "LOOK_UP_LIMIT");
    // Who states no number asks for none.
    register(couple(VILLAGE, 3)).await.unwrap();
}

/// Also by those who move a household, and give it a number that may be somebody's.
#[tokio::test]
async fn whoever_moves_households_asks_for_numbers_as_often_as_the_limit_says() {
    let app = limited(2, 100).await;
    let mut taken = couple(VILLAGE, 0);
    taken.household_number = "44182300001".to_owned();
    app.hq().register(taken).await.unwrap();
    let mut draft = couple(VILLAGE, 3);
    draft.registered_on = date("2025-01-01");
    let moved = app.hq().register(draft).await.unwrap().household_id;
    let ask = async |number: &str, on: &str| {
        let request = MoveHouseholdRequest {
            request_id: new_request_id(),
            household_id: moved.clone(),
            region_code: OTHER_VILLAGE.to_owned(),
            moved_on: date(on),
            expected_version: 0,
            new_household_number: number.to_owned(),
        };
        app.clients("county", COUNTY).households.move_household(request).await
    };
    for _ in 0..2 {
        assert_eq!(told(&ask("44182300001", "2025-06-01").await.unwrap_err()).1, "HOUSEHOLD_NUMBER_TAKEN");
    }
    for number in ["44182300001", "44182300002"] {
        assert_eq!(told(&ask(number, "2025-06-01").await.unwrap_err()).1, "LOOK_UP_LIMIT", "{number}");
    }
    // Who states no number, and has none, asks for none.
    ask("", "2025-06-01").await.unwrap();
}
