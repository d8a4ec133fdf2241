//! The contract's enumerations and the domain's.

use tongxin_proto::pairing::v1;

use crate::domain::{
    activity::ActivityKind,
    organisation::{OrganisationKind, Side},
    pairing::PairingKind,
    register::RegisterLevel,
};

/// Both directions between an enumeration of the contract, whose zero says nothing, and ours.
macro_rules! same_names {
    ($theirs:ty, $ours:ty, $($name:ident),+) => {
        impl From<$ours> for $theirs {
            fn from(value: $ours) -> Self {
                match value { $(<$ours>::$name => Self::$name,)+ }
            }
        }

        impl Named for $ours {
            type Theirs = $theirs;

            fn of(value: $theirs) -> Option<Self> {
                match value {
                    <$theirs>::Unspecified => None,
                    $(<$theirs>::$name => Some(Self::$name),)+
                }
            }
        }
    };
}

/// A value that the contract has a name for.
pub(super) trait Named: Sized {
    type Theirs: TryFrom<i32>;

    fn of(value: Self::Theirs) -> Option<Self>;

    /// Reads a field; `None` if it says nothing.
    fn read(number: i32) -> Option<Self> {
        Self::Theirs::try_from(number).ok().and_then(Self::of)
    }
}

same_names!(
    v1::OrganisationKind,
    OrganisationKind,
    PartyOrganisation,
    School,
    Hospital,
    Enterprise,
    PublicInstitution,
    Government,
    VillageCollective
);
same_names!(v1::OrganisationSide, Side, Supporter, Recipient);
same_names!(v1::PairingKind, PairingKind, Party, School, Hospital, Enterprise);
same_names!(v1::ActivityKind, ActivityKind, PartyDay, Visit, Teaching, Medical, Industry, Other);
same_names!(v1::RegionLevel, RegisterLevel, Province, City, County, Town, Village, Community);
