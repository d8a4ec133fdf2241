//! Identifiers, one type for each kind of thing.

tongxin_platform::id!(OrganisationId, PairingId, ActivityId);
