//! The derive macro that services use.

mod refusal;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Implements `tongxin_platform::error::Refusal`: code, reason and field are next to their variant.
///
/// | attribute | on | meaning |
/// |---|---|---|
/// | `#[refusal(NotFound, "CASE_NOT_FOUND")]` | a variant | an `ErrorKind`, and the reason, which never changes |
/// | `field = "case_id"` | after these | path of the invalid field; any expression over the variant's fields |
/// | `told = LookUp` | after these | the refusal reveals as much as this `Limited` action, so it counts as one |
/// | `#[refusal(transparent)]` | a variant | delegates to the variant's only field |
/// | `#[refusal(by = why, field = field)]` | a struct | delegates to a field, except for the path |
/// | `#[refusal(domain = "pairing.tongxin")]` | an enum | all refusals of a service: its errors convert from each |
///
/// The doc comment of a variant says when it happens; it becomes text of `proto/ERRORS.md`.
///
/// ```ignore
/// #[derive(Debug, thiserror::Error, Refusal)]
/// pub enum CaseRefused {
///     /// The case does not exist, or lies outside the caller's region.
///     #[error("there is no case {0}")]
///     #[refusal(NotFound, "CASE_NOT_FOUND", field = "case_id")]
///     NotFound(CaseId),
/// }
/// ```
#[proc_macro_derive(Refusal, attributes(refusal))]
pub fn refusal(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    refusal::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
