//! Numbers of connections by the distance of their units: the expression of a profile, at each distance.

use std::collections::HashMap;

use super::Lowering;
use super::expression::binary;
use super::functions::names;
use crate::diagnostic::{Result, lower as fault, model as model_fault};
use crate::ir::prim::{self, Prim, arith};
use crate::model::{Projection, Synapses, Values, Weights};
use crate::source::Span;
use crate::syntax::ast::{Expr, ExprKind, UnaryOp};
use crate::template::Literal;
use crate::template::profile::{DISTANCE, Profile};

impl Lowering<'_> {
    /// The connections of a projection with the numbers that profiles give at their distances.
    pub(super) fn with_profiles(&self, projection: &Projection, synapses: Synapses) -> Result<Synapses> {
        let Synapses { starts, units, mut weights, mut delays, mut spreads } = synapses;
        if let Weights::Profile(profile) = &projection.weights {
            weights = at_distances(profile, weights, |weight| {
                if weight.is_finite() { Ok(()) } else { Err(model_fault::weight_not_finite(projection.span).into()) }
            })?;
        }
        for (what, given, times) in
            [("delay", &projection.delay, &mut delays), ("spread", &projection.spread, &mut spreads)]
        {
            let Some(Literal::Profile(profile)) = given else { continue };
            *times = at_distances(profile, times.clone(), |time| {
                let sound = time.is_finite() && time >= 0.0;
                if sound { Ok(()) } else { Err(model_fault::bad_time(projection.span, what, time).into()) }
            })?;
        }
        Ok(Synapses { starts, units, weights, delays, spreads })
    }
}

/// The numbers at these distances, of which there are fewer than connections.
fn at_distances(profile: &Profile, distances: Values, check: impl Fn(f64) -> Result<()>) -> Result<Values> {
    let mut known: HashMap<u64, f64> = HashMap::new();
    let mut at = |distance: f64| -> Result<f64> {
        if let Some(number) = known.get(&distance.to_bits()) {
            return Ok(*number);
        }
        let number = value(&profile.value, distance)?;
        check(number)?;
        known.insert(distance.to_bits(), number);
        Ok(number)
    };
    match distances {
        Values::Uniform(distance) => at(distance).map(Values::Uniform),
        Values::Each(each) => {
            let numbers = each.iter().map(|distance| at(*distance)).collect::<Result<Vec<f64>>>()?;
            Ok(Values::from_each(numbers))
        }
    }
}

/// The value of an expression of the distance `d`.
fn value(expr: &Expr, d: f64) -> Result<f64> {
    match &expr.kind {
        ExprKind::Number(number) => Ok(*number),
        ExprKind::Name(name) => match &**name {
            DISTANCE => Ok(d),
            "pi" => Ok(std::f64::consts::PI),
            "E" => Ok(std::f64::consts::E),
            other => Err(fault::unknown_name(other, &[DISTANCE], expr.span).into()),
        },
        ExprKind::Unary(op, operand) => {
            let operand = value(operand, d)?;
            Ok(match op {
                UnaryOp::Negate => -operand,
                UnaryOp::Plus => operand,
                UnaryOp::Not => (arith::NOT.eval)(&[operand]),
            })
        }
        ExprKind::Binary(op, left, right) => match binary(*op) {
            Some(prim) => apply(prim, &[left, right], d),
            None => Err(not_of_numbers(expr.span)),
        },
        ExprKind::Conditional { test, then, otherwise } => apply(&arith::SELECT, &[test, then, otherwise], d),
        ExprKind::Call(name, args) => match prim::lookup(&name.text) {
            Some(prim) if prim.arity == args.len() => apply(prim, &args.iter().collect::<Vec<_>>(), d),
            Some(prim) => Err(fault::argument_count(&name.text, prim.arity, prim.arity, args.len(), expr.span).into()),
            None if names().contains(&&*name.text) => Err(not_of_numbers(expr.span)),
            None => Err(fault::unknown_function(&name.text, &names(), name.span).into()),
        },
        ExprKind::Imaginary(_) | ExprKind::Index(..) => Err(not_of_numbers(expr.span)),
    }
}

fn apply(prim: &'static Prim, args: &[&Expr], d: f64) -> Result<f64> {
    let args = args.iter().map(|arg| value(arg, d)).collect::<Result<Vec<f64>>>()?;
    Ok((prim.eval)(&args))
}

fn not_of_numbers(span: Span) -> crate::diagnostic::Diagnostics {
    fault::not_of_distance(span).into()
}
