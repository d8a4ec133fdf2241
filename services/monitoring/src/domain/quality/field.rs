//! The field of a new household that a rule warns of.

use super::numbers::has_cut_id_number;
use crate::domain::{household::Household, member::Member};

/// The path of the field that a rule is about, in the draft of a new household; empty if it is about several.
#[must_use]
pub fn field_of(rule: i32, household: &Household) -> String {
    let id_number = |is_meant: fn(&Member) -> bool| {
        let member = household.present().position(is_meant);
        member.map(|member| format!("members[{member}].id_number")).unwrap_or_default()
    };
    match rule {
        115 => id_number(|member| !member.is_place_known()),
        801 | 802 => "bank_account".to_owned(),
        803 => id_number(has_cut_id_number),
        _ => String::new(),
    }
}
