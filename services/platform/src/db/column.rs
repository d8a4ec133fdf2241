//! Types of ours as columns of a table.

/// Says how a type stands in a column: as another type, which it is written to and read from.
///
/// Reading fails for a value that is none of the type's; the statement that reads it fails then.
#[macro_export]
macro_rules! column {
    ($type:ty as $written:ty, $write:expr, $read:expr) => {
        impl ::sqlx::Type<::sqlx::Postgres> for $type {
            fn type_info() -> ::sqlx::postgres::PgTypeInfo {
                <$written as ::sqlx::Type<::sqlx::Postgres>>::type_info()
            }

            fn compatible(other: &::sqlx::postgres::PgTypeInfo) -> bool {
                <$written as ::sqlx::Type<::sqlx::Postgres>>::compatible(other)
            }
        }

        impl ::sqlx::postgres::PgHasArrayType for $type {
            fn array_type_info() -> ::sqlx::postgres::PgTypeInfo {
                <$written as ::sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }

        impl ::sqlx::Encode<'_, ::sqlx::Postgres> for $type {
            fn encode_by_ref(
                &self,
                buffer: &mut ::sqlx::postgres::PgArgumentBuffer,
            ) -> ::std::result::Result<::sqlx::encode::IsNull, ::sqlx::error::BoxDynError> {
                let written: $written = $write(self);
                ::sqlx::Encode::<'_, ::sqlx::Postgres>::encode_by_ref(&written, buffer)
            }
        }

        impl<'row> ::sqlx::Decode<'row, ::sqlx::Postgres> for $type {
            fn decode(
                value: ::sqlx::postgres::PgValueRef<'row>,
            ) -> ::std::result::Result<Self, ::sqlx::error::BoxDynError> {
                let written = <$written as ::sqlx::Decode<'row, ::sqlx::Postgres>>::decode(value)?;
                ::std::result::Result::Ok($read(written)?)
            }
        }
    };
}
