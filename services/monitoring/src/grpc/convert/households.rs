//! Requests of `HouseholdService`. Rules of the contract are not checked again.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use tongxin_platform::{
    page::{Page, PageKey},
    region::RegionCode,
};
use tongxin_proto::{monitoring::v1, names::Named, rules::Violation};

use super::{date, household_id, named, optional_date, optional_region, region, uuid};
use crate::{
    commands::{
        ChangeHousehold, FindHouseholds, MergeHouseholds, MoveHousehold, RemoveMember, RevealHousehold, SetMember,
        UndoMerge,
    },
    domain::{
        MemberId, MergeId,
        household::{
            Contact, HouseholdDraft, HouseholdRefused, SocialSupport, StatedHousehold, StatedMember, Statement,
        },
        id_number::IdNumber,
        merge::Terms,
    },
    error::Error,
    store::{households::Index, keys::Keys},
};

/// A household to register.
pub(in crate::grpc) fn household(draft: v1::HouseholdDraft, today: NaiveDate) -> Result<HouseholdDraft, Error> {
    let stated = stated_household(draft)?;
    if stated.id.is_some() {
        return Err(Error::field("household_id", "is for rows of imports: a new household is given its identifier"));
    }
    Ok(stated.whole(today)?)
}

/// A row of an import.
pub(in crate::grpc) fn stated_household(draft: v1::HouseholdDraft) -> Result<StatedHousehold, Error> {
    let members = draft.members.into_iter().enumerate();
    let id = Some(draft.household_id.as_str()).filter(|id| !id.is_empty());
    Ok(StatedHousehold {
        id: id.map(|id| household_id("household_id", id)).transpose()?,
        region: region("region_code", &draft.region_code)?,
        registered_on: optional_date("registered_on", draft.registered_on)?,
        statement: Statement {
            household_number: Some(draft.household_number).filter(|number| !number.is_empty()),
            contact: Contact { address: draft.address.into(), bank_account: draft.bank_account.into() },
            lifted_from_poverty: draft.lifted_from_poverty,
            support: named::<SocialSupport>("support", draft.support)?,
        },
        members: members.map(|(place, draft)| member(Path::At(place), draft)).collect::<Result<_, _>>()?,
    })
}

/// The path of a member in a request.
#[derive(Clone, Copy)]
enum Path {
    Alone,
    At(usize),
}

impl Path {
    fn field(self, name: &str) -> String {
        match self {
            Self::Alone => format!("member.{name}"),
            Self::At(place) => format!("members[{place}].{name}"),
        }
    }

    fn wrong(self, name: &str, text: &str) -> Error {
        Error::row(&[Violation::new(self.field(name), text)])
    }

    /// A required value.
    fn named<T: Named>(self, name: &str, number: i32) -> Result<T, Error> {
        T::read(number).ok_or_else(|| self.wrong(name, "is required"))
    }

    /// Values without duplicates.
    fn set<T: Named + Ord>(self, name: &str, numbers: &[i32]) -> Result<BTreeSet<T>, Error> {
        let mut set = BTreeSet::new();
        for number in numbers {
            if !set.insert(self.named(name, *number)?) {
                return Err(self.wrong(name, "names something twice"));
            }
        }
        Ok(set)
    }
}

fn member(path: Path, draft: v1::MemberDraft) -> Result<StatedMember, Error> {
    Ok(StatedMember {
        name: draft.name.into(),
        id_number: draft.id_number.to_ascii_uppercase().into(),
        phone: draft.phone.into(),
        health: path.set("health", &draft.health)?,
        relation: path.named("relation", draft.relation)?,
        labour: path.named("labour", draft.labour)?,
        schooling: path.named("schooling", draft.schooling)?,
        insurances: path.set("insurances", &draft.insurances)?,
        work: path.named("work", draft.work)?,
        work_months: i16::try_from(draft.work_months).map_err(|_| path.wrong("work_months", "is out of range"))?,
    })
}

/// Maximum number of households on a page with their members: an answer has to fit into a message.
const MOST_WITH_MEMBERS: i32 = 200;

pub(in crate::grpc) fn list(request: &v1::ListHouseholdsRequest) -> Result<(Option<RegionCode>, Page<PageKey>), Error> {
    if request.with_members && request.page_size > MOST_WITH_MEMBERS {
        return Err(Error::field("page_size", format!("is at most {MOST_WITH_MEMBERS} with members")));
    }
    let page = Page::parse(request.page_size, &request.page_token)?;
    Ok((optional_region("region_code", &request.region_code)?, page))
}

pub(in crate::grpc) fn find(
    request: &v1::FindHouseholdsRequest,
    keys: &Keys,
    own: RegionCode,
) -> Result<FindHouseholds, Error> {
    let index = match (request.id_number.as_str(), request.name.as_str()) {
        ("", "") => return Err(Error::field("id_number", "or a name is required")),
        ("", name) => Index::Name(keys.of_name(name)),
        (id_number, "") => {
            IdNumber::parse(id_number).map_err(|error| HouseholdRefused::new("id_number", error))?;
            Index::IdNumber(keys.of_id_number(id_number))
        }
        _ => return Err(Error::field("name", "and ID number are not looked up at once")),
    };
    Ok(FindHouseholds { index, asked: optional_region("region_code", &request.region_code)?, own })
}

pub(in crate::grpc) fn reveal(request: v1::RevealHouseholdRequest) -> Result<RevealHousehold, Error> {
    Ok(RevealHousehold {
        household: household_id("household_id", &request.household_id)?,
        purpose: named("purpose", request.purpose)?,
        reference: request.reference,
    })
}

pub(in crate::grpc) fn change(request: v1::ChangeHouseholdRequest) -> Result<ChangeHousehold, Error> {
    Ok(ChangeHousehold {
        household: household_id("household_id", &request.household_id)?,
        statement: Statement {
            household_number: Some(request.household_number).filter(|number| !number.is_empty()),
            contact: Contact { address: request.address.into(), bank_account: request.bank_account.into() },
            lifted_from_poverty: request.lifted_from_poverty,
            support: named("support", request.support)?,
        },
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn set_member(request: v1::SetMemberRequest) -> Result<SetMember, Error> {
    let known = match request.member_id.as_str() {
        "" => None,
        text => Some(MemberId(uuid("member_id", text)?)),
    };
    Ok(SetMember {
        household: household_id("household_id", &request.household_id)?,
        member: known,
        draft: member(Path::Alone, request.member.unwrap_or_default())?.whole(|field| Path::Alone.field(field))?,
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn remove_member(request: &v1::RemoveMemberRequest) -> Result<RemoveMember, Error> {
    Ok(RemoveMember {
        household: household_id("household_id", &request.household_id)?,
        member: MemberId(uuid("member_id", &request.member_id)?),
        left_on: date("left_on", request.left_on)?,
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn move_household(request: &v1::MoveHouseholdRequest) -> Result<MoveHousehold, Error> {
    Ok(MoveHousehold {
        household: household_id("household_id", &request.household_id)?,
        to: region("region_code", &request.region_code)?,
        moved_on: date("moved_on", request.moved_on)?,
        new_household_number: new_number(&request.new_household_number),
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn merge(request: &v1::MergeHouseholdsRequest) -> Result<MergeHouseholds, Error> {
    let members = request.take_members.iter().map(|text| uuid("take_members", text).map(MemberId));
    Ok(MergeHouseholds {
        kept: household_id("kept_id", &request.kept_id)?,
        merged: household_id("merged_id", &request.merged_id)?,
        terms: Terms {
            members: members.collect::<Result<_, _>>()?,
            observations: request.take_observations,
            household_number: request.take_household_number,
            new_household_number: new_number(&request.new_household_number),
        },
        expected_version: request.expected_version,
    })
}

pub(in crate::grpc) fn undo_merge(request: &v1::UndoMergeRequest) -> Result<UndoMerge, Error> {
    let merge = MergeId(uuid("merge_id", &request.merge_id)?);
    Ok(UndoMerge { merge, new_household_number: new_number(&request.new_household_number) })
}

fn new_number(stated: &str) -> Option<String> {
    (!stated.is_empty()).then(|| stated.to_owned())
}
