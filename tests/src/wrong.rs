//! The worst message of a method: each field breaks its rules, in Chinese, and lists are long.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

/// Fields of a message that are filled, in all: what it holds stays below the largest message.
const FIELDS: usize = 20_000;

/// Items of a list.
const ITEMS: usize = 60;

/// Messages in messages; some hold their own kind.
const DEPTH: usize = 6;

/// Such messages of a kind: of a oneof each part once.
#[must_use]
pub fn messages(form: &MessageDescriptor) -> Vec<DynamicMessage> {
    let parts: Vec<FieldDescriptor> = form.oneofs().flat_map(|oneof| oneof.fields().collect::<Vec<_>>()).collect();
    if parts.is_empty() {
        return vec![filled(form, DEPTH, &mut FIELDS.clone())];
    }
    let with = |part: FieldDescriptor| {
        let mut left = FIELDS;
        let mut message = filled(form, DEPTH, &mut left);
        let value = value(&part, DEPTH - 1, &mut FIELDS.clone());
        message.set_field(&part, value);
        message
    };
    parts.into_iter().map(with).collect()
}

fn filled(form: &MessageDescriptor, depth: usize, left: &mut usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(form.clone());
    for field in form.fields() {
        let is_message = matches!(field.kind(), Kind::Message(_));
        if *left == 0 || (depth == 0 && is_message) {
            continue;
        }
        message.set_field(&field, value(&field, depth.saturating_sub(1), left));
    }
    message
}

fn value(field: &FieldDescriptor, depth: usize, left: &mut usize) -> Value {
    if let (true, Kind::Message(entry)) = (field.is_map(), field.kind()) {
        let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
        let key = match key.kind() {
            Kind::String => MapKey::String("村".repeat(100)),
            Kind::Bool => MapKey::Bool(true),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => MapKey::I64(i64::MIN),
            Kind::Uint64 | Kind::Fixed64 => MapKey::U64(u64::MAX),
            Kind::Uint32 | Kind::Fixed32 => MapKey::U32(u32::MAX),
            _ => MapKey::I32(i32::MIN),
        };
        return Value::Map([(key, one(&value.kind(), depth, left))].into());
    }
    if field.is_list() {
        let items = (0..ITEMS).map_while(|_| (*left > 0).then(|| one(&field.kind(), depth, left)));
        return Value::List(items.collect());
    }
    one(&field.kind(), depth, left)
}

fn one(kind: &Kind, depth: usize, left: &mut usize) -> Value {
    *left = left.saturating_sub(1);
    match kind {
        Kind::Double => Value::F64(-1.0),
        Kind::Float => Value::F32(-1.0),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(i32::MIN),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(i64::MIN),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(u32::MAX),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(u64::MAX),
        Kind::Bool => Value::Bool(true),
        Kind::String => Value::String("村\"%\u{0}".repeat(30)),
        Kind::Bytes => Value::Bytes(vec![0xff; 99].into()),
        Kind::Enum(_) => Value::EnumNumber(999),
        Kind::Message(form) => Value::Message(filled(form, depth, left)),
    }
}
