//! What monitoring does, seen through its door.

mod case_batches;
mod case_guards;
mod case_transitions;
mod cases;
mod drafts;
mod households;
mod imports;
mod lives;
mod made;
mod measures;
mod members;
mod merges;
mod million;
mod moves;
mod notices;
mod observations;
mod pairing;
mod relapses;
mod reveals;
mod rooms;
mod rules;
mod screening;
mod seals;
mod support;
