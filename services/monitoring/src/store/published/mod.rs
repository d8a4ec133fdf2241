//! What happened, as the contract's events: one file for each aggregate.
