//! The pairing service.
