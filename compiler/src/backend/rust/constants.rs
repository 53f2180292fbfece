//! Lists of numbers as statics: written out when they are short, as bytes when they are long.

use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::element::{number, real};
use super::names::{ident, word};
use crate::kernel::ir::Precision;

/// The longest list that is written out.
pub(super) const LONGEST: usize = 1024;

/// Where long lists go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Long {
    /// Byte strings in the source.
    Inline,
    /// Files beside the source, with a name that begins so.
    Files,
}

/// The statics of a source.
pub(super) struct Constants {
    precision: Precision,
    long: Long,
    /// Beginning of the names of files.
    stem: String,
    taken: HashSet<String>,
    /// Definitions.
    pub items: TokenStream,
    /// Files to be written beside the source: name and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Constants {
    pub fn new(precision: Precision, long: Long, stem: &str) -> Constants {
        Constants {
            precision,
            long,
            stem: stem.to_string(),
            taken: HashSet::new(),
            items: TokenStream::new(),
            files: Vec::new(),
        }
    }

    /// A list of numbers.
    pub fn numbers(&mut self, name: &str, values: &mut dyn Iterator<Item = f64>, len: usize) -> Ident {
        let name = self.free(name);
        let (real, precision) = (real(self.precision), self.precision);
        if len <= LONGEST {
            let (count, values) = (Literal::usize_unsuffixed(len), values.map(|v| number(v, precision)));
            self.items.extend(quote!(const #name: [#real; #count] = [#(#values),*];));
            return name;
        }
        let mut bytes = Vec::new();
        for value in values {
            match precision {
                Precision::F64 => bytes.extend(value.to_le_bytes()),
                Precision::F32 => bytes.extend((value as f32).to_le_bytes()),
            }
        }
        let size = if precision == Precision::F64 { 8 } else { 4 };
        self.bytes(&name, bytes, size);
        name
    }

    /// The number at an index of a list of `len`.
    pub fn number_at(&self, name: &Ident, len: usize, index: &TokenStream) -> TokenStream {
        let real = real(self.precision);
        if len <= LONGEST { quote!(#name[#index]) } else { quote!(#real::from_le_bytes(#name[#index])) }
    }

    /// A list of indices.
    pub fn indices(&mut self, name: &str, values: &[u32]) -> Ident {
        let name = self.free(name);
        if values.len() <= LONGEST {
            let count = Literal::usize_unsuffixed(values.len());
            let values = values.iter().map(|v| Literal::u32_unsuffixed(*v));
            self.items.extend(quote!(static #name: [u32; #count] = [#(#values),*];));
        } else {
            self.bytes(&name, values.iter().flat_map(|v| v.to_le_bytes()).collect(), 4);
        }
        name
    }

    /// The index at a place of a list of `len`, as `usize`.
    pub fn index_at(&self, name: &Ident, len: usize, index: &TokenStream) -> TokenStream {
        if len <= LONGEST { quote!(#name[#index] as usize) } else { quote!(u32::from_le_bytes(#name[#index]) as usize) }
    }

    fn bytes(&mut self, name: &Ident, bytes: Vec<u8>, size: usize) {
        let contents = match self.long {
            Long::Inline => {
                let literal = Literal::byte_string(&bytes);
                quote!(#literal)
            }
            Long::Files => {
                let file = format!("{}.{}.bin", self.stem, name.to_string().to_lowercase());
                self.files.push((file.clone(), bytes));
                quote!(include_bytes!(#file))
            }
        };
        let size = Literal::usize_unsuffixed(size);
        self.items.extend(quote!(static #name: &[[u8; #size]] = #contents.as_chunks::<#size>().0;));
    }

    fn free(&mut self, name: &str) -> Ident {
        let text = word(name).to_uppercase();
        let mut name = text.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{text}_{number}");
        }
        ident(&name)
    }
}
