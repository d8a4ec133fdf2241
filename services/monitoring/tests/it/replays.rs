//! The same request again: the answer that was given, in which what is personal is as it is now.

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};
use tongxin_proto::{
    POOL,
    monitoring::v1::{
        self, ChangeHouseholdRequest, Household, MemberDraft, MergeHouseholdsRequest, MoveHouseholdRequest,
        RegisterHouseholdRequest, Relation, RemoveMemberRequest, SetMemberRequest, SocialSupport, UndoMergeRequest,
    },
    personal::Personal,
};

use crate::{
    drafts::{couple, id_number, member},
    moves::move_to,
    support::{COUNTY, Clients, OTHER_VILLAGE, TestApp, VILLAGE, date, new_request_id, told},
};

fn registration() -> RegisterHouseholdRequest {
    let mut draft = v1::HouseholdDraft { registered_on: date("2025-01-01"), ..couple(VILLAGE, 0) };
    "13912340077".clone_into(&mut draft.members[0].phone);
    RegisterHouseholdRequest { request_id: new_request_id(), household: Some(draft) }
}

async fn register(clerk: &mut Clients, request: &RegisterHouseholdRequest) -> v1::RegisterHouseholdResponse {
    clerk.households.register_household(request.clone()).await.unwrap().into_inner()
}

fn id_of(answer: &v1::RegisterHouseholdResponse) -> String {
    answer.household.as_ref().unwrap().household_id.clone()
}

/// The same without what is personal.
fn stripped<M: Personal + Clone>(answer: &M) -> M {
    let mut answer = answer.clone();
    answer.strip();
    answer
}

/// Makes a call twice and returns the answer, which is the same to the byte.
macro_rules! twice {
    ($clerk:ident, $method:ident, $request:expr) => {{
        let request = $request;
        let first = $clerk.households.$method(request.clone()).await.unwrap().into_inner();
        let again = $clerk.households.$method(request).await.unwrap().into_inner();
        assert_eq!(again.encode_to_vec(), first.encode_to_vec(), stringify!($method));
        assert_ne!(stripped(&first), first, "{} shows somebody", stringify!($method));
        first
    }};
}

#[tokio::test]
async fn while_nothing_changes_each_answer_is_the_same_to_the_byte_and_kept_without_anybody() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("county", COUNTY);
    let household_id = id_of(&twice!(clerk, register_household, registration()));
    let change = ChangeHouseholdRequest {
        request_id: new_request_id(),
        household_id: household_id.clone(),
        address: "金丝雀巷七号".to_owned(),
        support: SocialSupport::Subsistence.into(),
        ..Default::default()
    };
    twice!(clerk, change_household, change);
    let child = MemberDraft {
        phone: "13877665544".to_owned(),
        ..member("张小鱼", id_number("20100303", 5), Relation::Child)
    };
    let set = SetMemberRequest {
        request_id: new_request_id(),
        household_id: household_id.clone(),
        member: Some(child),
        ..Default::default()
    };
    let set = twice!(clerk, set_member, set).household.unwrap();
    let child = set.members.iter().find(|member| member.relation == i32::from(Relation::Child)).unwrap();
    let remove = RemoveMemberRequest {
        request_id: new_request_id(),
        household_id: household_id.clone(),
        member_id: child.member_id.clone(),
        left_on: date("2025-06-01"),
        expected_version: 0,
    };
    let second = app.hq().register(couple(OTHER_VILLAGE, 7)).await.unwrap();
    twice!(clerk, remove_member, remove);
    let moved = MoveHouseholdRequest {
        request_id: new_request_id(),
        household_id: household_id.clone(),
        region_code: OTHER_VILLAGE.to_owned(),
        moved_on: date("2025-06-02"),
        ..Default::default()
    };
    twice!(clerk, move_household, moved);
    let merge = MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: household_id,
        merged_id: second.household_id,
        take_members: vec![second.members[1].member_id.clone()],
        ..Default::default()
    };
    twice!(clerk, merge_households, merge);

    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT answer FROM request").fetch_all(&app.owner).await.unwrap();
    let (mut answers, mut members) = (0, 0);
    for answer in &kept {
        answers += 1;
        let text = String::from_utf8_lossy(answer);
        for telling in ["张", "王", "4418**", "***", "0077", "5544", "金丝雀"] {
            assert!(!text.contains(telling), "{telling} in {text}");
        }
        // Whichever answer it is: a household is its first field, and in a merge the second.
        for name in ["RegisterHouseholdResponse", "MergeHouseholdsResponse"] {
            let message = POOL.get_message_by_name(&format!("tongxin.monitoring.v1.{name}")).unwrap();
            members += DynamicMessage::decode(message, answer.as_slice()).map_or(0, |answer| members_without(&answer));
        }
    }
    assert!(answers >= 7 && members >= 10, "{answers} answers with {members} members");
}

/// Counts members, none of whom has a personal field.
fn members_without(answer: &DynamicMessage) -> usize {
    let personal = POOL.get_extension_by_name("tongxin.options.v1.personal").unwrap();
    let mut members = 0;
    for (field, value) in answer.fields() {
        let is_personal = field.options().get_extension(&personal).as_bool() == Some(true);
        assert!(!is_personal, "{} is kept as {value}", field.full_name());
        let within: Vec<&Value> = value.as_list().map_or(vec![value], |list| list.iter().collect());
        for message in within.into_iter().filter_map(Value::as_message) {
            members += usize::from(message.descriptor().name() == "Member") + members_without(message);
        }
    }
    members
}

#[tokio::test]
async fn what_is_personal_is_shown_as_it_is_now_and_all_else_as_it_was() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let request = registration();
    let first = register(&mut clerk, &request).await;
    let head = first.household.as_ref().unwrap().members[0].clone();
    let new = MemberDraft {
        phone: "13700008888".to_owned(),
        insurances: Vec::new(),
        ..member("欧阳娜娜", id_number("19790505", 4), Relation::Head)
    };
    let set = SetMemberRequest {
        request_id: new_request_id(),
        household_id: id_of(&first),
        member_id: head.member_id.clone(),
        member: Some(new),
        ..Default::default()
    };
    let now = clerk.households.set_member(set).await.unwrap().into_inner().household.unwrap();

    let again = register(&mut clerk, &request).await;
    assert_eq!(stripped(&again), stripped(&first), "the version, too, is that of the first answer");
    let shown = |household: &Household| household.members.iter().find(|one| one.member_id == head.member_id).cloned();
    let shown_now = shown(&now).unwrap();
    assert_eq!(shown(again.household.as_ref().unwrap()).unwrap(), shown_now);
    assert_eq!((shown_now.masked_phone.as_str(), shown_now.birth_date), ("137****8888", date("1979-05-05")));
}

#[tokio::test]
async fn of_a_household_that_left_the_callers_region_nothing_personal_is_shown_again() {
    let app = TestApp::start().await;
    let mut clerk = app.clients("village", VILLAGE);
    let request = registration();
    let first = register(&mut clerk, &request).await;
    move_to(&mut app.hq(), &id_of(&first), OTHER_VILLAGE, "2025-06-01").await.unwrap();
    let again = register(&mut clerk, &request).await;
    assert_eq!(again, stripped(&first));
    assert_eq!(told(&clerk.household(&id_of(&first)).await.unwrap_err()).1, "HOUSEHOLD_NOT_FOUND");
}

#[tokio::test]
async fn somebody_who_works_elsewhere_now_is_shown_nothing_of_the_former_village() {
    let app = TestApp::start().await;
    let of = |region| app.world.token_of("clerk", "village", region);
    let request = registration();
    let first = register(&mut app.clients_with(&of(VILLAGE)), &request).await;
    let elsewhere = app.clients_with(&of(OTHER_VILLAGE)).households.register_household(request.clone()).await;
    assert_eq!(told(&elsewhere.unwrap_err()).1, "REQUEST_ID_REUSED");
    assert_eq!(register(&mut app.clients_with(&of(VILLAGE)), &request).await, first);
    assert_eq!(app.count("household").await, 1);
}

#[tokio::test]
async fn of_somebody_who_is_gone_nothing_personal_is_shown_again() {
    let app = TestApp::start().await;
    let mut hq = app.hq();
    let (kept, merged) = (app.registered(VILLAGE, 0).await, app.registered(VILLAGE, 7).await);
    let merge = MergeHouseholdsRequest {
        request_id: new_request_id(),
        kept_id: kept.household_id.clone(),
        merged_id: merged.household_id,
        take_members: vec![merged.members[1].member_id.clone()],
        ..Default::default()
    };
    let first = hq.households.merge_households(merge.clone()).await.unwrap().into_inner();
    let merge_id = first.merge.as_ref().unwrap().merge_id.clone();
    hq.households
        .undo_merge(UndoMergeRequest { request_id: new_request_id(), merge_id, ..Default::default() })
        .await
        .unwrap();

    let again = hq.households.merge_households(merge).await.unwrap().into_inner();
    assert_eq!(stripped(&again), stripped(&first));
    let named: Vec<bool> =
        again.household.unwrap().members.iter().map(|member| !member.masked_name.is_empty()).collect();
    assert_eq!(named, [true, true, false], "the one who was taken over is there no more");
}
