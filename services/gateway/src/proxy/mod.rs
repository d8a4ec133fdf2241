//! Calls of every service through one door, in gRPC, in gRPC-Web and in Connect.
//!
//! A call of another service comes through the gateway's door and goes to its service as it is. A call in gRPC-Web
//! or Connect is asked at the door in gRPC, so that it meets what every other call meets.
//!
//! | file | |
//! |---|---|
//! | `upstreams`, `lanes` | passes gRPC on without decoding it; by which connection |
//! | `packed`    | what a caller sends, in frames that a service takes |
//! | `edge`      | which protocol a request speaks |
//! | `web`       | gRPC-Web to gRPC and back |
//! | `connect/`  | Connect to gRPC and back: bytes as they are, JSON by the contract's descriptors |
//! | `methods`   | what can be called |
//! | `fault`, `rest` | why what a caller sends broke off; what it still sends when it is answered already |
//! | `cors`, `headers` | which web pages may call; what answers tell browsers |

mod connect;
pub mod cors;
mod edge;
mod fault;
pub mod headers;
mod lanes;
mod media_type;
mod methods;
mod packed;
mod refused;
mod rest;
mod upstreams;
mod web;

pub use cors::Origin;
pub use edge::WebEdge;
pub use refused::EdgeRefused;
pub use upstreams::{Upstreams, is_upstream, upstream_names};
