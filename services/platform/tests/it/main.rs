//! What needs Postgres, NATS or a port to be shown: a file for each topic, or a folder.

mod consumer;
mod db;
mod grpc;
mod lease;
mod log;
mod register;
mod request;
mod service;
mod support;
mod telemetry;
