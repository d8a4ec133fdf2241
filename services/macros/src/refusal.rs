//! `#[derive(Refusal)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Error, Expr, ExprLit, Fields, Ident, Lit, LitStr, Meta, Result, Token,
    Type, Variant, parse::ParseStream, spanned::Spanned as _,
};

pub fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let (stated, all, conversions) = match &input.data {
        Data::Enum(data) => {
            let variants: Vec<_> = data.variants.iter().map(read).collect::<Result<_>>()?;
            let stated = variants.iter().map(Read::arm);
            let all = variants.iter().map(Read::listed);
            let domain = domain(&input.attrs)?;
            let conversions = domain.map(|domain| conversions(name, &domain, &variants));
            // A match on a reference to an empty enum needs an arm.
            let scrutinee = if variants.is_empty() {
                quote! { *self }
            } else {
                quote! { self }
            };
            (quote! { match #scrutinee { #(#stated)* } }, quote! { #(#all)* }, conversions)
        }
        Data::Struct(data) => {
            let (stated, all) = of_struct(input, data)?;
            (stated, all, None)
        }
        Data::Union(_) => return Err(Error::new(name.span(), "a refusal is an enum or a struct")),
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::tongxin_platform::error::Refusal for #name {
            #[allow(unused_variables)]
            fn stated(&self) -> ::tongxin_platform::error::Stated<'_> {
                #stated
            }

            fn all() -> ::std::vec::Vec<::tongxin_platform::error::Listed> {
                let mut all = ::std::vec::Vec::new();
                #all
                all
            }
        }
        #conversions
    })
}

/// A variant and its attribute.
struct Read<'input> {
    variant: &'input Variant,
    says: Says,
}

enum Says {
    Itself { kind: Ident, reason: LitStr, field: Option<Box<Expr>>, told: Option<Ident> },
    ByItsField,
}

fn read(variant: &Variant) -> Result<Read<'_>> {
    let attribute = attribute(&variant.attrs).ok_or_else(|| {
        Error::new(variant.span(), "say #[refusal(Kind, \"REASON\")] or #[refusal(transparent)] of it")
    })?;
    let says = attribute.parse_args_with(says)?;
    if matches!(says, Says::ByItsField) && variant.fields.len() != 1 {
        return Err(Error::new(variant.span(), "`transparent` is for a variant with one field"));
    }
    Ok(Read { variant, says })
}

fn attribute(attributes: &[Attribute]) -> Option<&Attribute> {
    attributes.iter().find(|attribute| attribute.path().is_ident("refusal"))
}

fn says(input: ParseStream<'_>) -> Result<Says> {
    let kind: Ident = input.parse()?;
    if kind == "transparent" {
        return Ok(Says::ByItsField);
    }
    input.parse::<Token![,]>()?;
    let reason: LitStr = input.parse()?;
    let words = reason.value();
    if words.is_empty() || !words.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
        return Err(Error::new(reason.span(), "a reason is written IN_CAPITALS"));
    }
    let (mut field, mut told) = (None, None);
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            break;
        }
        let key: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "field" => field = Some(Box::new(input.parse()?)),
            "told" => told = Some(input.parse()?),
            _ => return Err(Error::new(key.span(), "known are `field` and `told`")),
        }
    }
    Ok(Says::Itself { kind, reason, field, told })
}

impl Says {
    fn stated(&self) -> TokenStream {
        let Self::Itself { kind, reason, field, told } = self else { return TokenStream::new() };
        let field = field.as_deref().map(as_text).map(|text| quote! { .about(#text) });
        let told = told.as_ref().map(|told| quote! { .telling(::tongxin_platform::limit::Limited::#told) });
        quote! {
            ::tongxin_platform::error::Stated::new(::tongxin_platform::error::ErrorKind::#kind, #reason) #field #told
        }
    }

    fn listed(&self, when: &str) -> TokenStream {
        let Self::Itself { kind, reason, .. } = self else { return TokenStream::new() };
        quote! {
            all.push(::tongxin_platform::error::Listed {
                kind: ::tongxin_platform::error::ErrorKind::#kind,
                reason: #reason,
                when: #when,
            });
        }
    }
}

impl Read<'_> {
    /// The arm of the match on `self`.
    fn arm(&self) -> TokenStream {
        let name = &self.variant.ident;
        let pattern = match &self.variant.fields {
            Fields::Named(fields) => {
                let names = fields.named.iter().filter_map(|field| field.ident.as_ref());
                quote! { Self::#name { #(#names),* } }
            }
            Fields::Unnamed(fields) => {
                let names = (0..fields.unnamed.len()).map(|place| format_ident!("_{place}"));
                quote! { Self::#name(#(#names),*) }
            }
            Fields::Unit => quote! { Self::#name },
        };
        match &self.says {
            Says::Itself { .. } => {
                let stated = self.says.stated();
                quote! { #pattern => #stated, }
            }
            Says::ByItsField => {
                let inner = match self.variant.fields.iter().next().and_then(|field| field.ident.clone()) {
                    Some(name) => name,
                    None => format_ident!("_0"),
                };
                quote! { #pattern => ::tongxin_platform::error::Refusal::stated(#inner), }
            }
        }
    }

    /// The statement that adds it to the list of refusals.
    fn listed(&self) -> TokenStream {
        match self.inner() {
            Some(inner) if matches!(self.says, Says::ByItsField) => {
                quote! { all.extend(<#inner as ::tongxin_platform::error::Refusal>::all()); }
            }
            _ => self.says.listed(&doc(&self.variant.attrs)),
        }
    }

    fn inner(&self) -> Option<&Type> {
        self.variant.fields.iter().next().map(|field| &field.ty)
    }
}

/// Conversions to a service's error, from its refusals and from the refusals in its variants.
fn conversions(name: &Ident, domain: &LitStr, variants: &[Read<'_>]) -> TokenStream {
    let held = variants.iter().filter(|read| matches!(read.says, Says::ByItsField));
    let from = held.map(|read| {
        let (variant, inner) = (&read.variant.ident, read.inner());
        quote! {
            #[automatically_derived]
            impl ::core::convert::From<#inner> for ::tongxin_platform::error::Error<#name> {
                fn from(refused: #inner) -> Self {
                    Self::Refused(#name::#variant(refused))
                }
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl ::tongxin_platform::error::ServiceRefusal for #name {
            const DOMAIN: &'static str = #domain;
        }
        #[automatically_derived]
        impl ::core::convert::From<#name> for ::tonic::Status {
            fn from(refused: #name) -> Self {
                ::tongxin_platform::error::Error::from(refused).into()
            }
        }
        impl #name {
            /// The error about the field with this path from the request.
            pub fn at(self, path: impl ::core::convert::Into<::std::string::String>)
                -> ::tongxin_platform::error::Error<Self>
            {
                ::tongxin_platform::error::Error::from(self).at(path)
            }
        }
        #(#from)*
    }
}

fn domain(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let Some(attribute) = attribute(attributes) else { return Ok(None) };
    let mut domain = None;
    attribute.parse_nested_meta(|meta| {
        if !meta.path.is_ident("domain") {
            return Err(meta.error("known is `domain`"));
        }
        domain = Some(meta.value()?.parse()?);
        Ok(())
    })?;
    Ok(domain)
}

fn of_struct(input: &DeriveInput, data: &DataStruct) -> Result<(TokenStream, TokenStream)> {
    let missing = || Error::new(input.ident.span(), "say #[refusal(by = field)] or #[refusal(Kind, \"REASON\")] of it");
    let attribute = attribute(&input.attrs).ok_or_else(missing)?;
    let names = data.fields.iter().filter_map(|field| field.ident.as_ref());
    let taken_apart = quote! { let Self { #(#names,)* .. } = self; };
    if let Ok(says @ Says::Itself { .. }) = attribute.parse_args_with(says) {
        let (stated, listed) = (says.stated(), says.listed(&doc(&input.attrs)));
        return Ok((quote! { #taken_apart #stated }, listed));
    }
    let (mut by, mut field) = (None::<Ident>, None::<Expr>);
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("by") {
            by = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("field") {
            field = Some(meta.value()?.parse()?);
        } else {
            return Err(meta.error("known are `by` and `field`"));
        }
        Ok(())
    })?;
    let by = by.ok_or_else(missing)?;
    let of = data.fields.iter().find(|one| one.ident.as_ref() == Some(&by));
    let kind = &of.ok_or_else(|| Error::new(by.span(), "there is no such field"))?.ty;
    let about = field.as_ref().map(as_text).map(|text| quote! { .about(#text) });
    Ok((
        quote! { #taken_apart ::tongxin_platform::error::Refusal::stated(#by) #about },
        quote! { all.extend(<#kind as ::tongxin_platform::error::Refusal>::all()); },
    ))
}

fn as_text(field: &Expr) -> TokenStream {
    quote! { ::core::convert::AsRef::<str>::as_ref(#field) }
}

/// The text of a doc comment, on one line.
fn doc(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        if let Meta::NameValue(doc) = &attribute.meta
            && let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &doc.value
        {
            lines.push(line.value().trim().to_owned());
        }
    }
    lines.join(" ").trim().to_owned()
}
