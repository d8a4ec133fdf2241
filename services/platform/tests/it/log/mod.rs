//! The log: order, relay, and protection against changes.

mod order;
mod plans;
mod relay;
mod tamper;
mod versions;

use crate::support::{Source, count, database, everywhere, new_call, noon};
use tongxin_platform::request::Context;

fn context() -> Context {
    Context::of_service("clerk", noon())
}
