//! Ports of the services.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use anyhow::{Result, bail};
use tongxin_platform::service::Kind;

use crate::{
    lang::told,
    services::{GATEWAY, KINDS},
};

/// Ports counted from the first one; with 0, all are free ones.
#[derive(Debug, Clone, Copy)]
pub struct Ports(u16);

impl From<u16> for Ports {
    fn from(first: u16) -> Self {
        Self(first)
    }
}

impl Ports {
    /// gRPC and admin port, of the gateway or of a service by its number.
    pub fn of(self, kind: &Kind, number: u16) -> (SocketAddr, SocketAddr) {
        if kind.name == GATEWAY.name { (self.at(0), self.at(1)) } else { (self.at(10 + number), self.at(20 + number)) }
    }

    /// Refuses ports that others listen on, all at once: found one by one, each would cost a start.
    pub fn check(self) -> Result<()> {
        let taken: Vec<_> = (0..)
            .zip(KINDS)
            .flat_map(|(number, kind)| <[SocketAddr; 2]>::from(self.of(kind, number)))
            .filter(|address| TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse))
            .map(|address| address.port().to_string())
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        let taken = taken.join(", ");
        bail!(told!(
            "another program listens on {taken}; --port names another first port, 0 takes free ones",
            "端口 {taken} 已被其他程序占用；可用 --port 另选第一个端口，填 0 则自动选用空闲端口"
        ))
    }

    fn at(self, offset: u16) -> SocketAddr {
        let port = if self.0 == 0 { 0 } else { self.0.saturating_add(offset) };
        (Ipv4Addr::LOCALHOST, port).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_from_the_first() {
        let of = |first: u16, kind, number| {
            let (grpc, admin) = Ports::from(first).of(kind, number);
            (grpc.port(), admin.port())
        };
        let [one, other, ..] = KINDS;
        assert_eq!(
            [of(7400, one, 0), of(7400, other, 1), of(7400, GATEWAY, 2)],
            [(7410, 7420), (7411, 7421), (7400, 7401)]
        );
        assert_eq!([of(0, one, 0), of(0, GATEWAY, 2)], [(0, 0); 2]);
    }
}
