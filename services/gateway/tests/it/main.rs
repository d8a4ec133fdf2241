//! The gateway through its doors, on private servers.

mod connect;
mod doors;
mod edge;
mod figures;
mod frames;
mod https;
mod json;
mod metrics;
mod monitoring;
mod plans;
mod projection;
mod rollups;
mod support;
mod tls;
mod walls;
mod web;
