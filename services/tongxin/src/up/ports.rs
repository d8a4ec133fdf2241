//! Who listens where.

use std::net::{Ipv4Addr, SocketAddr};

/// Ports that follow from the first; if that is 0, all are free ones.
#[derive(Debug, Clone, Copy)]
pub struct Ports(u16);

impl From<u16> for Ports {
    fn from(first: u16) -> Self {
        Self(first)
    }
}

impl Ports {
    /// The gateway, gRPC and JSON.
    pub fn gateway(self) -> SocketAddr {
        self.at(0)
    }

    /// The gateway's admin port.
    pub fn gateway_admin(self) -> SocketAddr {
        self.at(1)
    }

    /// gRPC of a service behind the gateway, by its number.
    pub fn service(self, number: u16) -> SocketAddr {
        self.at(10 + number)
    }

    /// Admin port of a service behind the gateway, by its number.
    pub fn service_admin(self, number: u16) -> SocketAddr {
        self.at(20 + number)
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
        let port = |address: SocketAddr| address.port();
        let ports = Ports::from(7400);
        assert_eq!(
            [ports.gateway(), ports.gateway_admin(), ports.service(0), ports.service_admin(1)].map(port),
            [7400, 7401, 7410, 7421]
        );
        assert_eq!([Ports::from(0).gateway(), Ports::from(0).service(3)].map(port), [0, 0]);
    }
}
