//! What journeys, faults and load are built from.
