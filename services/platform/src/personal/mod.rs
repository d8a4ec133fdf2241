//! Personal data at rest: sealed in its column, found by a blind index, shown masked.
//!
//! Every owner of personal data has a data key. The data key seals the owner's fields, each to the one
//! [`SealLocation`] where it lives; a master key wraps the data key. An owner is erased by deleting the wrapped
//! data key and the owner's blind indexes.
//!
//! A dump made before an erasure still holds the wrapped key. It becomes unreadable once the remaining
//! keys are moved to a new master key ([`MasterKeys::rewrap`]) and the old one is destroyed.
//!
//! Sealed bytes, version 1, integers big-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, 1 |
//! | 1 | suite: 1 = AES-256-GCM, 2 = SM4-GCM |
//! | 4 | version of the key: the data key for a field, the master key for a wrapped data key |
//! | 12 | nonce, random |
//! | n | ciphertext |
//! | 16 | tag |
//!
//! The associated data is the header (the first six bytes), then the table, column and row of a field, or
//! the owner of a data key, each preceded by its length in eight bytes.

mod cipher;
mod config;
mod data_key;
mod error;
mod header;
mod index;
mod mask;
mod master_keys;
mod seal;
mod suite;

pub use config::PersonalConfig;
pub(crate) use config::read_key;
pub use data_key::{DataKey, SealLocation};
pub use error::Error;
pub use header::{Header, KeyVersion};
pub use index::BlindIndex;
pub use mask::{is_masked, mask_address, mask_bank_account, mask_id_number, mask_middle, mask_name, mask_phone};
pub use master_keys::MasterKeys;
pub use suite::Suite;
