//! Messages whose form is read from the contract's descriptors.

use axum::body::Body as AxumBody;
use futures::StreamExt as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, MethodDescriptor};
use serde_json::error::Category;
use tonic::{
    Status,
    body::Body,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::error::Error;

/// Reads a message in JSON.
pub(super) async fn read_json(body: Body, form: MessageDescriptor, max_bytes: usize) -> Result<DynamicMessage, Error> {
    let json = read(body, max_bytes).await?;
    let message = form.full_name().to_owned();
    from_json(&json, form).map_err(|error| malformed(message, &error))
}

/// The text of the error quotes the body.
fn malformed(message: String, error: &serde_json::Error) -> Error {
    let fault = match error.classify() {
        Category::Syntax | Category::Io => "it is not JSON in UTF-8",
        Category::Eof => "it ends too early",
        Category::Data => "a field has another name, type or value than the contract gives it",
    };
    Error::JsonMalformed { message, line: error.line(), column: error.column(), fault }
}

async fn read(body: Body, max_bytes: usize) -> Result<Vec<u8>, Error> {
    let mut parts = AxumBody::new(body).into_data_stream();
    let mut bytes = Vec::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(Error::BodyBroken)?;
        if bytes.len() + part.len() > max_bytes {
            return Err(Error::MessageTooLarge(max_bytes));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

fn from_json(json: &[u8], form: MessageDescriptor) -> Result<DynamicMessage, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let message = DynamicMessage::deserialize(form, &mut json)?;
    json.end()?;
    Ok(message)
}

/// Writes a message in JSON, as protobuf prescribes.
pub(super) fn to_json(message: &DynamicMessage) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(message)?)
}

/// Sends messages as they are and reads answers by their descriptor.
#[derive(Debug)]
pub(super) struct DynamicCodec(MessageDescriptor);

impl DynamicCodec {
    /// Reads what a method answers.
    pub(super) fn answering(method: &MethodDescriptor) -> Self {
        Self(method.output())
    }
}

impl Codec for DynamicCodec {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = DynamicEncoder;
    type Decoder = DynamicDecoder;

    fn encoder(&mut self) -> DynamicEncoder {
        DynamicEncoder
    }

    fn decoder(&mut self) -> DynamicDecoder {
        DynamicDecoder(self.0.clone())
    }
}

/// The sending half of [`DynamicCodec`].
#[derive(Debug)]
pub(super) struct DynamicEncoder;

impl Encoder for DynamicEncoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

/// The reading half of [`DynamicCodec`].
#[derive(Debug)]
pub(super) struct DynamicDecoder(MessageDescriptor);

impl Decoder for DynamicDecoder {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let message = DynamicMessage::decode(self.0.clone(), bytes);
        message.map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
