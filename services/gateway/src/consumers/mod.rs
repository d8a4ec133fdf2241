//! What follows from the events of other services: facts, and the register of regions.

mod effects;
mod events;
mod monitoring;
mod pairing;
mod projection;

pub use projection::SOURCES;
