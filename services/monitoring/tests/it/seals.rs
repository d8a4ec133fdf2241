//! What is sealed opens in its own place only.

use tongxin_proto::monitoring::v1::HouseholdDraft;
use tonic::Code;

use crate::{
    drafts::couple,
    support::{TestApp, VILLAGE, told},
};

/// What somebody with access to the tables could do, each to be undone by the next statement.
const FORGERIES: [(&str, &str, &str); 7] = [
    (
        "a member's seal is altered",
        "UPDATE member SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)",
        "UPDATE member SET sealed = set_byte(sealed, 30, get_byte(sealed, 30) # 1)",
    ),
    (
        "the seals of two members of a household change places",
        "UPDATE member SET sealed = other.sealed FROM member other
         WHERE other.household_id = member.household_id AND other.member_id <> member.member_id",
        "UPDATE member SET sealed = other.sealed FROM member other
         WHERE other.household_id = member.household_id AND other.member_id <> member.member_id",
    ),
    (
        "the seals of two households change places",
        "UPDATE member SET sealed = other.sealed FROM member other
         WHERE other.household_id <> member.household_id AND other.position = member.position",
        "UPDATE member SET sealed = other.sealed FROM member other
         WHERE other.household_id <> member.household_id AND other.position = member.position",
    ),
    (
        "the keys of two households change places",
        "UPDATE household SET data_key = other.data_key FROM household other WHERE other.household_id <> household.household_id",
        "UPDATE household SET data_key = other.data_key FROM household other WHERE other.household_id <> household.household_id",
    ),
    (
        "a contact is altered",
        "UPDATE household SET sealed_contact = set_byte(sealed_contact, 20, get_byte(sealed_contact, 20) # 128)",
        "UPDATE household SET sealed_contact = set_byte(sealed_contact, 20, get_byte(sealed_contact, 20) # 128)",
    ),
    (
        "a contact stands where a member's seal belongs",
        "WITH kept AS (SELECT household_id, sealed FROM member WHERE position = 0)
         UPDATE household SET sealed_contact = kept.sealed FROM kept WHERE kept.household_id = household.household_id",
        "",
    ),
    ("a seal is cut off", "UPDATE member SET sealed = substring(sealed FOR 40)", ""),
];

#[tokio::test]
async fn what_was_altered_or_moved_is_an_error_and_never_garbage() {
    let app = TestApp::start().await;
    let draft = |order| HouseholdDraft { address: format!("沙塘村{order}号"), ..couple(VILLAGE, order) };
    let mut households = Vec::new();
    for order in 0..2 {
        households.push(app.hq().register(draft(order)).await.unwrap());
    }
    for (what, forge, undo) in FORGERIES {
        sqlx::query(forge).execute(&app.owner).await.unwrap();
        for household in &households {
            for failed in [
                app.hq().household(&household.household_id).await.map(drop),
                app.hq().reveal(&household.household_id).await.map(drop),
            ] {
                let failed = failed.expect_err(what);
                assert_eq!((failed.code(), told(&failed).1.as_str()), (Code::Internal, "INTERNAL"), "{what}");
            }
        }
        if undo.is_empty() {
            continue;
        }
        sqlx::query(undo).execute(&app.owner).await.unwrap();
        for household in &households {
            assert_eq!(&app.hq().household(&household.household_id).await.unwrap(), household, "{what}, undone");
        }
    }
}
