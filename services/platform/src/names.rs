//! Enumerations with stable names for SQL, configuration and events.

/// Declares an enumeration together with the stable name of each value.
///
/// It gets `ALL`, in the order of declaration; `name`, and its inverse `by_name`; and `index`, the position in `ALL`.
/// Values are ordered by position. Serde and columns of a table use their names.
///
/// ```
/// tongxin_platform::named! {
///     /// What a door can be.
///     pub enum Door {
///         /// Ajar as well.
///         Open = "open",
///         /// Locked or not.
///         Shut = "shut",
///     }
/// }
/// assert_eq!(Door::by_name("shut"), Some(Door::Shut));
/// assert_eq!(Door::Shut.name(), "shut");
/// assert_eq!(Door::ALL[Door::Shut.index()], Door::Shut);
/// ```
#[macro_export]
macro_rules! named {
    (
        $(#[$about:meta])*
        pub enum $kind:ident {
            $($(#[$value_about:meta])* $value:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize,
        )]
        pub enum $kind {
            $($(#[$value_about])* #[serde(rename = $name)] $value),+
        }

        impl $kind {
            /// All values, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// Its name, which never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }

            /// The value of a name.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$value),)+ _ => None }
            }

            /// The position among all values, from 0.
            #[must_use]
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        $crate::column!($kind as &str, |value: &$kind| value.name(), |name: &str| {
            $kind::by_name(name).ok_or_else(|| format!("the unknown name {name:?}"))
        });
    };
}
