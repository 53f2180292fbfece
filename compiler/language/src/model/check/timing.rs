//! Delays are finite and not negative; a spread belongs to a delay.
//!
//! Forbidden: `{delay: -1.0}`, `{spread: 0.5}` without a delay.

use crate::diagnostic::{Diagnostics, model as fault};
use crate::model::Circuit;
use crate::template::Literal;

pub(super) fn check(circuit: &Circuit, out: &mut Diagnostics) {
    let mut last = None;
    for projection in &circuit.projections {
        for (what, literal) in [("delay", &projection.delay), ("spread", &projection.spread)] {
            let Some(literal) = literal else { continue };
            let bad = |time: &f64| !time.is_finite() || *time < 0.0;
            let wrong = match literal {
                Literal::Number(n) => Some(n.re).filter(bad),
                Literal::List(list) => list.iter().map(|n| n.re).find(bad),
                Literal::Matrix { data, .. } => data.iter().copied().find(bad),
                // Refused where the edge was made, or where they are computed.
                Literal::Drawn(_) | Literal::Profile(_) => None,
            };
            if let Some(wrong) = wrong
                && last != Some(projection.span)
            {
                out.push(fault::bad_time(projection.span, what, wrong));
                last = Some(projection.span);
            }
        }
        if projection.spread.is_some() && projection.delay.is_none() && last != Some(projection.span) {
            out.push(fault::spread_without_delay(projection.span));
            last = Some(projection.span);
        }
    }
}
