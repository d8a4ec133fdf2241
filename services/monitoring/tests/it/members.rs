//! Who belongs to a household.

use tongxin_proto::monitoring::v1::{
    self, Health, Insurance, LabourAbility, MemberDraft, Relation, RemoveMemberRequest, Schooling, SetMemberRequest,
    Work,
};
use tonic::{Code, Status};

use crate::{
    drafts::{couple, id_number, member},
    support::{OTHER_VILLAGE, TestApp, VILLAGE, date, new_request_id, told},
};

async fn set(app: &TestApp, household: &v1::Household, id: &str, member: MemberDraft) -> Result<v1::Household, Status> {
    let request = SetMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member_id: id.to_owned(),
        member: Some(member),
        expected_version: household.version,
    };
    Ok(app.clients("village", VILLAGE).households.set_member(request).await?.into_inner().household.unwrap())
}

async fn remove(app: &TestApp, household: &v1::Household, id: &str, on: &str) -> Result<v1::Household, Status> {
    let request = RemoveMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member_id: id.to_owned(),
        left_on: date(on),
        expected_version: household.version,
    };
    Ok(app.clients("village", VILLAGE).households.remove_member(request).await?.into_inner().household.unwrap())
}

async fn persons(app: &TestApp) -> (i16, i16) {
    sqlx::query_as("SELECT persons, disabled FROM profile").fetch_one(&app.owner).await.unwrap()
}

#[tokio::test]
async fn members_come_change_and_leave() {
    let app = TestApp::start().await;
    let draft = v1::HouseholdDraft { registered_on: date("2025-01-10"), ..couple(VILLAGE, 0) };
    let household = app.hq().register(draft).await.unwrap();
    let mut child = member("张小三", id_number("20100303", 5), Relation::Child);
    child.health = vec![Health::Disabled.into()];
    let household = set(&app, &household, "", child).await.unwrap();
    assert_eq!((household.members.len(), household.version, persons(&app).await), (3, 2, (3, 1)));

    let spouse = household.members[1].member_id.clone();
    let head = household.members[0].member_id.clone();
    let new_head = member("王小花", id_number("19820202", 2), Relation::Head);
    let household = set(&app, &household, &spouse, new_head).await.unwrap();
    let relations: Vec<_> = household.members.iter().map(v1::Member::relation).collect();
    assert_eq!(
        (household.members[0].member_id.as_str(), relations),
        (spouse.as_str(), vec![Relation::Head, Relation::Other, Relation::Child])
    );

    let household = remove(&app, &household, &head, "2025-06-01").await.unwrap();
    let last = household.members.last().unwrap();
    assert_eq!(
        (last.member_id.as_str(), last.left_on, persons(&app).await),
        (head.as_str(), date("2025-06-01"), (2, 1))
    );
    assert_eq!(app.hq().household(&household.household_id).await.unwrap(), household);
    assert!(app.hq().by_id_number(&id_number("19800101", 1)).await.is_empty(), "who left is not found there");
    assert_eq!(app.events::<v1::HouseholdChanged>().await.len(), 3);
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_the_household_stays_as_it_was() {
    let app = TestApp::start().await;
    let draft = v1::HouseholdDraft { registered_on: date("2025-01-10"), ..couple(VILLAGE, 0) };
    let household = app.hq().register(draft).await.unwrap();
    let (head, spouse) = (household.members[0].member_id.as_str(), household.members[1].member_id.as_str());
    let nobody = "0190a0b2-7f3e-7000-8000-000000000001";
    let draft = |number: &str, relation| member("王小花", number, relation);
    let stated = [
        (set(&app, &household, "", draft(&id_number("19800101", 1), Relation::Child)).await, "MEMBER_TWICE"),
        (set(&app, &household, "", draft(&id_number("20250701", 1), Relation::Child)).await, "BIRTH_DATE_IN_FUTURE"),
        (set(&app, &household, "", draft("110101202311012171", Relation::Child)).await, "ID_NUMBER_INVALID"),
        (set(&app, &household, head, draft(&id_number("19800101", 1), Relation::Spouse)).await, "HEAD_NOT_ONE"),
        (set(&app, &household, nobody, draft(&id_number("19800101", 9), Relation::Child)).await, "MEMBER_NOT_FOUND"),
        (remove(&app, &household, head, "2025-06-01").await, "HEAD_NOT_ONE"),
        (remove(&app, &household, nobody, "2025-06-01").await, "MEMBER_NOT_FOUND"),
        (remove(&app, &household, spouse, "2025-07-01").await, "DATE_IN_FUTURE"),
        (remove(&app, &household, spouse, "2021-07-01").await, "HISTORY_NOT_ALLOWED"),
    ];
    for (answer, reason) in stated {
        assert_eq!(told(&answer.unwrap_err()).1, reason);
    }
    assert_eq!(app.hq().household(&household.household_id).await.unwrap(), household);

    let stale = v1::Household { version: 7, ..household.clone() };
    let refused = remove(&app, &stale, spouse, "2025-06-01").await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::Aborted, "VERSION_STALE"));
    let elsewhere = app.registered(OTHER_VILLAGE, 1).await;
    let refused = set(&app, &elsewhere, "", draft(&id_number("19900101", 9), Relation::Child)).await.unwrap_err();
    assert_eq!(told(&refused).1, "HOUSEHOLD_NOT_FOUND");
}

#[tokio::test]
async fn a_member_whom_no_truth_can_be_behind_is_refused_as_at_registration() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await;
    let farmer_of_three = member("张小宝", id_number("20220101", 1), Relation::Child);
    let refused = set(&app, &household, "", farmer_of_three).await.unwrap_err();
    assert_eq!((refused.code(), told(&refused).1.as_str()), (Code::FailedPrecondition, "DATA_QUALITY"));
    assert!(refused.message().contains("206"), "{}", refused.message());
    assert_eq!(app.count("member").await, 2);
}

#[tokio::test]
async fn a_change_is_warned_of_and_refused_as_an_entry_is() {
    let app = TestApp::start().await;
    let household = app.registered(VILLAGE, 0).await;
    let mut village = app.clients("village", VILLAGE);
    let request = |member| SetMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member: Some(member),
        ..SetMemberRequest::default()
    };
    let young_father = member("张老三", id_number("19850101", 3), Relation::Parent);
    let set = village.households.set_member(request(young_father)).await.unwrap().into_inner();
    assert_eq!(set.warnings, [107]);
    let statement = v1::ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        support: v1::SocialSupport::None.into(),
        ..v1::ChangeHouseholdRequest::default()
    };
    let changed = village.households.change_household(statement).await.unwrap().into_inner();
    assert_eq!(changed.warnings, set.warnings, "it is still so");
    let head = RemoveMemberRequest {
        request_id: new_request_id(),
        household_id: household.household_id.clone(),
        member_id: set.household.unwrap().members[2].member_id.clone(),
        left_on: date("2025-06-30"),
        expected_version: 0,
    };
    let removed = village.households.remove_member(head).await.unwrap().into_inner();
    assert_eq!(removed.warnings, [] as [i32; 0]);
}

/// All values of an enum of the contract but the unspecified one.
fn all<T: TryFrom<i32>>() -> Vec<i32> {
    (1..100).filter(|number| T::try_from(*number).is_ok()).collect()
}

#[tokio::test]
async fn every_value_of_a_member_is_read_as_it_was_stated() {
    let app = TestApp::start().await;
    let mut household = app.registered(VILLAGE, 0).await;
    let (labour, schooling, work) = (all::<LabourAbility>(), all::<Schooling>(), all::<Work>());
    let (insurances, relations) = (all::<Insurance>(), all::<Relation>());
    assert_eq!([&labour, &schooling, &work, &insurances].map(Vec::len), [5, 8, 7, 5]);
    let at = |values: &[i32], turn: usize| values[turn % values.len()];
    for (turn, work_months) in (0..=12).enumerate() {
        let spouse = household.members.iter().find(|member| member.birth_date == date("1982-02-02")).unwrap();
        let stated = MemberDraft {
            labour: at(&labour, turn),
            schooling: at(&schooling, turn),
            work: at(&work, turn),
            work_months,
            // None, one alone, and more and more of them.
            insurances: insurances
                .iter()
                .copied()
                .filter(|one| turn == 5 || turn > 5 && *one < work_months - 5)
                .collect(),
            relation: relations[1 + turn % (relations.len() - 1)],
            ..member("王小花", id_number("19820202", 2), Relation::Spouse)
        };
        let stated = match turn {
            0..5 => MemberDraft { insurances: vec![insurances[turn]], ..stated },
            _ => stated,
        };
        let (id, person) = (spouse.member_id.clone(), stated.clone());
        set(&app, &household, &id, person).await.unwrap();
        household = app.hq().household(&household.household_id).await.unwrap();
        let read = household.members.iter().find(|member| member.member_id == id).unwrap();
        assert_eq!(
            (read.labour, read.schooling, read.work, read.work_months, read.relation, &read.insurances),
            (stated.labour, stated.schooling, stated.work, stated.work_months, stated.relation, &stated.insurances)
        );
    }
}
