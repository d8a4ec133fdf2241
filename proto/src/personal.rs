//! What is personal in a message, by the option `tongxin.options.v1.personal` of its fields. The build writes it.

/// A message that knows which of its fields are personal.
pub trait Personal {
    /// Whether a field of it is, or one of a message in it.
    const ANY: bool;

    /// Takes all out that is personal, as if it had never been stated. All else stays as it is.
    fn strip(&mut self);

    /// Takes over what is personal in the fields of another message, but not in messages that it holds.
    fn adopt(&mut self, from: Self);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

    use super::*;
    use crate::{
        POOL,
        monitoring::v1::{
            GetHouseholdResponse, Household, HouseholdDraft, ImportHouseholdsRequest, Member, MemberDraft, Sex,
            import_households_request::Part,
        },
    };

    /// Fields that were looked at and found to say of nobody who it is.
    const REVIEWED: &str = include_str!("../not_personal.txt");

    fn has(field: &FieldDescriptor, option: &str) -> bool {
        let option = POOL.get_extension_by_name(&format!("tongxin.options.v1.{option}")).unwrap();
        field.options().get_extension(&option).as_bool() == Some(true)
    }

    /// An identifier that callers or we choose: nothing but a UUID passes.
    fn is_uuid(field: &FieldDescriptor) -> bool {
        let rules = POOL.get_extension_by_name("buf.validate.field").unwrap();
        let options = field.options();
        let stated = options.get_extension(&rules);
        let of_text = stated.as_message().unwrap().get_field_by_name("string").unwrap().into_owned();
        of_text.as_message().unwrap().get_field_by_name("uuid").is_some_and(|uuid| uuid.as_bool() == Some(true))
    }

    fn fields(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
        message.fields().collect()
    }

    /// Texts of all messages, and whatever stands beside what is personal. A UUID that a rule asks for is left out.
    fn to_be_looked_at() -> BTreeSet<String> {
        let ours = |message: &MessageDescriptor| message.package_name().starts_with("tongxin.");
        let mut found = BTreeSet::new();
        for message in POOL.all_messages().filter(ours) {
            let of_a_person = fields(&message).iter().any(|field| has(field, "personal"));
            for field in fields(&message) {
                let is_text = matches!(field.kind(), Kind::String | Kind::Bytes);
                // A message is looked at by itself.
                let is_message =
                    matches!(field.kind(), Kind::Message(held) if held.package_name().starts_with("tongxin."));
                let is_settled = has(&field, "personal") || has(&field, "plain_text") || is_uuid(&field);
                if (is_text || of_a_person) && !is_settled && !is_message {
                    found.insert(format!("{}.{}", message.full_name(), field.name()));
                }
            }
        }
        found
    }

    #[test]
    fn every_text_is_personal_or_refuses_what_is_or_was_looked_at() {
        let lines = REVIEWED.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let reviewed: BTreeSet<String> = lines.map(str::to_owned).collect();
        let found = to_be_looked_at();
        let new: Vec<_> = found.difference(&reviewed).collect();
        let gone: Vec<_> = reviewed.difference(&found).collect();
        assert!(new.is_empty(), "say of each whether it is personal, or list it in not_personal.txt: {new:#?}");
        assert!(gone.is_empty(), "take out of not_personal.txt: {gone:#?}");
    }

    #[test]
    fn nothing_is_sealed_and_kept_in_plain_at_once() {
        for field in POOL.all_messages().flat_map(|message| fields(&message)) {
            assert!(!(has(&field, "personal") && has(&field, "plain_text")), "{}", field.full_name());
        }
    }

    fn member() -> Member {
        Member {
            member_id: "m".to_owned(),
            masked_name: "张**".to_owned(),
            masked_id_number: "4418**************".to_owned(),
            masked_phone: "139****0077".to_owned(),
            relation: 1,
            sex: Sex::Male.into(),
            insurances: vec![1],
            birth_date: Some(crate::Date { year: 1980, month: 1, day: 1 }),
            ..Member::default()
        }
    }

    #[test]
    fn what_is_personal_is_taken_out_however_deep_and_all_else_stays() {
        let mut answer = GetHouseholdResponse {
            household: Some(Household {
                household_id: "h".to_owned(),
                version: 3,
                members: vec![member(), member()],
                ..Household::default()
            }),
        };
        let left = Member { member_id: "m".to_owned(), relation: 1, ..Member::default() };
        answer.strip();
        let household = answer.household.unwrap();
        assert_eq!((household.household_id.as_str(), household.version), ("h", 3));
        assert_eq!(household.members, [left.clone(), left.clone()]);

        let mut again = Member { relation: 2, ..left };
        again.adopt(member());
        assert_eq!(again, Member { relation: 2, ..member() });
    }

    #[test]
    fn a_part_of_a_stream_that_holds_something_personal_is_taken_out_as_a_whole() {
        let rows = crate::monitoring::v1::HouseholdRows { first_row: 1, rows: vec![HouseholdDraft::default()] };
        let mut request = ImportHouseholdsRequest { part: Some(Part::Rows(rows)) };
        request.strip();
        assert_eq!(request, ImportHouseholdsRequest::default());
    }

    #[test]
    fn the_build_knows_what_the_descriptors_know() {
        const { assert!(MemberDraft::ANY && GetHouseholdResponse::ANY && ImportHouseholdsRequest::ANY) };
        const { assert!(!crate::pairing::v1::RegisterOrganisationResponse::ANY) };
        const { assert!(!crate::monitoring::v1::OpenCaseResponse::ANY) };
        let mut stripped = member();
        stripped.strip();
        let bytes = prost::Message::encode_to_vec(&stripped);
        let message = POOL.get_message_by_name("tongxin.monitoring.v1.Member").unwrap();
        let filled = DynamicMessage::decode(message, bytes.as_slice());
        assert!(filled.unwrap().fields().all(|(field, _)| !has(&field, "personal")));
    }
}
