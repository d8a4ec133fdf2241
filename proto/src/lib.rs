//! The contract of tongxin: generated messages, clients and servers, and what the
//! descriptors say about access, rules and personal data.

mod codec;
pub mod contract;
mod date;
pub mod names;
mod parts;
pub mod personal;
mod row_error;
pub mod rules;
pub mod telling;
pub mod words;

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use codec::{CheckedCodec, CheckedDecoder, invalid_fields};
pub use contract::{google::r#type::Date, tongxin::*};
pub use date::NotADate;
pub use parts::{HasOutcome, Identified, Part, Parts};

/// The encoded `FileDescriptorSet` of the contract, with its options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.bin"));

/// The descriptors of the contract.
pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).expect("the build wrote these descriptors"));
