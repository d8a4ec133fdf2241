//! The codec of every service: decodes a message, tidies its texts and checks the rules
//! that the contract states for it, before any of our code sees it.

use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder},
};
use tonic_prost::ProstEncoder;
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::{
    rules::{self, Rules, VIOLATIONS_NAMED, Violation},
    text::Tidy,
};

/// The `google.rpc.ErrorInfo` domain of errors that the contract itself explains.
const DOMAIN: &str = "contract.tongxin";

/// A prost codec that tidies the texts of requests, and refuses those which break their
/// `buf.validate` rules with `INVALID_ARGUMENT`, naming each field.
///
/// Generated clients use it as well: answers are neither tidied nor checked, so it costs
/// them nothing.
#[derive(Debug)]
pub struct CheckedCodec<Encode, Decode>(PhantomData<(Encode, Decode)>);

impl<Encode, Decode> Default for CheckedCodec<Encode, Decode> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<Encode, Decode> Codec for CheckedCodec<Encode, Decode>
where
    Encode: Message + Send + 'static,
    Decode: Message + Default + Rules + Tidy + Send + 'static,
{
    type Encode = Encode;
    type Decode = Decode;
    type Encoder = ProstEncoder<Encode>;
    type Decoder = CheckedDecoder<Decode>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckedDecoder(PhantomData)
    }
}

/// The decoding half of [`CheckedCodec`].
#[derive(Debug)]
pub struct CheckedDecoder<Decode>(PhantomData<Decode>);

impl<Decode: Message + Default + Rules + Tidy> Decoder for CheckedDecoder<Decode> {
    type Item = Decode;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Decode>, Status> {
        let mut message = Decode::decode(bytes).map_err(|error| malformed(&error))?;
        // Rows, too, although each is checked by itself later.
        message.tidy();
        rules::check(&message).map_err(|violations| invalid_fields(&violations))?;
        Ok(Some(message))
    }
}

fn malformed(error: &prost::DecodeError) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info("MESSAGE_MALFORMED", DOMAIN, []);
    let text = format!("the message cannot be decoded: {error}");
    Status::with_error_details(Code::InvalidArgument, text, details)
}

/// `INVALID_ARGUMENT` with the [`reason`](rules::reason) that the violations have and a
/// `google.rpc.BadRequest` that says of each field what is wrong with it, of at most
/// [`VIOLATIONS_NAMED`] of them.
#[must_use]
pub fn invalid_fields(violations: &[Violation]) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(rules::reason(violations), DOMAIN, []);
    for Violation { field, message, .. } in violations.iter().take(VIOLATIONS_NAMED) {
        details.add_bad_request_violation(field, message);
    }
    Status::with_error_details(Code::InvalidArgument, rules::summary(violations), details)
}
