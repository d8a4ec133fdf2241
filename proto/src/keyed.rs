//! What a row is about, by the option `tongxin.options.v1.key` of its fields. The build writes who says what.

use prost::Message;

/// Digits of a region's code that name its county.
const COUNTY_DIGITS: usize = 6;

/// A message that may say what it is about.
pub trait Keyed {
    /// What it is about: two rows with the same key are about the same. `None` if it says nothing that could be stated
    /// twice.
    fn key(&self) -> Option<Vec<u8>>;
}

/// A key while its fields are added, in their order.
#[derive(Debug, Default)]
pub(crate) struct Key {
    bytes: Vec<u8>,
    /// Whether some field is not empty, other than a region's code.
    is_stated: bool,
    /// What names the row if nothing else does.
    otherwise: Vec<u8>,
}

impl Key {
    pub(crate) fn text(&mut self, text: &str) {
        self.is_stated |= !text.is_empty();
        self.add(text.as_bytes());
    }

    pub(crate) fn number(&mut self, number: i64) {
        self.is_stated |= number != 0;
        self.add(&number.to_le_bytes());
    }

    pub(crate) fn message(&mut self, message: Option<&impl Message>) {
        self.is_stated |= message.is_some();
        self.add(&message.map(Message::encode_to_vec).unwrap_or_default());
    }

    pub(crate) fn county(&mut self, region_code: &str) {
        self.add(region_code.get(..COUNTY_DIGITS).unwrap_or(region_code).as_bytes());
    }

    pub(crate) fn otherwise_text(&mut self, text: &str) {
        add(&mut self.otherwise, text.as_bytes());
    }

    pub(crate) fn otherwise_number(&mut self, number: i64) {
        add(&mut self.otherwise, &number.to_le_bytes());
    }

    pub(crate) fn end(self) -> Option<Vec<u8>> {
        if self.is_stated { Some(self.bytes) } else { Some(self.otherwise).filter(|bytes| !bytes.is_empty()) }
    }

    fn add(&mut self, part: &[u8]) {
        add(&mut self.bytes, part);
    }
}

/// With its length before it, so that fields do not run into each other.
fn add(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(part.len().to_le_bytes());
    bytes.extend(part);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Date,
        monitoring::v1::{HouseholdDraft, ObservationDraft, Warning},
        pairing::v1::{OrganisationDraft, PairingDraft},
        toy::v1::CountDraft,
    };

    fn household(household_number: &str, region_code: &str) -> HouseholdDraft {
        HouseholdDraft {
            household_number: household_number.to_owned(),
            region_code: region_code.to_owned(),
            ..HouseholdDraft::default()
        }
    }

    #[test]
    fn an_organisation_without_a_credit_code_is_named_by_what_it_is() {
        let of = |name: &str, credit_code: &str| {
            let (name, credit_code) = (name.to_owned(), credit_code.to_owned());
            OrganisationDraft { name, credit_code, ..OrganisationDraft::default() }.key()
        };
        assert_eq!(of("太平小学", ""), of("太平小学", ""));
        assert_ne!(of("太平小学", ""), of("太平中学", ""));
        assert_eq!(of("太平小学", "12440100000000001A"), of("太平中学", "12440100000000001A"));
        assert_ne!(of("太平小学", "12440100000000001A"), of("太平小学", ""));
    }

    #[test]
    fn a_household_is_named_by_its_number_within_the_county() {
        let key = household("77", "441823107201").key();
        assert!(key.is_some());
        assert_eq!(key, household("77", "441823108202").key(), "another village of the county");
        assert_ne!(key, household("77", "441825107201").key(), "another county");
        assert_ne!(key, household("78", "441823107201").key());
        assert_eq!(household("", "441823107201").key(), None, "a county alone names nothing");
    }

    #[test]
    fn what_is_stated_of_it_makes_no_difference() {
        let other = HouseholdDraft { address: "沙塘村".to_owned(), support: 2, ..household("77", "441823107201") };
        assert_eq!(household("77", "441823107201").key(), other.key());
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        let draft = |household_id: &str, household_number: &str| ObservationDraft {
            household_id: household_id.to_owned(),
            household_number: household_number.to_owned(),
            ..ObservationDraft::default()
        };
        assert_ne!(draft("1", "23").key(), draft("12", "3").key());
    }

    #[test]
    fn days_and_kinds_belong_to_a_key() {
        let draft = |kind, day| PairingDraft {
            kind,
            starts_on: Some(Date { year: 2025, month: 1, day }),
            ..PairingDraft::default()
        };
        assert_eq!(draft(1, 2).key(), draft(1, 2).key());
        assert_ne!(draft(1, 2).key(), draft(1, 3).key());
        assert_ne!(draft(1, 2).key(), draft(2, 2).key());
    }

    #[test]
    fn a_row_without_keys_is_about_nothing_that_could_be_stated_twice() {
        assert_eq!(CountDraft { name: "wells".to_owned(), ..CountDraft::default() }.key(), None);
        assert_eq!(Warning::default().key(), None);
        assert!(Warning { reference: "A/1".to_owned(), ..Warning::default() }.key().is_some());
    }
}
