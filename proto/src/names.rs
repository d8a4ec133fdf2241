//! Enumerations of the contract, whose zero says nothing, and those of a service's domain.

/// A value of a domain that the contract has a name for.
pub trait Named: Sized {
    /// The contract's enumeration.
    type Theirs: TryFrom<i32>;

    /// The value that the contract's one stands for; `None` for the one that says nothing.
    fn of(value: Self::Theirs) -> Option<Self>;

    /// Reads a field; `None` if it says nothing, or nothing that is known.
    fn read(number: i32) -> Option<Self> {
        Self::Theirs::try_from(number).ok().and_then(Self::of)
    }
}

/// Declares that an enumeration of the contract and one of a domain have values of the same names: implements
/// `From` the domain's value for the contract's, and [`Named`] for the domain's.
#[macro_export]
macro_rules! same_names {
    ($theirs:ty, $ours:ty, $($name:ident),+ $(,)?) => {
        impl From<$ours> for $theirs {
            fn from(value: $ours) -> Self {
                match value { $(<$ours>::$name => Self::$name,)+ }
            }
        }

        impl $crate::names::Named for $ours {
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
