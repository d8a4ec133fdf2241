//! Refusals of the edge, before or after the called service.

use std::error::Error as StdError;

use tongxin_platform::error::Refusal;
use tonic::Status;

/// What the edge refuses, for any method.
#[derive(Debug, thiserror::Error, Refusal)]
#[refusal(domain = "gateway.tongxin")]
pub enum EdgeRefused {
    /// A body that is not the message in JSON. What it holds instead is not repeated: it may be of a person.
    #[error("the body is not the JSON form of {message}: in line {line}, column {column} {fault}")]
    #[refusal(Invalid, "MESSAGE_MALFORMED")]
    JsonMalformed {
        /// Full name of the message.
        message: String,
        /// Line of the body, from 1.
        line: usize,
        /// Column of the line.
        column: usize,
        /// What is wrong there.
        fault: &'static str,
    },

    /// A body that is not in the form that its head promises. What it holds instead is not repeated.
    #[error("the body cannot be read: {0}")]
    #[refusal(Invalid, "MESSAGE_MALFORMED")]
    MessageMalformed(&'static str),

    /// More messages of a stream in one body than are taken so.
    #[error("the array has more than {0} messages: put more rows into each, or send fewer at once")]
    #[refusal(Invalid, "TOO_MANY_MESSAGES")]
    TooManyMessages(usize),

    /// A message with more bytes than are taken, packed or unpacked.
    #[error("the message has more than {0} bytes: send less at once")]
    #[refusal(ResourceExhausted, "MESSAGE_TOO_LARGE")]
    MessageTooLarge(usize),

    /// The body did not come to its end.
    #[error("the body could not be read")]
    #[refusal(Invalid, "MESSAGE_MALFORMED")]
    BodyBroken(#[source] Status),

    /// A header that says how a call is made, with a value that it cannot have.
    #[error("{name} {fault}")]
    #[refusal(Invalid, "HEADER_INVALID")]
    HeaderInvalid {
        /// The header.
        name: &'static str,
        /// What is wrong with it.
        fault: &'static str,
    },

    /// A compression that is not known here.
    #[error("{0} names a compression that is not known here: send gzip or identity")]
    #[refusal(Unimplemented, "COMPRESSION_UNKNOWN")]
    CompressionUnknown(&'static str),

    /// A method that takes or answers a stream where its form has none, or the reverse.
    #[error("{fault}: send {instead}")]
    #[refusal(Unimplemented, "CONTENT_TYPE_WRONG")]
    FormWrong {
        /// Why the form does not do.
        fault: &'static str,
        /// Content types that do.
        instead: &'static str,
    },

    /// Another service cannot be reached.
    #[error("a service cannot be reached")]
    #[refusal(Unavailable, "SERVICE_UNAVAILABLE")]
    UpstreamUnavailable(#[from] tonic::transport::Error),

    /// An answer with more bytes than are passed on.
    #[error("the answer is too large: ask for less at once")]
    #[refusal(ResourceExhausted, "ANSWER_TOO_LARGE")]
    AnswerTooLarge,

    /// An answer does not have the form that the contract gives it.
    #[error("an answer cannot be passed on")]
    #[refusal(Internal, "INTERNAL")]
    AnswerMalformed(#[source] Box<dyn StdError + Send + Sync>),

    /// What takes a message apart did not come to its end.
    #[error("a message could not be taken apart")]
    #[refusal(Internal, "INTERNAL")]
    WorkBroken(#[from] tokio::task::JoinError),
}
