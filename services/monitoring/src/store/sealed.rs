//! Personal data as stored: sealed under the household's data key, each part to its row.

use std::{collections::BTreeSet, fmt};

use prost::Message;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use tongxin_platform::personal::{DataKey, KeyVersion, SealLocation};

use super::keys::{Hash, Keys};
use crate::{
    domain::{
        HouseholdId, MemberId,
        household::{Contact, Household},
        member::{Health, Member, Personal},
    },
    error::Error,
};

/// A household with sealed personal data, ready to be written.
#[derive(Debug)]
pub struct Sealed {
    pub household: Household,
    pub data_key: Vec<u8>,
    pub contact: Vec<u8>,
    /// In their order.
    pub members: Vec<SealedMember>,
}

/// A member's sealed personal data, and its blind indexes.
#[derive(Debug)]
pub struct SealedMember {
    /// Name, ID number, phone and health.
    pub sealed: Vec<u8>,
    pub id_index: Hash,
    pub name_index: Hash,
}

impl Sealed {
    /// Seals a new household under a new data key. Takes some microseconds per member.
    ///
    /// # Errors
    /// If the operating system has no random numbers.
    pub fn new(keys: &Keys, household: Household) -> Result<Self, Error> {
        let (key, data_key) = keys.masters.create(owner(&household.id), KeyVersion::FIRST)?;
        Ok(Self { contact: contact(&key, &household)?, members: members(keys, &key, &household)?, household, data_key })
    }
}

pub(super) fn data_key(keys: &Keys, household: HouseholdId, wrapped: &[u8]) -> Result<DataKey, Error> {
    Ok(keys.masters.open(owner(&household), wrapped)?)
}

pub(super) fn contact(key: &DataKey, household: &Household) -> Result<Vec<u8>, Error> {
    let kept = KeptContact {
        address: household.contact.address.expose_secret().to_owned(),
        bank_account: household.contact.bank_account.expose_secret().to_owned(),
    };
    Ok(key.seal(contact_place(&household.id), bytes(&kept).expose_secret())?)
}

pub(super) fn open_contact(key: &DataKey, household: HouseholdId, sealed: &[u8]) -> Result<Contact, Error> {
    let kept: KeptContact = read(&key.open(contact_place(&household), sealed)?)?;
    Ok(Contact { address: kept.address.into(), bank_account: kept.bank_account.into() })
}

pub(super) fn members(keys: &Keys, key: &DataKey, household: &Household) -> Result<Vec<SealedMember>, Error> {
    household.members.iter().map(|member| seal_member(keys, key, member)).collect()
}

fn seal_member(keys: &Keys, key: &DataKey, member: &Member) -> Result<SealedMember, Error> {
    let personal = &member.personal;
    let text = |secret: &SecretString| secret.expose_secret().to_owned();
    let kept = KeptPersonal {
        name: text(&personal.name),
        id_number: text(&personal.id_number),
        phone: text(&personal.phone),
        health: personal.health.iter().fold(0, |bits, health| bits | 1 << health.index()),
    };
    Ok(SealedMember {
        sealed: key.seal(member_place(&member.id), bytes(&kept).expose_secret())?,
        id_index: keys.of_id_number(&kept.id_number),
        name_index: keys.of_name(&kept.name),
    })
}

/// Opens the personal data of a member.
pub(super) fn open_member(key: &DataKey, member: MemberId, sealed: &[u8]) -> Result<Personal, Error> {
    let kept: KeptPersonal = read(&key.open(member_place(&member), sealed)?)?;
    let has = |health: &&Health| kept.health & (1 << health.index()) != 0;
    Ok(Personal {
        health: Health::ALL.iter().filter(has).copied().collect::<BTreeSet<_>>(),
        name: kept.name.into(),
        id_number: kept.id_number.into(),
        phone: kept.phone.into(),
    })
}

fn owner(household: &HouseholdId) -> &[u8] {
    household.0.as_bytes()
}

fn contact_place(household: &HouseholdId) -> SealLocation<'_> {
    SealLocation { table: "household", column: "sealed_contact", row: household.0.as_bytes() }
}

fn member_place(member: &MemberId) -> SealLocation<'_> {
    SealLocation { table: "member", column: "sealed", row: member.0.as_bytes() }
}

/// Wiped from memory after use.
fn bytes(kept: &impl Message) -> SecretSlice<u8> {
    kept.encode_to_vec().into()
}

fn read<Kept: Message + Default>(opened: &SecretSlice<u8>) -> Result<Kept, Error> {
    // The cause could contain what was sealed.
    Kept::decode(opened.expose_secret()).map_err(|_| Error::Corrupt("something sealed in another form".to_owned()))
}

/// The serialized form of a member's personal data before sealing. Fields are added, never changed.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct KeptPersonal {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    id_number: String,
    #[prost(string, tag = "3")]
    phone: String,
    /// One bit for each fact, in the order of `Health::ALL`.
    #[prost(uint32, tag = "4")]
    health: u32,
}

/// The serialized form of a household's contact before sealing. Fields are added, never changed.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct KeptContact {
    #[prost(string, tag = "1")]
    address: String,
    #[prost(string, tag = "2")]
    bank_account: String,
}

impl fmt::Debug for KeptPersonal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeptPersonal")
    }
}

impl fmt::Debug for KeptContact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeptContact")
    }
}
