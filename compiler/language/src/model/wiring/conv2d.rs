//! Convolutions as connections: one for each tap of each target that reads a source.

use std::sync::Arc;

use nullcline_runtime::program::Window;

use super::{End, Ends, Graph, MAX_SYNAPSES, Wiring, zeros};
use crate::diagnostic::{Result, model as fault};
use crate::model::draw::draw;
use crate::source::Span;
use crate::template::connectivity::{Connectivity, Conv2d, Kernel, Rule};

impl Wiring {
    /// The window of a convolution and its weights, those of each target channel tap by tap; `None` for other wirings.
    pub fn convolution(&self, sources: usize) -> Option<(Window, Arc<[f64]>)> {
        let Rule::Conv2d(conv2d) = &self.connectivity.rule else { return None };
        let window = conv2d.window(sources)?;
        let weights = match &conv2d.kernel {
            Kernel::Given(given) => conv2d.by_tap(given),
            Kernel::Drawn(law) => {
                let stream = self.stream.of("kernel").reseeded(self.connectivity.seed);
                conv2d.by_tap(&draw(law, stream, window.weights()))
            }
        };
        Some((window, weights))
    }
}

/// The connections, by target, those of a target tap by tap. Their places in the list are those of their weights.
pub(super) fn connections(ends: Ends, autapses: bool, window: Option<Window>) -> Graph {
    let (mut starts, mut units, mut order) = (vec![0u32], Vec::new(), Vec::new());
    for target in 0..ends.targets {
        if let Some(window) = &window {
            let taps = (0..window.taps()).filter_map(|tap| Some((tap, window.read(target, tap)?)));
            for (tap, source) in taps.filter(|(_, source)| autapses || *source != target) {
                units.push(source as u32);
                order.push(window.weight(target, tap) as u32);
            }
        }
        starts.push(units.len() as u32);
    }
    let mut shared = zeros(units.len());
    Arc::get_mut(&mut shared).expect("just made, so not shared yet").copy_from_slice(&units);
    Graph { end: End::Target, starts: starts.into(), units: shared, others: ends.sources, order: Some(order) }
}

/// Checks that the populations are the grids of a convolution, and returns about how many connections it has.
pub(super) fn check(conv2d: &Conv2d, connectivity: &Connectivity, ends: Ends, span: Span) -> Result<f64> {
    let channels = conv2d.channels[0];
    if let Kernel::Given(weights) = &conv2d.kernel {
        let [rows, columns] = [conv2d.channels, conv2d.size].map(|[a, b]| (a as usize).saturating_mul(b as usize));
        let found = format!("{} weights", weights.len());
        if weights.len() != rows.saturating_mul(columns) {
            return Err(fault::matrix_does_not_fit(span, "kernel", &found, rows, columns).into());
        }
    }
    let taps: f64 = conv2d.size.iter().chain([&channels]).map(|n| f64::from(*n)).product();
    let connections = ends.targets as f64 * taps;
    if connections > MAX_SYNAPSES {
        return Ok(connections);
    }
    let Some(window) = conv2d.window(ends.sources) else {
        let places = conv2d.shape.map(|[rows, columns]| u128::from(rows) * u128::from(columns));
        let fits = places.map(|places| places * u128::from(channels)) == Some(ends.sources as u128);
        let side = (ends.sources as f64 / f64::from(channels)).sqrt().round() as u32;
        let square = conv2d.shape.is_none() && side as usize * side as usize * channels as usize == ends.sources;
        return Err(match conv2d.shape {
            Some(shape) if fits => fault::kernel_too_large(span, conv2d.size, shape),
            None if square => fault::kernel_too_large(span, conv2d.size, [side, side]),
            shape => fault::not_the_grid(span, ends.sources, shape, channels),
        }
        .into());
    };
    if window.targets() != ends.targets {
        return Err(fault::convolved_targets(span, window.target, ends.targets).into());
    }
    if !connectivity.allows_multapses() {
        let wanted = window.kernel.iter().map(|n| u64::from(*n)).product();
        let sides = (0..2).map(|axis| u64::from(window.kernel[axis].min(window.source[axis])));
        let partners = if window.periodic { sides.product() } else { wanted };
        if partners < wanted {
            return Err(fault::too_few_partners(span, "conv2d", wanted, partners).into());
        }
    }
    Ok(connections)
}
