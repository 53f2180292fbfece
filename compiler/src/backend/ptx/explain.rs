//! How the connections of a step are executed, for `--explain`.

use nullcline_runtime::artifact::Explanation;
use nullcline_runtime::code::Entry;

use super::dense;
use super::gather::{Constants, Part};
use crate::kernel::ir::{Body, Kernel, Module, Precision};

/// One row for each kernel of the step that sums over connections or delivers; `together` says whether one launch runs many
/// steps of a small network.
pub(super) fn explanations(
    module: &Module,
    (entries, constants): (&[Entry], &Constants),
    together: bool,
) -> Vec<Explanation> {
    let row = |index: &usize| explanation(module, (*index, &entries[*index]), constants, together);
    module.step.iter().filter_map(row).collect()
}

fn explanation(
    module: &Module,
    (index, entry): (usize, &Entry),
    constants: &Constants,
    together: bool,
) -> Option<Explanation> {
    let kernel: &Kernel = &module.kernels[index];
    let size = match module.precision {
        Precision::F32 => 4,
        Precision::F64 => 8,
    };
    let lists = |index: usize| [Part::Starts(index), Part::Sources(index), Part::Weights(index), Part::Delays(index)];
    let (name, synapses, kind, parts, reason) = match &kernel.body {
        Body::Pointwise(_) | Body::Take { .. } => return None,
        Body::Convolve { .. } => unreachable!("the target has lists of connections instead"),
        Body::Couple { connection, source, .. } => {
            let of = &module.connections[*connection];
            let sources = module.buffers[source.index()].len;
            let (kind, parts, reason) = if let Some(product) = entry.product.filter(|_| !together) {
                let kind = if product.vectors == 1 { "cuBLAS gemv" } else { "cuBLAS gemm" };
                let members = match product.vectors {
                    1 => String::new(),
                    n => format!("; {n} members share the matrix"),
                };
                let reason = format!("`--engine cublas`: sums in an order of its own{members}");
                (kind, vec![Part::Matrix(*connection)], reason)
            } else if !together && dense::tiles(of, sources) {
                let reason = "every source reaches every target".to_string();
                ("tiled matrix", vec![Part::Tiled(*connection)], reason)
            } else {
                ("list of entries", lists(*connection).to_vec(), "by target, in the order of the entries".to_string())
            };
            (&of.name, of.sources.len(), kind, parts, reason)
        }
        Body::CouplePast { connection, .. } => {
            let of = &module.connections[*connection];
            let reason = "by target, each entry from the past it reads".to_string();
            (&of.name, of.sources.len(), "delayed list", lists(*connection).to_vec(), reason)
        }
        Body::Deliver { fanout, .. } => {
            let of = &module.fanouts[*fanout];
            let reason = "spikes of a tile of sources, added in their order".to_string();
            (&of.name, of.targets.len(), "delivery", constants.of_fanout(*fanout), reason)
        }
    };
    let reason = if together { format!("{reason}; a small network, one launch runs many steps") } else { reason };
    let bytes = parts.iter().map(|part| constants.bytes(*part, size)).sum();
    Some(Explanation { name: name.clone(), synapses, kernel: kind, bytes, reason })
}
