//! IP networks, such as `10.0.0.0/8`, and the addresses that proxies forward.

use std::net::IpAddr;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or a single one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

/// Text that is no network.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no network: an address and how many of its bits count are needed, such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl TryFrom<String> for Network {
    type Error = NotANetwork;

    fn try_from(text: String) -> Result<Self, NotANetwork> {
        let (address, bits) =
            text.split_once('/').map_or((text.as_str(), None), |(address, bits)| (address, Some(bits)));
        let network = address.parse::<IpAddr>().ok().and_then(|address| {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
            (bits <= most).then_some(Self { address, bits })
        });
        network.ok_or(NotANetwork(text))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.address, network.bits)
    }
}

impl Network {
    /// Whether an address is in it.
    #[must_use]
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                alike(u32::from(own).into(), u32::from(other).into(), 32 - self.bits.min(32))
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => alike(own.into(), other.into(), 128 - self.bits),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

/// Whether two numbers are equal apart from their last bits.
fn alike(one: u128, other: u128, but: u32) -> bool {
    (one ^ other).checked_shr(but).unwrap_or_default() == 0
}

/// The client's address behind trusted proxies: the last one of `x-forwarded-for` that is not another trusted proxy.
/// Addresses before it can be forged.
pub(super) fn forwarded_for(headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
    let all = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let all: Vec<&str> = all.flat_map(|value| value.split(',')).map(str::trim).collect();
    for text in all.into_iter().rev() {
        let address = text.parse().ok()?;
        if !is_trusted(address) {
            return Some(address);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_network_holds_what_begins_like_it() {
        for (text, address, holds) in [
            ("10.0.0.0/8", "10.255.1.2", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.1.1.1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "10.0.0.1", false),
        ] {
            assert_eq!(network(text).holds(address.parse().unwrap()), holds, "{address} in {text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/x", "fd00::/129"] {
            assert!(Network::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        let trusted = network("10.0.0.0/8");
        let told = |text: &str| {
            let name = http::HeaderName::from_static("x-forwarded-for");
            let headers = HeaderMap::from_iter([(name, http::HeaderValue::from_str(text).unwrap())]);
            forwarded_for(&headers, |address| trusted.holds(address)).map(|address| address.to_string())
        };
        assert_eq!(told("1.1.1.1, 9.9.9.9, 10.0.0.7").as_deref(), Some("9.9.9.9"));
        assert_eq!(told("1.1.1.1, nonsense").as_deref(), None);
        assert_eq!(told("10.0.0.1").as_deref(), None);
    }
}
