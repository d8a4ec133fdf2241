//! Parses and writes JSON messages by their descriptors.

use std::{cell::Cell, fmt};

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer,
};
use serde_json::error::Category;
use tokio::task::spawn_blocking;
use tongxin_proto::text::{self, is_invisible};

use super::{
    envelope::{PLAIN, envelope},
    turns::Turns,
};
use crate::proxy::EdgeRefused;

/// Messages below `SMALL` bytes are parsed immediately, from `LARGE` on only one at a time.
const SMALL: usize = 16 << 10;
const LARGE: usize = 256 << 10;

/// Maximum number of messages of a client stream in one body; each may have thousands of rows.
const MOST: usize = 5_000;

static MIDDLING: Turns = Turns::new(2);
static ONE: Turns = Turns::new(1);

/// Runs work on a message of so many bytes for a caller. Parsing takes sixty times the message's memory and some time,
/// so larger messages take turns, outside the threads that serve other calls.
pub(super) async fn in_turn<T: Send + 'static>(
    bytes: usize,
    caller: &str,
    work: impl FnOnce() -> Result<T, EdgeRefused> + Send + 'static,
) -> Result<T, EdgeRefused> {
    let turns = match bytes {
        ..SMALL => return work(),
        SMALL..LARGE => &MIDDLING,
        LARGE.. => &ONE,
    };
    let turn = turns.wait(caller).await;
    let work = spawn_blocking(move || {
        // Holds the turn until the work is done, even if the caller disconnects.
        let _turn = turn;
        work()
    });
    work.await?
}

pub(super) fn message(json: &[u8], form: &MessageDescriptor) -> Result<DynamicMessage, EdgeRefused> {
    read(json, form.clone()).map_err(|error| malformed(form, &error))
}

/// All messages of a client stream in one body: an array of them, or an object with one member per message. Each is
/// encoded before the next one is parsed.
pub(super) fn messages(json: &[u8], form: &MessageDescriptor) -> Result<Bytes, EdgeRefused> {
    let messages = Messages { form: form.clone(), too_many: Cell::new(false) };
    read(json, &messages).map_err(|error| {
        if messages.too_many.get() { EdgeRefused::TooManyMessages(MOST) } else { malformed(form, &error) }
    })
}

/// Reads JSON. Where a value is not what the contract says, invisible characters may stand around the name of a value or a
/// number, which no service tidies: then it is read without them.
fn read<Seed, Read>(json: &[u8], seed: Seed) -> Result<Read, serde_json::Error>
where
    Seed: for<'json> DeserializeSeed<'json, Value = Read> + Clone,
{
    let read = read_as_it_is(json, seed.clone());
    let Err(error) = read else { return read };
    let visible = if error.classify() == Category::Data { without_invisible(json) } else { None };
    visible.and_then(|visible| read_as_it_is(visible.as_bytes(), seed).ok()).ok_or(error)
}

fn read_as_it_is<'json, Seed: DeserializeSeed<'json>>(
    json: &'json [u8],
    seed: Seed,
) -> Result<Seed::Value, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let read = seed.deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

/// JSON without invisible characters, be they written as such or as `\u200b`; `None` if it has none.
fn without_invisible(json: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(json).ok()?;
    let (mut seen, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, escape)) = rest.split_once('\\') {
        seen += before;
        let digits = escape.strip_prefix('u').and_then(|code| code.get(..4));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).and_then(char::from_u32);
        // An escaped backslash is one escape: what follows it is none.
        let length = if code.is_some() { 5 } else { escape.chars().next().map_or(0, char::len_utf8) };
        if !code.is_some_and(is_invisible) {
            seen.push('\\');
            seen += &escape[..length];
        }
        rest = &escape[length..];
    }
    seen += rest;
    let seen = text::without_invisible(&seen).into_owned();
    (seen.len() < json.len()).then_some(seen)
}

/// Omits the text of the error, which quotes the body.
fn malformed(form: &MessageDescriptor, error: &serde_json::Error) -> EdgeRefused {
    let fault = match error.classify() {
        Category::Syntax | Category::Io => "it is not JSON in UTF-8",
        Category::Eof => "it ends too early",
        Category::Data => "a field has another name, type or value than the contract gives it",
    };
    let message = form.full_name().to_owned();
    EdgeRefused::JsonMalformed { message, line: error.line(), column: error.column(), fault }
}

struct Messages {
    form: MessageDescriptor,
    too_many: Cell<bool>,
}

impl Messages {
    /// Whether each message is one of several parts, for example options or rows.
    fn have_parts(&self) -> bool {
        self.form.fields().all(|field| field.containing_oneof().is_some() && part_form(&field).is_some())
    }

    fn field(&self, name: &str) -> Option<FieldDescriptor> {
        self.form.get_field_by_json_name(name).or_else(|| self.form.get_field_by_name(name))
    }

    /// In the order of the contract, because members of a JSON object are unordered.
    fn parts<'json, M: MapAccess<'json>>(&self, mut members: M) -> Result<Bytes, M::Error> {
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
        let mut all = BytesMut::new();
        for (field, part) in parts {
            let mut message = DynamicMessage::new(self.form.clone());
            message.set_field(&field, Value::Message(part));
            put(&mut all, &message);
        }
        Ok(all.freeze())
    }
}

fn put(all: &mut BytesMut, message: &DynamicMessage) {
    all.extend_from_slice(&envelope(PLAIN, &message.encode_to_vec()));
}

fn part_form(field: &FieldDescriptor) -> Option<MessageDescriptor> {
    match field.kind() {
        Kind::Message(form) if !field.is_list() && !field.is_map() => Some(form),
        _ => None,
    }
}

impl<'json> DeserializeSeed<'json> for &Messages {
    type Value = Bytes;

    fn deserialize<D: Deserializer<'json>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'json> Visitor<'json> for &Messages {
    type Value = Bytes;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("an array of messages, or an object with their parts")
    }

    fn visit_seq<S: SeqAccess<'json>>(self, mut array: S) -> Result<Self::Value, S::Error> {
        let (mut all, mut count) = (BytesMut::new(), 0);
        while let Some(message) = array.next_element_seed(self.form.clone())? {
            count += 1;
            if count > MOST {
                self.too_many.set(true);
                return Err(S::Error::custom("there are too many"));
            }
            put(&mut all, &message);
        }
        Ok(all.freeze())
    }

    fn visit_map<M: MapAccess<'json>>(self, members: M) -> Result<Self::Value, M::Error> {
        if self.have_parts() {
            self.parts(members)
        } else {
            let message = DynamicMessage::deserialize(self.form.clone(), MapAccessDeserializer::new(members))?;
            Ok(envelope(PLAIN, &message.encode_to_vec()))
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

    /// Converts the encoded messages back to JSON.
    fn in_json(mut messages: Bytes, form: &MessageDescriptor) -> serde_json::Value {
        let mut all = Vec::new();
        while !messages.is_empty() {
            let head = messages.split_to(5);
            let length = u32::from_be_bytes(head[1..].try_into().unwrap()).try_into().unwrap();
            all.push(DynamicMessage::decode(form.clone(), messages.split_to(length)).unwrap());
        }
        serde_json::to_value(all).unwrap()
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
            assert_eq!(in_json(messages(body.as_bytes(), &submit()).unwrap(), &submit()), several, "{body}");
        }
        assert!(messages(b"{}", &submit()).unwrap().is_empty());
        assert!(messages(b"[]", &submit()).unwrap().is_empty());
    }

    #[test]
    fn an_object_without_parts_is_one_message() {
        let region = methods::find("/tongxin.pairing.v1.PairingService/GetRegion").unwrap().input();
        let read = messages(br#"{"code":"44"}"#, &region).unwrap();
        assert_eq!(in_json(read, &region), json!([{ "code": "44" }]));
    }

    #[test]
    fn an_array_has_so_many_messages_and_no_more() {
        let array = |count| format!("[{}]", vec![r#"{"rows":{}}"#; count].join(","));
        assert_eq!(messages(array(MOST).as_bytes(), &submit()).unwrap().len(), MOST * 7);
        let refused = messages(array(MOST + 1).as_bytes(), &submit()).unwrap_err();
        assert!(matches!(refused, EdgeRefused::TooManyMessages(MOST)), "{refused}");
    }

    #[test]
    fn invisible_characters_are_no_part_of_words_and_numbers() {
        let good = r#"{"options":{"department":"DEPARTMENT_HEALTH"},"rows":{"rows":[{"cause":"RISK_ILLNESS"}]}}"#;
        let good = messages(good.as_bytes(), &submit()).unwrap();
        for body in [
            "{\"options\":{\"department\":\"DEPARTMENT_HEALTH\u{200b}\"},\"rows\":{\"rows\":[{\"cause\":\"RISK_ILLNESS\"}]}}",
            r#"{"options":{"department":"\u200eDEPARTMENT_HEALTH"},"rows":{"rows":[{"cause":"\u202dRISK_ILLNESS\u202c"}]}}"#,
        ] {
            assert_eq!(messages(body.as_bytes(), &submit()).unwrap(), good, "{body}");
        }
        assert!(messages(r#"{"options":{"department":"DEPARTMENT_\\u200bHEALTH"}}"#.as_bytes(), &submit()).is_err());
        assert_eq!(without_invisible(r#"{"a":"\\u200b\n\"\u5f20"}"#.as_bytes()), None);
        assert_eq!(without_invisible(r#"{"a":"\\\u200b\\"}"#.as_bytes()).unwrap(), r#"{"a":"\\\\"}"#);
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
