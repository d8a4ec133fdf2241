//! What is generated from the proto files.
#![allow(missing_docs, clippy::all, clippy::pedantic, reason = "generated code is not ours to lint")]

include!(concat!(env!("OUT_DIR"), "/contract.rs"));
include!(concat!(env!("OUT_DIR"), "/rules.rs"));
include!(concat!(env!("OUT_DIR"), "/tidy.rs"));
include!(concat!(env!("OUT_DIR"), "/personal.rs"));
include!(concat!(env!("OUT_DIR"), "/keys.rs"));
include!(concat!(env!("OUT_DIR"), "/parts.rs"));
include!(concat!(env!("OUT_DIR"), "/words.rs"));
