//! Requests of any method, made from the descriptors of the contract, for tests about every field of it.

use bytes::{Buf as _, BufMut as _};
use futures::{StreamExt as _, stream};
use prost::{Message as _, Name as _};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, Value};
use tongxin_proto::{Date, POOL};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

/// The methods of a package of the contract.
#[must_use]
pub fn methods(package: &str) -> Vec<MethodDescriptor> {
    let services = POOL.services().filter(|service| service.package_name() == package);
    services.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// A text somewhere in a request.
#[derive(Debug, Clone)]
pub struct TextField {
    /// The fields that lead to it, itself last.
    pub way: Vec<FieldDescriptor>,
}

impl TextField {
    /// All texts of a message and of those in it.
    #[must_use]
    pub fn all(message: &MessageDescriptor) -> Vec<Self> {
        let mut all = Vec::new();
        for field in message.fields() {
            match field.kind() {
                Kind::String => all.push(Self { way: vec![field] }),
                Kind::Message(held) if !field.is_map() => {
                    let behind = Self::all(&held).into_iter();
                    all.extend(behind.map(|text| Self { way: [vec![field.clone()], text.way].concat() }));
                }
                _ => {}
            }
        }
        all
    }

    /// The field itself.
    ///
    /// # Panics
    /// Never: no way is empty.
    #[must_use]
    pub fn field(&self) -> &FieldDescriptor {
        self.way.last().expect("a way has an end")
    }

    /// Such as `MemberDraft.name`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}.{}", self.field().parent_message().name(), self.field().name())
    }

    /// Whether an option of ours is set for it.
    ///
    /// # Panics
    /// When the contract knows no such option.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        let option = POOL.get_extension_by_name(&format!("tongxin.options.v1.{option}")).expect("an option of ours");
        self.field().options().get_extension(&option).as_bool() == Some(true)
    }
}

/// What a test puts into fields; a field for which it has nothing is made as its rules ask.
pub type Fill<'fill> = &'fill dyn Fn(&FieldDescriptor) -> Option<Value>;

/// The messages of a request that keeps the rules of its fields as far as they are simple, with one text put in its place.
/// A stream begins with the first kind of part and ends with the last.
#[must_use]
pub fn request(method: &MethodDescriptor, fill: Fill<'_>, text: (&TextField, &str)) -> Vec<DynamicMessage> {
    let input = method.input();
    let (way, put) = (text.0.way.as_slice(), text.1);
    let Some(parts) = input.oneofs().next().filter(|_| method.is_client_streaming()) else {
        return vec![message(&input, fill, way, put)];
    };
    let part = |field: FieldDescriptor| {
        let behind = if way.first() == Some(&field) { &way[1..] } else { &[] };
        let mut part = DynamicMessage::new(input.clone());
        part.set_field(&field, one(&field, fill, behind, put));
        part
    };
    parts.fields().map(part).collect()
}

fn message(of: &MessageDescriptor, fill: Fill<'_>, way: &[FieldDescriptor], put: &str) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        let is_next = way.first() == Some(&field);
        let is_chosen = field.containing_oneof().is_none_or(|oneof| {
            let on_the_way = oneof.fields().find(|field| way.first() == Some(field));
            on_the_way.or_else(|| oneof.fields().next()).as_ref() == Some(&field)
        });
        let behind = if is_next { &way[1..] } else { &[] };
        let value = match fill(&field) {
            Some(value) if !is_next => Some(value),
            _ if is_next || (is_chosen && is_asked_for(&field)) => {
                let value = one(&field, fill, behind, put);
                Some(if field.is_list() { Value::List(vec![value]) } else { value })
            }
            _ => None,
        };
        if let Some(value) = value {
            message.set_field(&field, value);
        }
    }
    message
}

/// A value of a field, or of one item of it.
fn one(field: &FieldDescriptor, fill: Fill<'_>, behind: &[FieldDescriptor], put: &str) -> Value {
    match field.kind() {
        Kind::String => Value::String(put.to_owned()),
        Kind::Message(held) if held.full_name() == Date::full_name() => Value::Message(day()),
        Kind::Message(held) => Value::Message(message(&held, fill, behind, put)),
        Kind::Enum(_) => Value::EnumNumber(1),
        Kind::Int32 => Value::I32(1),
        Kind::Int64 => Value::I64(1),
        _ => Value::default_value_for_field(field),
    }
}

/// The last day of a month, as windows ask for.
fn day() -> DynamicMessage {
    let date = POOL.get_message_by_name(&Date::full_name()).expect("the contract has dates");
    let bytes = Date { year: 2025, month: 5, day: 31 }.encode_to_vec();
    DynamicMessage::decode(date, bytes.as_slice()).expect("a date is a date")
}

/// Whether a rule asks for it; of texts, only the test knows one that fits.
fn is_asked_for(field: &FieldDescriptor) -> bool {
    if field.kind() == Kind::String {
        return false;
    }
    let in_oneof = field.containing_oneof().is_some();
    let is = |kind: &str, rule: &str| rule_of(field, kind, rule).is_some();
    in_oneof
        || rule_of(field, "", "required").is_some()
        || is("repeated", "min_items")
        || is("enum", "not_in")
        || rule_of(field, "int64", "gte").or_else(|| rule_of(field, "int32", "gte")).is_some_and(|least| {
            least.as_i64().or_else(|| least.as_i32().map(i64::from)).is_some_and(|least| least > 0)
        })
}

/// A rule of `buf.validate` that is stated.
fn rule_of(field: &FieldDescriptor, kind: &str, rule: &str) -> Option<Value> {
    let rules = POOL.get_extension_by_name("buf.validate.field")?;
    let options = field.options();
    let stated = options.get_extension(&rules).into_owned();
    let stated = stated.as_message()?;
    if kind.is_empty() {
        return stated
            .has_field_by_name(rule)
            .then(|| stated.get_field_by_name(rule).map(std::borrow::Cow::into_owned))?;
    }
    let typed = stated.has_field_by_name(kind).then(|| stated.get_field_by_name(kind))??.into_owned();
    let typed = typed.as_message()?;
    typed.has_field_by_name(rule).then(|| typed.get_field_by_name(rule).map(std::borrow::Cow::into_owned))?
}

/// Calls a method, whatever its kind, and returns all that it answers.
///
/// # Errors
/// What it answers instead.
///
/// # Panics
/// When the answer is not what the contract says.
pub async fn call(
    channel: &Channel,
    token: &str,
    method: &MethodDescriptor,
    messages: &[DynamicMessage],
) -> Result<Vec<DynamicMessage>, Status> {
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let messages: Vec<Vec<u8>> = messages.iter().map(DynamicMessage::encode_to_vec).collect();
    let mut request = Request::new(stream::iter(messages));
    let bearer = format!("Bearer {token}").parse().expect("a token is ASCII");
    request.metadata_mut().insert("authorization", bearer);
    let mut client = Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = path.parse().expect("a method has a path");
    let mut answers = client.streaming(request, path, BytesCodec).await?.into_inner();
    let mut read = Vec::new();
    while let Some(answer) = answers.next().await {
        read.push(DynamicMessage::decode(method.output(), answer?.as_slice()).expect("an answer of the method"));
    }
    Ok(read)
}

/// Messages as they are on the wire.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&bytes);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut bytes = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut bytes);
        Ok(Some(bytes))
    }
}
