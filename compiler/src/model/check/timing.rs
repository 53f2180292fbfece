//! Delays are finite and not negative; a spread belongs to a delay.
//!
//! Forbidden: `{delay: -1.0}`, `{spread: 0.5}` without a delay.

use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::Circuit;
use crate::model::population::values;

pub(super) fn check(circuit: &Circuit, out: &mut Diagnostics) {
    let mut last = None;
    for projection in &circuit.projections {
        for (what, literal) in [("delay", &projection.delay), ("spread", &projection.spread)] {
            let Some(literal) = literal else { continue };
            let wrong = values(literal).into_iter().find(|n| !n.re.is_finite() || n.re < 0.0);
            if let Some(wrong) = wrong
                && last != Some(projection.span)
            {
                out.push(fault::bad_time(projection.span, what, wrong.re));
                last = Some(projection.span);
            }
        }
        if projection.spread.is_some() && projection.delay.is_none() && last != Some(projection.span) {
            out.push(fault::spread_without_delay(projection.span));
            last = Some(projection.span);
        }
    }
}
