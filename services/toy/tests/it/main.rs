//! The toy as it would be in production, on servers of its own.

mod support;
mod tallies;
