//! The two families of ciphers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which ciphers seal and which hash finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// AES-256-GCM (NIST SP 800-38D) and HMAC-SHA-256.
    #[default]
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,

    /// SM4-GCM (GB/T 32907, RFC 8998) and HMAC-SM3 (GB/T 32905).
    #[serde(rename = "sm4-gcm")]
    Sm4Gcm,
}

impl Suite {
    pub(super) const fn id(self) -> u8 {
        match self {
            Self::Aes256Gcm => 1,
            Self::Sm4Gcm => 2,
        }
    }

    pub(super) const fn key_len(self) -> usize {
        match self {
            Self::Aes256Gcm => 32,
            Self::Sm4Gcm => 16,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aes256Gcm => "aes-256-gcm",
            Self::Sm4Gcm => "sm4-gcm",
        })
    }
}
