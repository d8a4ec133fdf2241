//! The register of regions, as every service keeps it: which codes there are, and since and until when they are valid.
//!
//! One service owns it and states it in its log (`tongxin.register.v1`); the others follow that log by [`Register`]. All of them ask here
//! what they need to know of a region, and refuse alike what may not be.

mod follow;
mod known;
mod refused;
mod region;

pub use follow::Register;
pub use known::{KnownRegions, ensure, find, known, lock};
pub use refused::{RegionError, RegionRefused};
pub use region::{Region, RegionLevel};
