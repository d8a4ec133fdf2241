//! What holds of every field of every request, by the descriptors: nothing that is added can be forgotten.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, OneofDescriptor, Value};

use crate::{
    Date, TOY_POOL,
    rules::{self, DATE_TOO_EARLY, Rules, Violation},
    text::Tidy,
};

// `tidied` and `checked`.
include!(concat!(env!("OUT_DIR"), "/requests.rs"));

fn tidied_as<M: Message + Default + Tidy>(bytes: &[u8]) -> Vec<u8> {
    let mut message = M::decode(bytes).unwrap();
    message.tidy();
    message.encode_to_vec()
}

fn checked_as<M: Message + Default + Rules>(bytes: &[u8]) -> Vec<Violation> {
    rules::check(&M::decode(bytes).unwrap()).err().unwrap_or_default()
}

fn inputs() -> Vec<MessageDescriptor> {
    let ours = TOY_POOL.services().filter(|service| service.package_name().starts_with("tongxin."));
    ours.flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>()).collect()
}

/// All messages that stand in requests, by their names.
fn sent() -> BTreeMap<String, MessageDescriptor> {
    let (mut forms, mut sent) = (inputs(), BTreeMap::new());
    while let Some(form) = forms.pop() {
        if sent.insert(form.full_name().to_owned(), form.clone()).is_none() {
            forms.extend(form.fields().filter_map(|field| field.kind().as_message().cloned()));
        }
    }
    sent
}

/// A message whose texts all are `text`, with two messages in each list, and one case of each oneof.
fn filled(form: &MessageDescriptor, case: usize, text: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(form.clone());
    let is_case = |field: &FieldDescriptor| field.containing_oneof().is_none_or(|oneof| nth(&oneof, case) == *field);
    for field in form.fields().filter(is_case) {
        let value = match field.kind() {
            Kind::String => Value::String(text.to_owned()),
            Kind::Message(held) => Value::Message(filled(&held, case, text)),
            _ => continue,
        };
        message.set_field(&field, if field.is_list() { Value::List(vec![value.clone(), value]) } else { value });
    }
    message
}

fn nth(oneof: &OneofDescriptor, case: usize) -> FieldDescriptor {
    let cases: Vec<_> = oneof.fields().collect();
    cases[case % cases.len()].clone()
}

/// The texts of a message and of those in it, with the names of their fields.
fn texts(message: &DynamicMessage, found: &mut BTreeSet<(String, String)>) {
    for (field, value) in message.fields() {
        let values = if let Value::List(values) = value { values.as_slice() } else { std::slice::from_ref(value) };
        for value in values {
            match value {
                Value::String(text) => drop(found.insert((field.full_name().to_owned(), text.clone()))),
                Value::Message(held) => texts(held, found),
                _ => {}
            }
        }
    }
}

#[test]
fn every_text_is_tidied() {
    let mut found = BTreeSet::new();
    for form in inputs() {
        // Each case of each oneof: a part is one of two, and a command in it one of five.
        for case in 0..10 {
            let message = filled(&form, case, " \u{feff}ａ\u{200b}b\u{3000}");
            let bytes = tidied(form.full_name(), &message.encode_to_vec());
            texts(&DynamicMessage::decode(form.clone(), bytes.as_slice()).unwrap(), &mut found);
        }
    }
    let untidy: Vec<_> = found.iter().filter(|(_, text)| !["ab", "ａb"].contains(&text.as_str())).collect();
    assert!(untidy.is_empty(), "{untidy:#?}");
    let in_ascii = |field: &str| found.contains(&(format!("tongxin.{field}"), "ab".to_owned()));
    for code in ["MemberDraft.id_number", "MemberDraft.phone", "HouseholdDraft.bank_account", "CaseDraft.performed_by"]
    {
        assert!(in_ascii(&format!("monitoring.v1.{code}")), "{code}");
    }
    assert!(in_ascii("pairing.v1.PairingDraft.supporter_id") && in_ascii("pairing.v1.RegionRow.code"));
    assert!(!in_ascii("monitoring.v1.MemberDraft.name") && !in_ascii("pairing.v1.OrganisationDraft.name"));
    assert!(found.len() > 100, "{}", found.len());
}

#[test]
fn every_text_refuses_control_characters() {
    let mut seen = 0;
    for (name, form) in sent() {
        for field in form.fields().filter(|field| matches!(field.kind(), Kind::String)) {
            let mut message = DynamicMessage::new(form.clone());
            let value = Value::String("a\u{7}b".to_owned());
            message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
            let path = if field.is_list() { format!("{}[0]", field.name()) } else { field.name().to_owned() };
            let violations = checked(&name, &message.encode_to_vec());
            let of_field = |violation: &&Violation| violation.field == path;
            let said: Vec<_> = violations.iter().filter(of_field).map(|violation| violation.message.as_str()).collect();
            assert_eq!(said, ["holds the control character U+0007"], "{}", field.full_name());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn every_date_has_a_lower_bound() {
    let (mut seen, sent) = (0, sent());
    for (name, form) in &sent {
        let is_date = |held: &MessageDescriptor| held.full_name() == "google.type.Date";
        for field in form.fields().filter(|field| field.kind().as_message().is_some_and(is_date)) {
            let mut message = DynamicMessage::new(form.clone());
            let mut date = DynamicMessage::new(field.kind().as_message().unwrap().clone());
            date.transcode_from(&Date { year: 26, month: 1, day: 1 }).unwrap();
            message.set_field(&field, Value::Message(date));
            let violations = checked(name, &message.encode_to_vec());
            let is_named =
                |violation: &Violation| (&*violation.field, violation.reason) == (field.name(), DATE_TOO_EARLY);
            assert!(violations.iter().any(is_named), "{}: {violations:?}", field.full_name());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
