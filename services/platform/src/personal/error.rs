//! Everything that can go wrong with sealed data. No message holds a key or a plaintext.

use std::io;
use std::path::PathBuf;

use super::{Header, KeyVersion, Suite};

/// Why something personal cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The bytes are too short, or their header makes no sense.
    #[error("sealed value is cut short or was never sealed")]
    Malformed,

    /// The bytes come from a later release, or are damaged.
    #[error("sealed value has the unknown format {0}")]
    UnknownFormat(u8),

    /// The bytes come from a later release, or are damaged.
    #[error("sealed value has the unknown suite {0}")]
    UnknownSuite(u8),

    /// The value needs another key than the one at hand.
    #[error("value is sealed with {sealed}, the key is {held}")]
    OtherKey {
        /// What the value says.
        sealed: Header,
        /// What the key says.
        held: Header,
    },

    /// The bytes were altered, or copied from another row, column, table or owner.
    #[error("sealed value was altered or belongs elsewhere")]
    Forged,

    /// The value opened, but was not sealed from text.
    #[error("sealed value is not text")]
    NotText,

    /// Longer than GCM allows (64 GiB).
    #[error("value is too long to be sealed")]
    TooLong,

    /// Nothing is sealed without a fresh nonce.
    #[error("the operating system gives no randomness")]
    Randomness(#[from] getrandom::Error),

    /// The wrapped key needs a master key that the settings do not name.
    #[error("master key version {0} is not loaded")]
    NoSuchMasterKey(KeyVersion),

    /// The current master key does not suit the chosen suite.
    #[error("master key version {version} is for {found}, but the suite is {wanted}")]
    MasterKeyOfOtherSuite {
        /// The current version.
        version: KeyVersion,
        /// The suite that a key of this length is for.
        found: Suite,
        /// The suite in the settings.
        wanted: Suite,
    },

    /// A key has a length that no suite uses.
    #[error("a key of {0} bytes fits no suite")]
    KeyLength(usize),

    /// The index key is not 32 bytes long.
    #[error("the index key must be 32 bytes long")]
    IndexKeyLength,

    /// A key file cannot be read.
    #[error("cannot read key file {}", path.display())]
    KeyFile {
        /// As in the settings.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// A key file holds something else.
    #[error("key file {} holds no key in hex or base64", path.display())]
    KeyText {
        /// As in the settings.
        path: PathBuf,
    },
}
