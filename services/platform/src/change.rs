//! A new state together with the events that led to it.

/// The result of a domain method.
///
/// Domain methods return a `Change` and stores take one whole, so a state can never be saved without its events, nor an
/// event without its state.
#[must_use = "a change does nothing until a store saves it"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<State, Event> {
    /// The state after the change.
    pub state: State,
    /// What happened; empty if nothing did.
    pub events: Vec<Event>,
}

impl<State, Event> Change<State, Event> {
    /// An unchanged state: the result of a repeated command.
    pub fn none(state: State) -> Self {
        Self { state, events: Vec::new() }
    }

    /// A state after one event.
    pub fn one(state: State, event: Event) -> Self {
        Self { state, events: vec![event] }
    }
}
