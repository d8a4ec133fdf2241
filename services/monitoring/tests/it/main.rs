//! What monitoring does, seen through its door.

mod drafts;
mod households;
mod imports;
mod members;
mod merges;
mod moves;
mod pairing;
mod reveals;
mod rooms;
mod seals;
mod support;
