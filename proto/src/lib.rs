//! The contract of tongxin: generated messages, clients and servers, and what the
//! descriptors say about access, rules and personal data.

mod codec;
pub mod contract;
mod date;
mod day;
mod keyed;
pub mod names;
mod parts;
pub mod personal;
#[cfg(test)]
mod requests;
mod row_error;
pub mod rules;
pub mod telling;
pub mod text;
pub mod words;

use std::sync::LazyLock;

use prost_reflect::DescriptorPool;

pub use codec::{CheckedCodec, CheckedDecoder, invalid_fields};
pub use contract::{google::r#type::Date, tongxin::*};
pub use date::{FIRST_BUSINESS_DATE, NotADate};
pub use day::{NotADay, read_day};
pub use keyed::Keyed;
pub use parts::{HasOutcome, Identified, Part, Parts};

/// The encoded `FileDescriptorSet` of the contract, with its options.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/contract.bin"));

/// The descriptors of the contract.
pub static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| decode(DESCRIPTORS));

/// What a server answers, and says of itself by reflection.
#[derive(Debug)]
pub struct Contract {
    /// The encoded `FileDescriptorSet`.
    pub descriptors: &'static [u8],
    /// The same, to look things up in.
    pub pool: &'static LazyLock<DescriptorPool>,
}

/// The contract of the product.
pub static PRODUCT: Contract = Contract { descriptors: DESCRIPTORS, pool: &POOL };

/// The same and the package of the toy service, which no server of the product answers or shows.
pub static TOY: Contract = Contract { descriptors: WITH_TOY, pool: &TOY_POOL };

const WITH_TOY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/with_toy.bin"));
static TOY_POOL: LazyLock<DescriptorPool> = LazyLock::new(|| decode(WITH_TOY));

fn decode(descriptors: &[u8]) -> DescriptorPool {
    DescriptorPool::decode(descriptors).expect("the build wrote these descriptors")
}
