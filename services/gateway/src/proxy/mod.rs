//! Calls of every service through one door, in gRPC, in gRPC-Web and in JSON.
//!
//! A call of another service comes through the gateway's door and goes to its service as it is. A call in gRPC-Web
//! or JSON is asked at the door in gRPC, so that it meets what every other call meets.
//!
//! | file | |
//! |---|---|
//! | `upstreams`, `lanes` | passes gRPC on without decoding it; by which connection |
//! | `edge`      | which protocol a request speaks; gRPC-Web becomes gRPC here |
//! | `json`, `connect`, `dynamic` | JSON to gRPC and back, by the contract's descriptors |
//! | `cors`, `headers` | which web pages may call; what answers tell browsers |

mod connect;
pub mod cors;
mod dynamic;
mod edge;
pub mod headers;
mod json;
mod lanes;
mod upstreams;

pub use cors::Origin;
pub use edge::WebEdge;
pub use upstreams::Upstreams;
