//! Journeys of users through the built program, and what it stands.

mod access;
mod faults;
mod operate;
mod python;
mod sample;
mod support;
mod tables;
mod told;
