//! Whether a row says of a household what is kept of it.

#[cfg(test)]
mod tests;

use secrecy::{ExposeSecret as _, SecretString};
use tongxin_platform::{
    error::Refusal,
    personal::{is_masked, mask_address, mask_bank_account, mask_id_number, mask_name, mask_phone},
};

use super::{Household, StatedHousehold, StatedMember};
use crate::domain::member::Member;

// Both count as look-ups: a guess at what is masked is answered by them.
/// A row says something else than what is kept. Never holds anything personal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Refusal)]
pub enum Unlike {
    /// A value has a * in it, and is not the mask of what is kept.
    #[error("{0} is masked, and what is kept has another mask: state the whole value")]
    #[refusal(Invalid, "MASKED_VALUE", field = _0, told = LookUp)]
    Masked(String),
    /// The household is kept already, and the row says something else of it; the text names the fields.
    #[error("the household is kept already, and differs in: {all}")]
    #[refusal(AlreadyExists, "HOUSEHOLD_DIFFERS", field = first, told = LookUp)]
    Differs {
        /// Path of the first field.
        first: String,
        /// Paths of all.
        all: String,
    },
}

/// A field in which a row differs.
struct Difference {
    path: String,
    /// Whether the row's value is masked.
    masked: bool,
}

impl StatedHousehold {
    /// Checks that the row says what is kept. A masked value says what has the same mask; members may come in any order;
    /// health and day of registration say nothing where they are left out.
    pub fn check_alike(&self, kept: &Household) -> Result<(), Unlike> {
        let differences = self.differences(kept);
        if let Some(masked) = differences.iter().find(|difference| difference.masked) {
            return Err(Unlike::Masked(masked.path.clone()));
        }
        let paths: Vec<String> = differences.into_iter().map(|difference| difference.path).collect();
        match paths.first() {
            None => Ok(()),
            Some(first) => Err(Unlike::Differs { first: first.clone(), all: paths.join(", ") }),
        }
    }

    fn differences(&self, kept: &Household) -> Vec<Difference> {
        let mut found = Found::default();
        let Self { id: _, region, registered_on, statement, members } = self;
        found.plain("household_number", statement.household_number == kept.household_number);
        found.plain("region_code", *region == kept.region);
        found.personal("address", &statement.contact.address, &kept.contact.address, mask_address);
        let accounts = (&statement.contact.bank_account, &kept.contact.bank_account);
        found.personal("bank_account", accounts.0, accounts.1, mask_bank_account);
        found.plain("lifted_from_poverty", statement.lifted_from_poverty == kept.lifted_from_poverty);
        found.plain("support", statement.support == kept.support);
        found.members(members, &kept.present().collect::<Vec<_>>());
        found.plain("registered_on", registered_on.is_none_or(|day| day == kept.registered_on));
        found.differences
    }
}

/// The differences that were found, and where the comparison is.
#[derive(Default)]
struct Found {
    /// What stands before the name of a field.
    within: String,
    differences: Vec<Difference>,
}

impl Found {
    fn add(&mut self, field: &str, masked: bool) {
        self.differences.push(Difference { path: format!("{}{field}", self.within), masked });
    }

    fn plain(&mut self, field: &str, is_same: bool) {
        if !is_same {
            self.add(field, false);
        }
    }

    fn personal(&mut self, field: &str, stated: &SecretString, kept: &SecretString, mask: fn(&str) -> String) {
        if !is_alike(stated, kept, mask) {
            self.add(field, is_masked(stated.expose_secret()));
        }
    }

    fn member(&mut self, stated: &StatedMember, kept: &Member) {
        let personal = &kept.personal;
        self.personal("name", &stated.name, &personal.name, mask_name);
        self.personal("id_number", &stated.id_number, &personal.id_number, mask_id_number);
        self.plain("relation", stated.relation == kept.relation);
        self.plain("health", stated.health.is_empty() || stated.health == personal.health);
        self.plain("labour", stated.labour == kept.labour);
        self.plain("schooling", stated.schooling == kept.schooling);
        self.plain("insurances", stated.insurances == kept.insurances);
        self.plain("work", stated.work == kept.work);
        self.plain("work_months", stated.work_months == kept.work_months);
        self.personal("phone", &stated.phone, &personal.phone, mask_phone);
    }

    /// Compares each stated member with the one whom it is about. Where that is not clear for all of them, only `members`
    /// is named: several guesses at one person would be answered at once.
    fn members(&mut self, stated: &[StatedMember], kept: &[&Member]) {
        if stated.len() == kept.len() && pairs(stated, kept).iter().all(Option::is_some) {
            return;
        }
        let id_number = |stated: &StatedMember, kept: &Member| {
            is_alike(&stated.id_number, &kept.personal.id_number, mask_id_number)
        };
        let name = |stated: &StatedMember, kept: &Member| is_alike(&stated.name, &kept.personal.name, mask_name);
        let relation = |stated: &StatedMember, kept: &Member| stated.relation == kept.relation;
        let meant = one_to_one(stated, kept, id_number)
            .or_else(|| one_to_one(stated, kept, |stated, kept| id_number(stated, kept) && relation(stated, kept)))
            .or_else(|| one_to_one(stated, kept, |stated, kept| name(stated, kept) && relation(stated, kept)));
        let Some(meant) = meant else {
            self.add("members", false);
            return;
        };
        for (place, (member, kept)) in stated.iter().zip(meant).enumerate() {
            self.within = format!("members[{place}].");
            self.member(member, kept);
        }
        self.within.clear();
    }
}

/// For each stated member the only kept one who is meant, if each of these is meant by one, too.
fn one_to_one<'kept>(
    stated: &[StatedMember],
    kept: &[&'kept Member],
    is_meant: impl Fn(&StatedMember, &Member) -> bool,
) -> Option<Vec<&'kept Member>> {
    let mut places = Vec::with_capacity(stated.len());
    for member in stated {
        let mut meant = (0..kept.len()).filter(|place| is_meant(member, kept[*place]));
        let (Some(place), None) = (meant.next(), meant.next()) else { return None };
        if places.contains(&place) {
            return None;
        }
        places.push(place);
    }
    (places.len() == kept.len()).then(|| places.into_iter().map(|place| kept[place]).collect())
}

fn is_alike(stated: &SecretString, kept: &SecretString, mask: fn(&str) -> String) -> bool {
    let (stated, kept) = (stated.expose_secret(), kept.expose_secret());
    stated == kept || (is_masked(stated) && stated == mask(kept))
}

fn differences(stated: &StatedMember, kept: &Member) -> Vec<Difference> {
    let mut found = Found::default();
    found.member(stated, kept);
    found.differences
}

/// For each stated member the place of a kept one who is alike, each taken once, for as many as possible: one who is
/// masked may be alike to several.
fn pairs(stated: &[StatedMember], kept: &[&Member]) -> Vec<Option<usize>> {
    let alike_to = |member: &StatedMember| -> Vec<usize> {
        (0..kept.len()).filter(|place| differences(member, kept[*place]).is_empty()).collect()
    };
    let alike: Vec<Vec<usize>> = stated.iter().map(alike_to).collect();
    let mut taken_by = vec![None; kept.len()];
    for member in 0..stated.len() {
        pair(member, &alike, &mut taken_by, &mut vec![false; kept.len()]);
    }
    let mut pairs = vec![None; stated.len()];
    for (place, member) in taken_by.into_iter().enumerate() {
        if let Some(member) = member {
            pairs[member] = Some(place);
        }
    }
    pairs
}

/// Finds a place for a member; whoever has it moves on to another one, if there is one. Returns whether it found one.
fn pair(member: usize, alike: &[Vec<usize>], taken_by: &mut [Option<usize>], tried: &mut [bool]) -> bool {
    for place in alike[member].iter().copied() {
        if std::mem::replace(&mut tried[place], true) {
            continue;
        }
        let is_free = match taken_by[place] {
            None => true,
            Some(other) => pair(other, alike, taken_by, tried),
        };
        if is_free {
            taken_by[place] = Some(member);
            return true;
        }
    }
    false
}
