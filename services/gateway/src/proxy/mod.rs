//! The edge: calls of other services, and JSON for all of them, through one port.
//!
//! A call of another service comes through the gateway's door and goes to its service as it is. A call
//! in JSON is asked at the door in gRPC, so that it meets what every other call meets.

mod connect;
mod dynamic;
mod json;
mod upstreams;

pub use json::JsonEdge;
pub use upstreams::Upstreams;
