//! The log's order, its relay, and what nobody can do to it.

mod order;
mod relay;
mod tamper;

use crate::{
    request::Context,
    sample::{Source, count, database, everywhere, new_call, noon},
};

fn context() -> Context {
    Context {
        now: noon(),
        actor: "clerk".to_owned(),
        regions: crate::region::RegionRange::EVERYWHERE,
        may_load_history: false,
    }
}
