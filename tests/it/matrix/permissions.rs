//! What each role may do, beside what the contract grants it.

use tongxin_tests::dynamic::Outcome;
use tonic::Code;

use super::{
    entries::calls,
    world::{TURN, Way, methods, name, world},
};
use crate::permissions::{ROLES, is_granted, rule};

fn may(outcome: &Outcome) -> bool {
    let denied = outcome.refused.as_ref().is_some_and(|status| status.code() == Code::PermissionDenied);
    !(denied && outcome.reason() == "PERMISSION_MISSING")
}

#[tokio::test]
async fn each_role_may_call_what_is_granted_to_it_and_nothing_else() {
    let world = world().await;
    let _turn = TURN.lock().await;
    let mut wrong = Vec::new();
    for method in methods() {
        let needed = rule(&method).permission.clone();
        for role in ROLES.iter().copied() {
            // Nothing is there that could be read or changed.
            let token = world.token(&[role], "441899000000");
            let absent = world.places[0].absent();
            let call = calls(&name(&method), &absent, &absent).unwrap_or_default();
            let outcome = world.call(Way::Gateway, Some(&token), &name(&method), &call[0]).await;
            if may(&outcome) != is_granted(&needed, role) {
                wrong.push(format!("{role} {}: {:?}", name(&method), outcome.refused));
            }
        }
    }
    assert!(wrong.is_empty(), "not as proto/PERMISSIONS.md has it:\n{}", wrong.join("\n"));
}
