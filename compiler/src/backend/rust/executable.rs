use proc_macro2::TokenStream;

use super::Interface;
use super::fields::Fields;
use super::model::Parts;

pub(super) fn items(_: &Interface<'_>, _: &Fields<'_>, _: &Parts, _: &TokenStream) -> TokenStream {
    TokenStream::new()
}
