//! Every setting of the toy, with its default.

use tongxin_platform::{grpc::TlsConfig, secret::Address};

tongxin_platform::section! {
    /// Settings of the toy.
    pub struct Config {
        /// Address of pairing, whose register of regions is followed.
        pub pairing: Address,
        /// Certificates for an `https://` address.
        #[serde(default)]
        pub pairing_tls: TlsConfig,
    }
}
