//! Every setting of monitoring, with its default.

use tongxin_platform::{grpc::TlsConfig, personal::PersonalConfig, secret::Address};

use crate::domain::income::IncomeTiers;

tongxin_platform::section! {
    /// Settings of monitoring.
    pub struct Config {
        /// Address of pairing, whose register of regions is followed, such as `http://pairing:7001` or
        /// `https://pairing:7001`.
        pub pairing: Address,
        /// Certificates for an `https://` address.
        #[serde(default)]
        pub pairing_tls: TlsConfig,
        /// Tiers of the collective income of villages: lists of `from` (a day) and `tiers`, each a `name` with
        /// `above_fen`. What was recorded stays in the tiers that it was counted in.
        #[serde(default)]
        pub income_tiers: IncomeTiers,
        /// Keys that personal data is sealed and found by.
        pub personal: PersonalConfig,
    }
}
