//! What monitoring does, seen through its door.

mod pairing;
mod rooms;
mod support;
