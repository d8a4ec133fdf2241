//! Identifiers, one type for each kind of thing.

tongxin_platform::id! {
    /// Names an organisation.
    OrganisationId,
    /// Names a pairing.
    PairingId,
    /// Names a joint activity.
    ActivityId,
}
