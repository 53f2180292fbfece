use proc_macro2::TokenStream;

use super::fields::Fields;
use super::model::{Parts, Phases};

pub(super) fn items(_fields: &Fields<'_>, _phases: &Phases, _parts: &Parts) -> TokenStream {
    TokenStream::new()
}
