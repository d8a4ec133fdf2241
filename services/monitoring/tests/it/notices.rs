//! The public notice: who, where, what for, how long; and nothing else.

use prost::Message as _;
use tongxin_proto::{
    POOL,
    monitoring::v1::{self, RemovalKind, Step},
};
use tonic::Code;

use crate::{
    drafts::{household, id_number, member},
    lives::{case, observed, removal, start, step, track},
    support::{OTHER_COUNTY, VILLAGE, date, day, new_request_id, told},
};

#[tokio::test]
async fn a_notice_says_who_and_until_when() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    let error = hq.notice(&id).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "NOTICE_NOT_POSTED"));
    hq.take(track(&id, "2024-06-10").into_iter().take(5)).await;
    let notice = app.clients("village", VILLAGE).notice(&id).await.unwrap();
    let expected = v1::PublicNotice {
        region_code: VILLAGE.to_owned(),
        region_name: "沙塘村".to_owned(),
        head_name: "张三丰".to_owned(),
        persons: 2,
        category_name: "脱贫不稳定户".to_owned(),
        removal: false,
        posted_on: date("2024-06-10"),
        until: date("2024-06-15"),
    };
    assert_eq!(notice, expected);
    // On that day, and not before, it may come down.
    assert_eq!(
        told(&hq.step(step(&id, Step::NoticeEnded, day("2024-06-14"))).await.unwrap_err()).1,
        "NOTICE_TOO_SHORT"
    );
    hq.take(track(&id, "2024-06-10").into_iter().skip(5)).await;
    assert_eq!(hq.notice(&id).await.unwrap(), expected, "it was up");

    hq.propose(removal(&id, RemovalKind::Natural, "2025-06-10")).await.unwrap();
    assert_eq!(hq.notice(&id).await.unwrap(), expected);
    hq.take(track(&id, "2025-06-10").into_iter().take(5)).await;
    let notice = hq.notice(&id).await.unwrap();
    assert_eq!((notice.removal, notice.posted_on, notice.until), (true, date("2025-06-10"), date("2025-06-15")));
    assert_eq!(told(&app.clients("county", OTHER_COUNTY).notice(&id).await.unwrap_err()).1, "CASE_NOT_FOUND");
}

#[tokio::test]
async fn a_notice_holds_nothing_that_is_nobodys_business() {
    let (app, _) = start().await;
    let mut hq = app.hq();
    let number = id_number("19800101", 77);
    let mut head = member("李四", &number, v1::Relation::Head);
    (head.phone, head.health) = ("13800138000".to_owned(), vec![v1::Health::SeriousIllness.into()]);
    let mut draft = household(VILLAGE, vec![head]);
    (draft.bank_account, draft.address) = ("6222020200112233445".to_owned(), "三组12号".to_owned());
    let household = hq.register(draft).await.unwrap().household_id;
    observed(&app, &household, "2024-05-31", 500_000).await;
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10").into_iter().take(5)).await;
    let notice = hq.notice(&id).await.unwrap();
    assert_eq!((notice.head_name.as_str(), notice.persons), ("李四", 1));
    let bytes = notice.encode_to_vec();
    let text = String::from_utf8_lossy(&bytes);
    for secret in [&number, "13800138000", "6222020200112233445", "三组12号", &household] {
        assert!(!text.contains(secret), "{secret}");
    }
}

/// Whoever adds a field to the notice has to think twice, and change this list.
#[test]
fn a_notice_has_no_place_for_anything_else() {
    let notice = POOL.get_message_by_name("tongxin.monitoring.v1.PublicNotice").unwrap();
    let fields: Vec<_> = notice.fields().map(|field| field.name().to_owned()).collect();
    let all = ["region_code", "region_name", "head_name", "persons", "category_name", "removal", "posted_on", "until"];
    assert_eq!(fields, all);
}

#[tokio::test]
async fn a_name_that_is_more_than_a_name_is_not_put_up() {
    let (app, household) = start().await;
    let mut hq = app.hq();
    let id = hq.open(case(&household)).await.unwrap().case_id;
    hq.take(track(&id, "2024-06-10").into_iter().take(5)).await;
    assert!(hq.notice(&id).await.is_ok());
    let read = hq.household(&household).await.unwrap();
    let head = read.members.iter().find(|member| member.relation() == v1::Relation::Head).unwrap();
    let request = v1::SetMemberRequest {
        request_id: new_request_id(),
        household_id: household.clone(),
        member_id: head.member_id.clone(),
        member: Some(member("张三丰 13800138000", id_number("19800101", 1), v1::Relation::Head)),
        expected_version: 0,
    };
    hq.households.set_member(request).await.unwrap();
    let error = hq.notice(&id).await.unwrap_err();
    assert_eq!((error.code(), told(&error).1.as_str()), (Code::FailedPrecondition, "NAME_NOT_PUBLISHABLE"));
    assert!(!error.message().contains("张三丰") && !error.message().contains("138"), "{}", error.message());
}
