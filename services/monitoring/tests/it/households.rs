//! Households: registered, read, changed, looked up.

use tongxin_proto::monitoring::v1::{
    self, ChangeHouseholdRequest, FindHouseholdsRequest, HouseholdDraft, ListHouseholdsRequest, Relation, Sex,
    SocialSupport,
};
use tonic::Code;

use crate::{
    drafts::{couple, household, id_number, member},
    support::{
        COUNTY, OTHER_COUNTY, OTHER_VILLAGE, PROVINCE, TOWN, TestApp, VILLAGE, VILLAGE_ELSEWHERE, WITHDRAWN, date,
        new_request_id, told,
    },
};

#[tokio::test]
async fn a_household_is_registered_and_shown_masked() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let mut draft = couple(VILLAGE, 0);
    draft.household_number = "441823107201000017".to_owned() + "0";
    draft.members[0].phone = "13800001234".to_owned();
    let registered = clerk.register(draft).await.unwrap();
    assert_eq!(clerk.household(&registered.household_id).await.unwrap(), registered);

    let [head, spouse] = &registered.members[..] else { panic!("{registered:?}") };
    assert_eq!((head.masked_name.as_str(), head.masked_phone.as_str()), ("张**", "138****1234"));
    // The day of birth is shown beside it: the last digits would tell the rest.
    let shown = "4418**************";
    assert_eq!((head.masked_id_number.as_str(), head.birth_date), (shown, date("1980-01-01")));
    assert_eq!((head.sex(), spouse.sex()), (Sex::Male, Sex::Female));
    assert_eq!((registered.version, registered.registered_on), (1, date("2025-06-30")));

    let told_of = app.events::<v1::HouseholdsRegistered>().await;
    assert_eq!(told_of.len(), 1);
    assert_eq!(
        (told_of[0].household_ids.as_slice(), told_of[0].region_code.as_str()),
        (&[registered.household_id][..], VILLAGE)
    );
    assert_eq!((app.counted(VILLAGE, "2025-06-29").await, app.counted(VILLAGE, "2025-06-30").await), (0, 1));
}

#[tokio::test]
async fn the_same_request_registers_one_household() {
    let app = TestApp::start().await;
    let request = v1::RegisterHouseholdRequest { request_id: new_request_id(), household: Some(couple(VILLAGE, 0)) };
    let first = app.hq().households.register_household(request.clone()).await.unwrap().into_inner();
    let again = app.hq().households.register_household(request.clone()).await.unwrap().into_inner();
    assert_eq!((first, app.count("household").await), (again, 1));

    let other = v1::RegisterHouseholdRequest { household: Some(couple(VILLAGE, 1)), ..request };
    assert_eq!(told(&app.hq().households.register_household(other).await.unwrap_err()).1, "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_reason_and_nothing_is_written() {
    let app = TestApp::start().await;
    app.hq().register(HouseholdDraft { household_number: "77".to_owned(), ..couple(VILLAGE, 0) }).await.unwrap();
    let head = || member("李四", id_number("19700101", 1), Relation::Head);
    let child = |number: &str| member("李五", number, Relation::Child);
    let with = |members| household(VILLAGE, members);
    let cases = [
        (with(vec![head(), child("110101202311012171")]), "ID_NUMBER_INVALID", "household.members[1].id_number"),
        (with(vec![head(), child("441802199902300011")]), "ID_NUMBER_INVALID", "household.members[1].id_number"),
        (
            with(vec![head(), child(&id_number("20250701", 1))]),
            "BIRTH_DATE_IN_FUTURE",
            "household.members[1].id_number",
        ),
        (with(vec![head(), child(&id_number("19700101", 1))]), "MEMBER_TWICE", "household.members[1].id_number"),
        (with(vec![child(&id_number("20100101", 1))]), "HEAD_NOT_ONE", "household.members"),
        (
            with(vec![head(), member("李六", id_number("19700101", 3), Relation::Head)]),
            "HEAD_NOT_ONE",
            "household.members",
        ),
        (household(TOWN, vec![head()]), "REGION_LEVEL_WRONG", "household.region_code"),
        (
            HouseholdDraft { registered_on: date("2025-07-01"), ..with(vec![head()]) },
            "DATE_IN_FUTURE",
            "household.registered_on",
        ),
        (
            HouseholdDraft { household_number: id_number("19800101", 1).replace('X', "0"), ..with(vec![head()]) },
            "INVALID_FIELDS",
            "household.household_number",
        ),
        (
            with(vec![v1::MemberDraft { name: "  ".to_owned(), ..head() }]),
            "INVALID_FIELDS",
            "household.members[0].name",
        ),
        (with(vec![v1::MemberDraft { health: vec![2, 2], ..head() }]), "INVALID_FIELDS", "household.members[0].health"),
        (with(vec![v1::MemberDraft { health: vec![9], ..head() }]), "INVALID_FIELDS", "household.members[0].health"),
    ];
    for (draft, reason, field) in cases {
        let refused = app.hq().register(draft).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]), "{refused}");
    }
    let others = [
        (household("441823107299", vec![head()]), Code::NotFound, "REGION_NOT_FOUND"),
        (household(WITHDRAWN, vec![head()]), Code::FailedPrecondition, "REGION_WITHDRAWN"),
        (
            HouseholdDraft { household_number: "77".to_owned(), ..with(vec![head()]) },
            Code::AlreadyExists,
            "HOUSEHOLD_NUMBER_TAKEN",
        ),
    ];
    for (draft, code, reason) in others {
        let refused = app.hq().register(draft).await.unwrap_err();
        assert_eq!((refused.code(), told(&refused).1.as_str()), (code, reason), "{refused}");
    }
    let rows = (app.count("household").await, app.count("member").await, app.count("profile").await);
    assert_eq!((rows, app.count("event").await), ((1, 2, 1), 2));
}

#[tokio::test]
async fn old_registrations_are_for_those_who_load_history() {
    let app = TestApp::start().await;
    let old = |order| HouseholdDraft { registered_on: date("2021-03-01"), ..couple(VILLAGE, order) };
    let refused = app.clients("county", COUNTY).register(old(0)).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::PermissionDenied, "HISTORY_NOT_ALLOWED"));
    app.hq().register(old(0)).await.unwrap();
    assert_eq!((app.counted(VILLAGE, "2021-02-28").await, app.counted(VILLAGE, "2021-03-01").await), (0, 1));
}

#[tokio::test]
async fn what_lies_elsewhere_does_not_exist() {
    let app = TestApp::start().await;
    let here = app.registered(VILLAGE, 0).await.household_id;
    for (role, region) in [("village", OTHER_VILLAGE), ("county", OTHER_COUNTY)] {
        let mut stranger = app.clients(role, region);
        let absent = told(&stranger.household("0190a0b2-7f3e-7000-8000-000000000001").await.unwrap_err());
        assert_eq!((absent.0, absent.1.as_str()), (Code::NotFound, "HOUSEHOLD_NOT_FOUND"));
        assert_eq!(told(&stranger.household(&here).await.unwrap_err()), absent);
        assert_eq!(told(&stranger.reveal(&here).await.unwrap_err()), absent);
        assert_eq!(told(&stranger.register(couple(VILLAGE, 1)).await.unwrap_err()).1, "REGION_NOT_FOUND");
        assert!(stranger.by_id_number(&id_number("19800101", 1)).await.is_empty());
    }
    assert!(app.events::<v1::HouseholdRevealed>().await.is_empty());
}

#[tokio::test]
async fn a_department_neither_reads_nor_finds_nor_reveals() {
    let app = TestApp::start().await;
    let here = app.registered(VILLAGE, 0).await.household_id;
    let mut department = app.clients("department", COUNTY);
    assert_eq!(told(&department.household(&here).await.unwrap_err()).1, "PERMISSION_MISSING");
    assert_eq!(told(&department.reveal(&here).await.unwrap_err()).1, "PERMISSION_MISSING");
    let find = FindHouseholdsRequest { id_number: id_number("19800101", 1), ..Default::default() };
    assert_eq!(told(&department.households.find_households(find).await.unwrap_err()).1, "PERMISSION_MISSING");
}

fn change(household: &v1::Household) -> ChangeHouseholdRequest {
    ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        household_number: "88".to_owned(),
        address: "沙塘村3号".to_owned(),
        bank_account: "6222020200001234567".to_owned(),
        lifted_from_poverty: false,
        support: SocialSupport::Subsistence.into(),
        expected_version: household.version,
    }
}

#[tokio::test]
async fn a_household_is_changed_by_who_saw_its_newest_version() {
    let app = TestApp::start().await;
    let registered = app.registered(VILLAGE, 0).await;
    let changed = app.hq().households.change_household(change(&registered)).await.unwrap().into_inner();
    let changed = changed.household.unwrap();
    assert_eq!(
        (changed.version, changed.household_number.as_str(), changed.support()),
        (2, "88", SocialSupport::Subsistence)
    );
    let revealed = app.hq().reveal(&changed.household_id).await.unwrap();
    assert_eq!((revealed.address.as_str(), revealed.bank_account.as_str()), ("沙塘村3号", "6222020200001234567"));
    let support: String = sqlx::query_scalar("SELECT support FROM profile").fetch_one(&app.owner).await.unwrap();
    assert_eq!(support, "subsistence");

    let stale = app.hq().households.change_household(change(&registered)).await.unwrap_err();
    assert_eq!((stale.code(), told(&stale).1.as_str()), (Code::Aborted, "VERSION_STALE"));
    let other = app.registered(VILLAGE, 1).await;
    let taken = app.hq().households.change_household(change(&other)).await.unwrap_err();
    assert_eq!((taken.code(), told(&taken).1.as_str()), (Code::AlreadyExists, "HOUSEHOLD_NUMBER_TAKEN"));
    assert_eq!(app.events::<v1::HouseholdChanged>().await.len(), 1);
}

#[tokio::test]
async fn households_of_a_region_are_listed_page_by_page() {
    let app = TestApp::start().await;
    let mut registered = Vec::new();
    for order in 0..5 {
        let village = if order == 3 { VILLAGE_ELSEWHERE } else { VILLAGE };
        registered.push(app.registered(village, order).await.household_id);
    }
    let mut listed = Vec::new();
    let mut page_token = String::new();
    loop {
        let request =
            ListHouseholdsRequest { region_code: COUNTY.to_owned(), page_size: 3, page_token, ..Default::default() };
        let page = app.hq().households.list_households(request).await.unwrap().into_inner();
        listed.extend(page.households.into_iter().map(|household| household.household_id));
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    listed.sort();
    let mut expected = registered.clone();
    expected.remove(3);
    expected.sort();
    assert_eq!(listed, expected);

    let own = app.clients("county", OTHER_COUNTY).households.list_households(ListHouseholdsRequest::default()).await;
    let own = own.unwrap().into_inner().households;
    assert_eq!(own.iter().map(|household| &household.household_id).collect::<Vec<_>>(), [&registered[3]]);
    let foreign = ListHouseholdsRequest { region_code: COUNTY.to_owned(), ..Default::default() };
    let refused = app.clients("county", OTHER_COUNTY).households.list_households(foreign).await.unwrap_err();
    assert_eq!(told(&refused).1, "REGION_NOT_FOUND");
}

#[tokio::test]
async fn people_are_found_by_number_and_by_full_name_within_the_region() {
    let app = TestApp::start().await;
    let here = app.registered(VILLAGE, 0).await.household_id;
    let near = app.registered(OTHER_VILLAGE, 1).await.household_id;
    let far = app.registered(VILLAGE_ELSEWHERE, 2).await.household_id;
    let by_name = |region: &str, name: &str| FindHouseholdsRequest {
        name: name.to_owned(),
        region_code: region.to_owned(),
        ..Default::default()
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    for (role, region, asked, expected) in [
        ("hq", PROVINCE, "", vec![&here, &near, &far]),
        ("hq", PROVINCE, TOWN, vec![&here, &near]),
        ("county", COUNTY, "", vec![&here, &near]),
        ("village", VILLAGE, "", vec![&here]),
        ("village", VILLAGE_ELSEWHERE, VILLAGE_ELSEWHERE, vec![&far]),
    ] {
        let mut caller = app.clients(role, region);
        let found = caller.households.find_households(by_name(asked, " 王小花 ")).await.unwrap().into_inner();
        let found = found.households.into_iter().map(|household| household.household_id).collect();
        assert_eq!(sorted(found), sorted(expected.into_iter().cloned().collect()), "{role} of {region} in {asked}");
    }
    let foreign = app.clients("county", OTHER_COUNTY).households.find_households(by_name(TOWN, "王小花")).await;
    assert_eq!(told(&foreign.unwrap_err()).1, "REGION_NOT_FOUND");
    let part = app.hq().households.find_households(by_name("", "王小")).await.unwrap().into_inner();
    assert!(part.households.is_empty(), "only full names are found");

    assert_eq!(app.hq().by_id_number(&id_number("19820202", 4)).await, [near.as_str()]);
    assert!(app.clients("village", VILLAGE).by_id_number(&id_number("19820202", 4)).await.is_empty());
    assert!(app.hq().by_id_number(&id_number("19820202", 400)).await.is_empty());
}

#[tokio::test]
async fn one_thing_is_looked_up_at_once() {
    let app = TestApp::start().await;
    let find = |id_number: &str, name: &str| FindHouseholdsRequest {
        id_number: id_number.to_owned(),
        name: name.to_owned(),
        region_code: String::new(),
    };
    for (request, reason, field) in [
        (find("", " "), "INVALID_FIELDS", "id_number"),
        (find(&id_number("19800101", 1), "张三丰"), "INVALID_FIELDS", "name"),
        (find("110101202311012171", ""), "ID_NUMBER_INVALID", "id_number"),
    ] {
        let refused = app.hq().households.find_households(request).await.unwrap_err();
        assert_eq!(told(&refused), (Code::InvalidArgument, reason.to_owned(), vec![field.to_owned()]));
    }
}
