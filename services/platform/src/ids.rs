//! Identifiers, one type for each kind of thing.

/// Declares types of identifiers. Columns of a table know them as UUIDs.
///
/// ```
/// tongxin_platform::id! {
///     /// Identifies a door.
///     DoorId,
///     /// Identifies a key.
///     KeyId,
/// }
/// let door = DoorId(uuid::Uuid::nil());
/// assert_eq!(door.to_string(), "00000000-0000-0000-0000-000000000000");
/// ```
#[macro_export]
macro_rules! id {
    ($($(#[$about:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub ::uuid::Uuid);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(formatter)
            }
        }

        $crate::column!($name as ::uuid::Uuid, |id: &$name| id.0, |uuid| {
            ::std::result::Result::<_, ::std::convert::Infallible>::Ok($name(uuid))
        });
    )+};
}
