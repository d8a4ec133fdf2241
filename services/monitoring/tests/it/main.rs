//! What monitoring does, seen through its door.

mod made;
mod million;
mod observations;
mod pairing;
mod rooms;
mod rules;
mod screening;
mod support;
