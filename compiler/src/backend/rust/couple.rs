//! Kernels over connections: sums of weighted sources, by list or as a matrix, and deliveries of spikes.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::constants::List;
use super::element::{number, real, whole};
use super::fields::Fields;
use super::kernels::{Output, as_slice, as_slice_mut, kernel_name};
use crate::ir::system::{Connection, Values};
use crate::kernel::flush;
use crate::kernel::ir::{BufferId, Kernel, Precision};

/// A matrix with fewer entries in this many places is better kept as a list: an entry of a list costs about four places.
const SPARSEST: usize = 3;
/// Targets below which a matrix leaves most of each vector empty.
const FEWEST: usize = 8;
/// Bytes of the sums that are made side by side: eight vectors of 512 bits.
const SUMS: usize = 512;

/// What a source is worth to an entry, given `from` (and `delay`).
pub(super) type Value<'a> = dyn Fn(&TokenStream, &TokenStream) -> TokenStream + 'a;

/// Sums over the entries of each target.
pub(super) fn couple(
    fields: &Fields<'_>,
    kernel: &Kernel,
    connection: usize,
    (source, target): (BufferId, BufferId),
    out: &mut Output<'_>,
) -> TokenStream {
    let connection = &fields.module.connections[connection];
    let sources = fields.len(source);
    let (place, all, to) = (as_slice(fields, source), all_of(fields, source), as_slice_mut(fields, target));
    if let Some(full) = matrix(connection, sources, fields.module.precision) {
        let name = kernel_name(kernel);
        return match &connection.weights {
            // Every target has the same sum.
            Values::Uniform(weight) if full => {
                out.prelude.add("fma");
                let (real, zero) = (real(fields.module.precision), number(0.0, fields.module.precision));
                let weight = number(*weight, fields.module.precision);
                quote! {
                    let mut sum: #real = #zero;
                    for value in #all {
                        sum = fma(#weight, *value, sum);
                    }
                    #to.fill(sum);
                }
            }
            _ => dense(fields, &name, connection, full, (&all, &to, sources), out),
        };
    }
    couple_by_list(fields, kernel, connection, target, &|from, _| quote!(#place[#from]), out)
}

/// A buffer of any length as a reference to a slice.
fn all_of(fields: &Fields<'_>, buffer: BufferId) -> TokenStream {
    let place = as_slice(fields, buffer);
    if fields.len(buffer) == 1 { place } else { quote!(&#place[..]) }
}

/// Whether every place of a matrix has an entry, if the connection is better kept as one: if each target has each source at
/// most once, in ascending order, most places are entries, and no weight is 0 where 0 marks a gap.
fn matrix(connection: &Connection, sources: usize, precision: Precision) -> Option<bool> {
    let (targets, entries) = (connection.starts.len() - 1, connection.sources.len());
    if targets < FEWEST || entries == 0 || targets * sources > entries.saturating_mul(SPARSEST) {
        return None;
    }
    let full = targets * sources == entries;
    let gap = |weight: f64| flush::number(weight, precision) == 0.0;
    let marked = full || !(0..entries).any(|e| gap(connection.weights.at(e)));
    let ascending = connection.starts.windows(2).all(|row| {
        let sources = &connection.sources[row[0] as usize..row[1] as usize];
        sources.windows(2).all(|pair| pair[0] < pair[1])
    });
    (marked && ascending).then_some(full)
}

/// A matrix times a vector: for blocks of targets, whose sums are made side by side, source by source.
fn dense(
    fields: &Fields<'_>,
    name: &str,
    connection: &Connection,
    full: bool,
    (source, target, sources): (&TokenStream, &TokenStream, usize),
    out: &mut Output<'_>,
) -> TokenStream {
    let targets = connection.starts.len() - 1;
    let size = if fields.module.precision == Precision::F64 { 8 } else { 4 };
    let block = SUMS / size;
    let split = targets / block * block;
    let function = if full { "matrix" } else { "matrix_with_gaps" };
    let mut code = TokenStream::new();
    // What is left of whole blocks goes by eights.
    for (part, (first, end, width)) in [(0, split, block), (split, targets, FEWEST)].into_iter().enumerate() {
        if first == end {
            continue;
        }
        let blocks = (end - first).div_ceil(width);
        let mut weights = vec![0.0; blocks * width * sources];
        for row in first..end {
            for entry in connection.starts[row] as usize..connection.starts[row + 1] as usize {
                let (block, lane) = ((row - first) / width, (row - first) % width);
                let column = connection.sources[entry] as usize;
                weights[(block * sources + column) * width + lane] = connection.weights.at(entry);
            }
        }
        let label = if part == 0 { format!("{name}_matrix") } else { format!("{name}_matrix_rest") };
        let weights = out.constants.aligned(&label, &weights);
        let rows = match (first, end == targets) {
            (0, true) => quote!(#target[..]),
            (0, false) => {
                let end = whole(end);
                quote!(#target[..#end])
            }
            _ => {
                let first = whole(first);
                quote!(#target[#first..])
            }
        };
        let (call, width) = (super::names::ident(function), whole(width));
        out.prelude.add("fma");
        out.prelude.add(function);
        code.extend(quote!(#call::<#width>(&#weights.0, #source, &mut #rows);));
    }
    code
}

/// Sums over the entries of each target, one after the other.
pub(super) fn couple_by_list(
    fields: &Fields<'_>,
    kernel: &Kernel,
    connection: &Connection,
    target: BufferId,
    value: &Value<'_>,
    out: &mut Output<'_>,
) -> TokenStream {
    let (target, name) = (as_slice_mut(fields, target), kernel_name(kernel));
    let (real, zero) = (real(fields.module.precision), number(0.0, fields.module.precision));
    let starts = out.constants.indices(&format!("{name}_starts"), &connection.starts);
    let sources = out.constants.indices(&format!("{name}_sources"), &connection.sources);
    let delays = connection.delays.as_ref().map(|d| out.constants.indices(&format!("{name}_delays"), d));
    let (weights, weight) = weights(fields, &name, &connection.weights, connection.sources.len(), out);
    let from = sources.index(&quote!(from));
    let delay = delays.as_ref().map_or_else(TokenStream::new, |d| d.index(&quote!(delay)));
    let value = value(&from, &delay);
    let lists = [Some((sources, "from")), delays.map(|d| (d, "delay")), weights.map(|w| (w, "weight"))];
    let (entry, entries) = entries(lists.into_iter().flatten());
    out.prelude.add("fma");
    let (starts, range) = ends(&starts);
    quote! {
        for (target, ends) in #target.iter_mut().zip(#starts) {
            let entries = #range;
            let mut sum: #real = #zero;
            for #entry in #entries {
                sum = fma(#weight, #value, sum);
            }
            *target = sum;
        }
    }
}

/// Pairs of starts one after the other, and the range between those of a pair called `ends`.
fn ends(starts: &List) -> (TokenStream, TokenStream) {
    let name = &starts.name;
    let (first, end) = (starts.index(&quote!(ends[0])), starts.index(&quote!(ends[1])));
    (quote!(#name.windows(2)), quote!(#first..#end))
}

/// A pattern and an iterator over `entries` of some lists side by side.
fn entries(lists: impl Iterator<Item = (List, &'static str)>) -> (TokenStream, TokenStream) {
    let lists: Vec<(Ident, Ident)> = lists.map(|(list, name)| (list.name, super::names::ident(name))).collect();
    let (mut pattern, mut iterator) = (TokenStream::new(), TokenStream::new());
    let count = lists.len();
    for (place, (list, name)) in lists.into_iter().enumerate() {
        let range = if place + 1 == count { quote!(entries) } else { quote!(entries.clone()) };
        (pattern, iterator) = match (place, count) {
            (0, 1) => (quote!(&#name), quote!(&#list[#range])),
            (0, _) => (quote!(&#name), quote!(#list[#range].iter())),
            _ => (quote!((#pattern, &#name)), quote!(#iterator.zip(&#list[#range]))),
        };
    }
    (pattern, iterator)
}

/// The list of weights, unless all are the same, and the value of one called `weight`.
fn weights(
    fields: &Fields<'_>,
    name: &str,
    weights: &Values,
    len: usize,
    out: &mut Output<'_>,
) -> (Option<List>, TokenStream) {
    match weights {
        Values::Uniform(weight) => (None, number(*weight, fields.module.precision)),
        weights => {
            let mut each = (0..len).map(|e| weights.at(e));
            let list = out.constants.numbers(&format!("{name}_weights"), &mut each, len);
            let weight = list.number(&quote!(weight));
            (Some(list), weight)
        }
    }
}

/// Adds the weights of sources that send to their targets.
pub(super) fn deliver(
    fields: &Fields<'_>,
    kernel: &Kernel,
    fanout: usize,
    (spikes, factor, target): (BufferId, Option<BufferId>, BufferId),
    out: &mut Output<'_>,
) -> TokenStream {
    let (fanout, name) = (&fields.module.fanouts[fanout], kernel_name(kernel));
    let starts = out.constants.indices(&format!("{name}_starts"), &fanout.starts);
    let targets = out.constants.indices(&format!("{name}_targets"), &fanout.targets);
    let (weights, weight) = weights(fields, &name, &fanout.weights, fanout.targets.len(), out);
    let to = targets.index(&quote!(to));
    let (spikes, place) = (as_slice(fields, spikes), fields.write(target));
    let single = fields.len(target) == 1;
    let target = if single { place.clone() } else { quote!(#place[#to]) };
    let (entry, entries) = entries(
        [Some((targets, if single { "_" } else { "to" })), weights.map(|w| (w, "weight"))].into_iter().flatten(),
    );
    let (starts, range) = ends(&starts);
    let (pattern, senders, add) = match factor {
        None => (quote!((spike, ends)), quote!(#spikes.iter().zip(#starts)), quote!(#target += #weight;)),
        Some(factor) => {
            out.prelude.add("fma");
            let factor = all_of(fields, factor);
            let senders = quote!(#spikes.iter().zip(#starts).zip(#factor));
            (quote!(((spike, ends), factor)), senders, quote!(#target = fma(#weight, *factor, #target);))
        }
    };
    quote! {
        for #pattern in #senders {
            if *spike != 0.0 {
                let entries = #range;
                for #entry in #entries {
                    #add
                }
            }
        }
    }
}

/// The functions that multiply with matrices, by name, and the type of the matrices.
pub(super) fn item(name: &str, precision: Precision) -> TokenStream {
    let (real, size) = (real(precision), whole(if precision == Precision::F64 { 8 } else { 4 }));
    let (doc, add) = match name {
        "matrix" => (
            " A matrix times a vector, each sum source by source: `weights` has, for each block of targets and each source, \
             those of the block side by side.",
            quote!(*sum = fma(#real::from_le_bytes(*weight), *value, *sum);),
        ),
        _ => (
            " As `matrix`, where a weight of 0 says that there is no connection.",
            quote! {
                let weight = #real::from_le_bytes(*weight);
                let added = fma(weight, *value, *sum);
                *sum = if weight == 0.0 { *sum } else { added };
            },
        ),
    };
    let name = super::names::ident(name);
    quote! {
        #[doc = #doc]
        #[inline(always)]
        fn #name<const WIDTH: usize>(weights: &[u8], source: &[#real], target: &mut [#real]) {
            let rows = weights.as_chunks::<#size>().0.as_chunks::<WIDTH>().0;
            for (rows, target) in rows.chunks_exact(source.len()).zip(target.chunks_mut(WIDTH)) {
                let mut sums = [0.0; WIDTH];
                for (row, value) in rows.iter().zip(source) {
                    for (sum, weight) in sums.iter_mut().zip(row) {
                        #add
                    }
                }
                target.copy_from_slice(&sums[..target.len()]);
            }
        }
    }
}

/// The type of matrices.
pub(super) fn aligned() -> TokenStream {
    quote! {
        /// Bytes from the boundary of a cache line on.
        #[repr(align(64))]
        struct Aligned<T>(T);
    }
}
