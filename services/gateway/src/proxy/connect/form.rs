//! Encoding of a Connect call.

use bytes::Bytes;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::json;
use crate::proxy::EdgeRefused;

/// Codec and framing of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::proxy) struct Form {
    pub(super) codec: Codec,
    pub(super) framing: Framing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Proto,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The body is one message.
    Whole,
    /// The body is a sequence of prefixed messages.
    Envelopes,
}

const FORMS: [(&str, Form); 4] = [
    ("application/json", Form { codec: Codec::Json, framing: Framing::Whole }),
    ("application/proto", Form { codec: Codec::Proto, framing: Framing::Whole }),
    ("application/connect+json", Form { codec: Codec::Json, framing: Framing::Envelopes }),
    ("application/connect+proto", Form { codec: Codec::Proto, framing: Framing::Envelopes }),
];

impl Form {
    pub(in crate::proxy) fn named(media_type: &str) -> Option<Self> {
        FORMS.into_iter().find(|(name, _)| *name == media_type).map(|(_, form)| form)
    }

    /// Its media type.
    pub(super) fn name(self) -> &'static str {
        FORMS.into_iter().find(|(_, form)| *form == self).map_or("", |(name, _)| name)
    }
}

impl Codec {
    /// Converts a caller's message to protobuf.
    pub(super) async fn read(self, bytes: Bytes, form: MessageDescriptor, caller: &str) -> Result<Bytes, EdgeRefused> {
        match self {
            Self::Proto => Ok(bytes),
            Self::Json => {
                let length = bytes.len();
                let read = move || Ok(json::message(&bytes, &form)?.encode_to_vec().into());
                json::in_turn(length, caller, read).await
            }
        }
    }

    /// Converts a protobuf message for the caller.
    pub(super) async fn write(self, bytes: Bytes, form: MessageDescriptor, caller: &str) -> Result<Bytes, EdgeRefused> {
        match self {
            Self::Proto => Ok(bytes),
            Self::Json => {
                let length = bytes.len();
                let write = move || {
                    let message = DynamicMessage::decode(form, bytes);
                    let message = message.map_err(|error| EdgeRefused::AnswerMalformed(error.into()))?;
                    let json =
                        serde_json::to_vec(&message).map_err(|error| EdgeRefused::AnswerMalformed(error.into()))?;
                    Ok(json.into())
                };
                json::in_turn(length, caller, write).await
            }
        }
    }
}
