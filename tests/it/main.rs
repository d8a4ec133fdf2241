//! Journeys of users through the built program, and what it stands.

mod access;
mod attacks;
mod broker;
mod buf;
mod cases;
mod curl;
mod data_folder;
mod errors;
mod faults;
mod house;
mod matrix;
mod monitoring_commands;
mod node;
mod operate;
mod pages;
mod permissions;
mod python;
mod refusals;
mod register_files;
mod sample;
mod support;
mod tables;
mod tls;
mod told;
mod waiting;
