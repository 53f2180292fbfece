//! Lists of numbers as statics: written out when they are short, as bytes when they are long.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::element::{number, real, whole};
use super::names::{ident, word};
use crate::kernel::flush;
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

/// A static with numbers or indices.
pub(super) struct List {
    pub name: Ident,
    /// Whether its elements are bytes.
    long: bool,
    real: Ident,
}

impl List {
    /// The number that an element is.
    pub fn number(&self, element: &TokenStream) -> TokenStream {
        let real = &self.real;
        if self.long { quote!(#real::from_le_bytes(#element)) } else { element.clone() }
    }

    /// The index that an element is, as `usize`.
    pub fn index(&self, element: &TokenStream) -> TokenStream {
        if self.long { quote!(u32::from_le_bytes(#element) as usize) } else { quote!(#element as usize) }
    }
}

/// The statics of a source.
pub(super) struct Constants {
    precision: Precision,
    long: Long,
    /// Beginning of the names of files.
    stem: String,
    taken: HashSet<String>,
    /// Long lists that there are: whether aligned, and the bytes.
    known: HashMap<(bool, Vec<u8>), Ident>,
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
            known: HashMap::new(),
            items: TokenStream::new(),
            files: Vec::new(),
        }
    }

    /// A list of numbers.
    pub fn numbers(&mut self, name: &str, values: &mut dyn Iterator<Item = f64>, len: usize) -> List {
        let (real, precision) = (real(self.precision), self.precision);
        let long = len > LONGEST;
        let name = if long {
            let bytes = self.bytes_of(values);
            self.bytes(name, bytes, self.size())
        } else {
            let name = self.free(name);
            let (count, values) = (whole(len), values.map(|v| number(v, precision)));
            self.items.extend(quote!(static #name: [#real; #count] = [#(#values),*];));
            name
        };
        List { name, long, real }
    }

    /// A list of indices.
    pub fn indices(&mut self, name: &str, values: &[u32]) -> List {
        let long = values.len() > LONGEST;
        let name = if long {
            self.bytes(name, values.iter().flat_map(|v| v.to_le_bytes()).collect(), 4)
        } else {
            let name = self.free(name);
            let count = whole(values.len());
            let values = values.iter().map(whole);
            self.items.extend(quote!(static #name: [u32; #count] = [#(#values),*];));
            name
        };
        List { name, long, real: real(self.precision) }
    }

    /// Bytes of numbers, from a boundary of cache lines on.
    pub fn aligned(&mut self, name: &str, values: &[f64]) -> Ident {
        let bytes = self.bytes_of(&mut values.iter().copied());
        let count = whole(bytes.len());
        self.long(
            name,
            bytes,
            true,
            |name, contents| quote!(static #name: Aligned<[u8; #count]> = Aligned(*#contents);),
        )
    }

    /// Bytes of a number.
    fn size(&self) -> usize {
        if self.precision == Precision::F64 { 8 } else { 4 }
    }

    fn bytes_of(&self, values: &mut dyn Iterator<Item = f64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for value in values {
            let value = flush::number(value, self.precision);
            match self.precision {
                Precision::F64 => bytes.extend(value.to_le_bytes()),
                Precision::F32 => bytes.extend((value as f32).to_le_bytes()),
            }
        }
        bytes
    }

    fn bytes(&mut self, name: &str, bytes: Vec<u8>, size: usize) -> Ident {
        let size = whole(size);
        self.long(
            name,
            bytes,
            false,
            |name, contents| quote!(static #name: &[[u8; #size]] = #contents.as_chunks::<#size>().0;),
        )
    }

    /// The static with these bytes, made by `item` of its name and a reference to an array unless it is there.
    fn long(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        aligned: bool,
        item: impl Fn(&Ident, TokenStream) -> TokenStream,
    ) -> Ident {
        let key = (aligned, bytes);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let name = self.free(name);
        let contents = match self.long {
            Long::Inline => {
                let literal = Literal::byte_string(&key.1);
                quote!(#literal)
            }
            Long::Files => {
                let file = format!("{}.{}.bin", self.stem, name.to_string().to_lowercase());
                self.files.push((file.clone(), key.1.clone()));
                quote!(include_bytes!(#file))
            }
        };
        self.items.extend(item(&name, contents));
        self.known.insert(key, name.clone());
        name
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
