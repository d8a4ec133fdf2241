//! Messages in JSON, by their descriptors.

use std::fmt;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde_json::error::Category;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::proxy::EdgeRefused;

/// Bytes of a message from which on it waits for its turn.
const LARGE: usize = 256 << 10;

/// While a message is taken apart it needs sixty times the room of its bytes. Large ones are, one after the other.
pub(super) async fn turn(bytes: usize) -> Option<SemaphorePermit<'static>> {
    static TURN: Semaphore = Semaphore::const_new(1);
    if bytes < LARGE { None } else { TURN.acquire().await.ok() }
}

/// One message.
pub(super) fn message(json: &[u8], form: &MessageDescriptor) -> Result<DynamicMessage, EdgeRefused> {
    read(json, form.clone()).map_err(|error| malformed(form, &error))
}

/// The messages of a stream that are sent at once: an array of them, or an object with the part of each.
pub(super) fn messages(json: &[u8], form: &MessageDescriptor) -> Result<Vec<DynamicMessage>, EdgeRefused> {
    read(json, &Messages(form.clone())).map_err(|error| malformed(form, &error))
}

fn read<'json, Seed: DeserializeSeed<'json>>(json: &'json [u8], seed: Seed) -> Result<Seed::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let read = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

/// The text of the error quotes the body.
fn malformed(form: &MessageDescriptor, error: &serde_json::Error) -> EdgeRefused {
    let fault = match error.classify() {
        Category::Syntax | Category::Io => "it is not JSON in UTF-8",
        Category::Eof => "it ends too early",
        Category::Data => "a field has another name, type or value than the contract gives it",
    };
    let message = form.full_name().to_owned();
    EdgeRefused::JsonMalformed { message, line: error.line(), column: error.column(), fault }
}

struct Messages(MessageDescriptor);

impl Messages {
    /// Whether each message has one of several parts: the options, or some rows.
    fn have_parts(&self) -> bool {
        self.0.fields().all(|field| field.containing_oneof().is_some() && part_form(&field).is_some())
    }

    fn field(&self, name: &str) -> Option<FieldDescriptor> {
        self.0.get_field_by_json_name(name).or_else(|| self.0.get_field_by_name(name))
    }

    /// In the order of the contract, for the members of an object have none.
    fn parts<'json, M: MapAccess<'json>>(&self, mut members: M) -> Result<Vec<DynamicMessage>, M::Error> {
        let mut parts: Vec<(FieldDescriptor, DynamicMessage)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            let field = self.field(&name).ok_or_else(|| M::Error::custom("there is no such part"))?;
            let form = part_form(&field).ok_or_else(|| M::Error::custom("it is no part"))?;
            if parts.iter().any(|(known, _)| *known == field) {
                return Err(M::Error::custom("a part is there twice"));
            }
            parts.push((field, members.next_value_seed(form)?));
        }
        parts.sort_by_key(|(field, _)| field.number());
        let message = |(field, part)| {
            let mut message = DynamicMessage::new(self.0.clone());
            message.set_field(&field, Value::Message(part));
            message
        };
        Ok(parts.into_iter().map(message).collect())
    }
}

fn part_form(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(form) if !field.is_list() && !field.is_map() => Some(form),
        _ => None,
    }
}

impl<'json> DeserializeSeed<'json> for &Messages {
    type Value = Vec<DynamicMessage>;

    fn deserialize<D: Deserializer<'json>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'json> Visitor<'json> for &Messages {
    type Value = Vec<DynamicMessage>;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an array of messages, or an object with their parts")
    }

    fn visit_seq<S: SeqAccess<'json>>(self, mut array: S) -> Result<Self::Value, S::Error> {
        let mut messages = Vec::new();
        while let Some(message) = array.next_element_seed(self.0.clone())? {
            messages.push(message);
        }
        Ok(messages)
    }

    fn visit_map<M: MapAccess<'json>>(self, members: M) -> Result<Self::Value, M::Error> {
        if self.have_parts() {
            self.parts(members)
        } else {
            DynamicMessage::deserialize(self.0.clone(), MapAccessDeserializer::new(members))
                .map(|message| vec![message])
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::proxy::methods;

    fn submit() -> MessageDescriptor {
        methods::find("/tongxin.monitoring.v1.SignalService/SubmitWarnings").unwrap().input()
    }

    fn in_json(messages: &[DynamicMessage]) -> serde_json::Value {
        serde_json::to_value(messages).unwrap()
    }

    #[test]
    fn the_parts_of_an_object_are_messages_in_the_order_of_the_contract() {
        let options = json!({ "requestId": "x", "department": "DEPARTMENT_HEALTH" });
        let rows = json!({ "rows": [{ "reference": "H-1" }] });
        let several = json!([{ "options": options }, { "rows": rows }]);
        for body in [
            format!(r#"{{"options":{options},"rows":{rows}}}"#),
            format!(r#"{{"rows":{rows},"options":{options}}}"#),
            several.to_string(),
        ] {
            assert_eq!(in_json(&messages(body.as_bytes(), &submit()).unwrap()), several, "{body}");
        }
        assert!(messages(b"{}", &submit()).unwrap().is_empty());
        assert!(messages(b"[]", &submit()).unwrap().is_empty());
    }

    #[test]
    fn an_object_without_parts_is_one_message() {
        let region = methods::find("/tongxin.pairing.v1.PairingService/GetRegion").unwrap().input();
        let read = messages(br#"{"code":"44"}"#, &region).unwrap();
        assert_eq!(in_json(&read), json!([{ "code": "44" }]));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (body, place) in [
            (r#"{"options":{},"options":{}}"#, (1, 23)),
            (r#"{"option":{}}"#, (1, 9)),
            ("[{\"rows\":{}},\n {\"row\":{}}]", (2, 7)),
            (r#"[{"rows":{}}"#, (1, 12)),
            ("[] {}", (1, 4)),
        ] {
            let error = messages(body.as_bytes(), &submit()).unwrap_err();
            let EdgeRefused::JsonMalformed { line, column, .. } = error else { panic!("{body}: {error}") };
            assert_eq!((line, column), place, "{body}");
        }
        for body in [r#"{"options":[]}"#, r#"{"rows":null}"#, "7", "null", ""] {
            assert!(messages(body.as_bytes(), &submit()).is_err(), "{body}");
        }
    }
}
