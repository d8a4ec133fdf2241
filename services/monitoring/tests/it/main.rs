//! What monitoring does, seen through its door.

mod drafts;
mod households;
mod imports;
mod made;
mod members;
mod merges;
mod million;
mod moves;
mod observations;
mod pairing;
mod reveals;
mod rooms;
mod rules;
mod screening;
mod seals;
mod support;
