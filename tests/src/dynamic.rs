//! Calls of any RPC by its descriptor, with messages in their JSON form.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, stream};
use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _},
};
use prost_reflect::{DynamicMessage, MethodDescriptor};
use serde_json::Value;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_types::StatusExt;

/// What came back: the messages before the end, and how it ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The messages in their JSON form.
    pub messages: Vec<Value>,
    /// The refusal, if it was one.
    pub refused: Option<Status>,
}

impl Outcome {
    /// The name of the refusal; empty for an answer.
    #[must_use]
    pub fn reason(&self) -> String {
        let info = self.refused.as_ref().and_then(StatusExt::get_details_error_info);
        info.map(|info| info.reason).unwrap_or_default()
    }
}

/// Calls a method, whatever its streams are.
///
/// # Errors
/// When a message is not in the form of the method's input, or no connection can be had.
pub async fn call(
    channel: Channel,
    token: Option<&str>,
    method: &MethodDescriptor,
    messages: &[Value],
) -> Result<Outcome> {
    let encode = |message: &Value| {
        let read = DynamicMessage::deserialize(method.input(), message);
        Ok(read.with_context(|| format!("{} does not take {message}", method.full_name()))?.encode_to_vec())
    };
    let messages: Vec<Vec<u8>> = messages.iter().map(encode).collect::<Result<_>>()?;
    let mut request = Request::new(stream::iter(messages));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
    }
    let path = PathAndQuery::try_from(format!("/{}/{}", method.parent_service().full_name(), method.name()))?;
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let mut outcome = Outcome { messages: Vec::new(), refused: None };
    let mut answers = match grpc.streaming(request, path, Bytes).await {
        Ok(answers) => answers.into_inner(),
        Err(status) => return Ok(Outcome { refused: Some(status), ..outcome }),
    };
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(bytes) => {
                let message = DynamicMessage::decode(method.output(), bytes.as_slice())?;
                outcome.messages.push(serde_json::to_value(message)?);
            }
            Err(status) => outcome.refused = Some(status),
        }
    }
    Ok(outcome)
}

/// Messages as their bytes.
struct Bytes;

impl Codec for Bytes {
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

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}
