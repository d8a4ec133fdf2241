//! Door 2: what other services state.

mod regions_recorded;

pub use regions_recorded::RegionNames;
