//! The log: order, relay, and protection against changes.

mod order;
mod plans;
mod relay;
mod tamper;
mod versions;

use crate::{
    request::Context,
    sample::{Source, count, database, everywhere, new_call, noon},
};

fn context() -> Context {
    Context::of_service("clerk", noon())
}
