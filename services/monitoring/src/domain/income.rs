//! Collective income of villages, and its tiers.
