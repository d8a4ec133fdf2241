//! Calls of all services through one port, in gRPC, gRPC-Web and Connect.
//!
//! Calls of other services pass the gateway's access layer and are forwarded unchanged. Calls in gRPC-Web or Connect
//! are converted to gRPC before that layer, so that the same checks apply to every call.
//!
//! | file | |
//! |---|---|
//! | `upstreams`, `lanes` | forwards gRPC without decoding it; chooses the connection |
//! | `packed`    | coalesces the frames of request bodies |
//! | `edge`      | detects the protocol of a request |
//! | `web`       | gRPC-Web to gRPC and back |
//! | `connect/`  | Connect to gRPC and back: binary unchanged, JSON by the contract's descriptors |
//! | `methods`   | all methods |
//! | `fault`, `rest` | why a request broke off; drains a request that was answered early |
//! | `cors`, `headers` | CORS and security headers |

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
