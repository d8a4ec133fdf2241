//! Responses of `HouseholdService`: personal data is masked, except where it is revealed.

use secrecy::ExposeSecret as _;
use tongxin_platform::{
    clock::timestamp,
    personal::{mask_address, mask_bank_account, mask_id_number, mask_name, mask_phone},
};
use tongxin_proto::monitoring::v1;

use crate::{
    commands::Entered,
    domain::{
        household::Household,
        member::{Member, Relation},
        merge::{Merge, Pair},
    },
    store::households::Listed,
};

/// Present members, the head first; then those who left.
fn in_order(household: &Household) -> Vec<&Member> {
    let mut members: Vec<&Member> = household.members.iter().collect();
    members.sort_by_key(|member| (!member.is_present(), member.relation != Relation::Head));
    members
}

impl From<&Member> for v1::Member {
    fn from(member: &Member) -> Self {
        let personal = &member.personal;
        Self {
            member_id: member.id.to_string(),
            masked_name: mask_name(personal.name.expose_secret()),
            masked_id_number: mask_id_number(personal.id_number.expose_secret()),
            masked_phone: mask_phone(personal.phone.expose_secret()),
            relation: v1::Relation::from(member.relation).into(),
            sex: v1::Sex::from(member.sex).into(),
            birth_date: Some(member.birth_date.into()),
            labour: v1::LabourAbility::from(member.labour).into(),
            schooling: v1::Schooling::from(member.schooling).into(),
            insurances: member.insurances.iter().map(|insurance| v1::Insurance::from(*insurance).into()).collect(),
            work: v1::Work::from(member.work).into(),
            work_months: member.work_months.into(),
            left_on: member.left_on.map(Into::into),
        }
    }
}

impl From<&Household> for v1::Household {
    fn from(household: &Household) -> Self {
        Self {
            household_id: household.id.to_string(),
            household_number: household.household_number.clone().unwrap_or_default(),
            region_code: household.region.to_string(),
            lifted_from_poverty: household.lifted_from_poverty,
            support: v1::SocialSupport::from(household.support).into(),
            members: in_order(household).into_iter().map(v1::Member::from).collect(),
            merged_into: household.merged_into.map(|kept| kept.to_string()).unwrap_or_default(),
            register_time: Some(timestamp(household.register_time)),
            version: household.version,
            registered_on: Some(household.registered_on.into()),
            moved_on: household.moved_on.map(Into::into),
            masked_address: mask_address(household.contact.address.expose_secret()),
            masked_bank_account: mask_bank_account(household.contact.bank_account.expose_secret()),
        }
    }
}

impl From<Household> for v1::Household {
    fn from(household: Household) -> Self {
        Self::from(&household)
    }
}

impl From<Listed> for v1::Household {
    fn from(listed: Listed) -> Self {
        let head = listed.head;
        Self {
            household_id: head.id.to_string(),
            household_number: listed.household_number.unwrap_or_default(),
            region_code: head.region.to_string(),
            lifted_from_poverty: head.lifted_from_poverty,
            support: v1::SocialSupport::from(head.support).into(),
            members: Vec::new(),
            merged_into: String::new(),
            register_time: Some(timestamp(listed.register_time)),
            version: head.version,
            registered_on: Some(listed.registered_on.into()),
            moved_on: head.moved_on.map(Into::into),
            masked_address: String::new(),
            masked_bank_account: String::new(),
        }
    }
}

impl From<&Member> for v1::RevealedMember {
    fn from(member: &Member) -> Self {
        let personal = &member.personal;
        Self {
            member_id: member.id.to_string(),
            name: personal.name.expose_secret().to_owned(),
            id_number: personal.id_number.expose_secret().to_owned(),
            phone: personal.phone.expose_secret().to_owned(),
            health: personal.health.iter().map(|health| v1::Health::from(*health).into()).collect(),
        }
    }
}

impl From<Household> for v1::RevealedHousehold {
    fn from(household: Household) -> Self {
        Self {
            address: household.contact.address.expose_secret().to_owned(),
            bank_account: household.contact.bank_account.expose_secret().to_owned(),
            members: in_order(&household).into_iter().map(v1::RevealedMember::from).collect(),
            household: Some(household.into()),
        }
    }
}

impl From<Merge> for v1::Merge {
    fn from(merge: Merge) -> Self {
        let reversible_until = Some(merge.reversible_until().into());
        Self {
            merge_id: merge.id.to_string(),
            kept_id: merge.kept.to_string(),
            merged_id: merge.merged.to_string(),
            taken_members: merge.members.iter().map(|taken| taken.was.to_string()).collect(),
            taken_windows: merge.windows.into_iter().map(Into::into).collect(),
            merged_on: Some(merge.merged_on.into()),
            reversible_until,
            undone_on: merge.undone_on.map(Into::into),
        }
    }
}

macro_rules! entered {
    ($($answer:ident),+) => {$(
        impl From<Entered> for v1::$answer {
            fn from(entered: Entered) -> Self {
                Self { household: Some(entered.household.into()), warnings: entered.warnings }
            }
        }
    )+};
}

entered!(RegisterHouseholdResponse, ChangeHouseholdResponse, SetMemberResponse, RemoveMemberResponse);

impl From<Household> for v1::MoveHouseholdResponse {
    fn from(household: Household) -> Self {
        Self { household: Some(household.into()) }
    }
}

impl From<Pair> for v1::MergeHouseholdsResponse {
    fn from(pair: Pair) -> Self {
        Self { merge: Some(pair.merge.into()), household: Some(pair.kept.into()) }
    }
}
