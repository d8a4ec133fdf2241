//! The address of a gateway.

use std::path::PathBuf;

use anyhow::{Result, bail};
use tongxin_platform::grpc;
use tonic::transport::Channel;

use crate::lang::told;

#[derive(Debug, Clone, Default)]
pub struct Place {
    /// `http://` or `https://`.
    pub address: String,
    /// The CA that signed its certificate, if this machine does not trust it by default.
    pub ca_file: Option<PathBuf>,
}

impl Place {
    /// Connects lazily.
    pub fn channel(&self) -> Result<Channel> {
        let Self { address, ca_file } = self;
        let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("https") => {}
            Some("http") if ca_file.is_none() => {}
            Some("http") => bail!(told!(
                "--ca-file is for an address that begins with https://, which {address:?} does not",
                "--ca-file 只用于以 https:// 开头的地址，而 {address:?} 不是"
            )),
            _ => bail!(told!(
                "{address:?} is not the address of a gateway, such as https://gateway.example or http://127.0.0.1:7400",
                "{address:?} 不是网关的地址：应写成 https://gateway.example 或 http://127.0.0.1:7400 这样"
            )),
        }
        Ok(grpc::public_channel(address, ca_file.as_deref())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_one_of_http_or_https() {
        let refusal = |address: &str, ca_file: Option<&str>| {
            let place = Place { address: address.to_owned(), ca_file: ca_file.map(PathBuf::from) };
            place.channel().map(drop).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(refusal("http://127.0.0.1:7400", None), Ok(()));
        for (address, ca_file, why) in [
            ("gateway.example", None, "such as https://gateway.example"),
            ("grpc://gateway.example", None, "such as https://gateway.example"),
            ("http://gateway.example", Some("ca.pem"), "--ca-file is for an address that begins with https://"),
            ("https://gateway.example", Some("/nowhere/ca.pem"), "cannot read /nowhere/ca.pem"),
            ("https://gateway.example", Some("/dev/null"), "/dev/null is no PEM file with certificates"),
        ] {
            let refused = refusal(address, ca_file).unwrap_err();
            assert!(refused.contains(why), "{address}: {refused}");
        }
    }
}
