//! Faults of integration schemes: equations they cannot take.

use super::Diagnostic;
use crate::ir::system::State;
use crate::scheme::{Noise, Scheme, TABLE};

/// For what a scheme refuses: schemes that take any equation.
const GENERAL: &str = "use `--scheme heun` or `--scheme rk4`, which take any equation";

/// An equation that is not linear in its own variable.
pub fn own_nonlinear(scheme: &Scheme, state: &State) -> Diagnostic {
    let (name, scheme) = (&state.name, scheme.name);
    let message = format!("scheme `{scheme}` takes x' = a - b x only, and `{name}` stands in its equation otherwise");
    Diagnostic::error("scheme-own-nonlinear", state.span, message, "a and b cannot be found here").with_help(GENERAL)
}

/// An equation that is not linear in the states of its unit.
pub fn nonlinear(scheme: &Scheme, state: &State) -> Diagnostic {
    let (name, scheme) = (&state.name, scheme.name);
    let message = format!("scheme `{scheme}` takes sums of multiples of states only, not the equation of `{name}`");
    Diagnostic::error("scheme-nonlinear", state.span, message, "a function or product of states").with_help(
        "use `--scheme exponential_euler` if each equation is linear in its own variable, else `--scheme rk4`",
    )
}

/// An equation with states of other units.
pub fn other_units(scheme: &Scheme, state: &State) -> Diagnostic {
    let (name, scheme) = (&state.name, scheme.name);
    let message = format!("scheme `{scheme}` solves each unit by itself, and `{name}` reads states of others");
    Diagnostic::error("scheme-other-units", state.span, message, "these change during a step")
        .with_help("let them act by events, or use `--scheme exponential_euler`")
}

/// A factor that is not constant during a run.
pub fn factor_changes(scheme: &Scheme, state: &State, other: &State) -> Diagnostic {
    let (name, scheme, other) = (&state.name, scheme.name, &other.name);
    let message = format!("scheme `{scheme}` needs constant factors, and that of `{other}` in `{name}` may change");
    Diagnostic::error("scheme-factor", state.span, message, "the factor is not made of parameters only")
        .with_help("use `--scheme exponential_euler`")
}

/// A summand that changes during a step.
pub fn rest_changes(scheme: &Scheme, state: &State, what: &str) -> Diagnostic {
    let (name, scheme) = (&state.name, scheme.name);
    let message = format!("scheme `{scheme}` needs what drives `{name}` to be constant over a step, and {what} is not");
    Diagnostic::error("scheme-drive", state.span, message, format!("{what} stands in this equation"))
        .with_help(format!("drive it by samples of a file, or: {GENERAL}"))
}

/// A linear system whose matrices would be too large.
pub fn too_large(scheme: &Scheme, state: &State, size: usize) -> Diagnostic {
    let (name, scheme) = (&state.name, scheme.name);
    let message = format!("scheme `{scheme}` would solve {size} equations together for `{name}`, which are too many");
    Diagnostic::error("scheme-size", state.span, message, "depends on all of them")
        .with_help("use `--scheme exponential_euler` or `--scheme rk4`")
}

/// Noise in an equation, and a scheme that has no place for it.
pub fn noise_refused(scheme: &Scheme, state: &State) -> Diagnostic {
    let message = format!("scheme `{}` is not made for white noise, which `{}` has", scheme.name, state.name);
    let noisy: Vec<&str> = TABLE.iter().filter(|s| s.noise != Noise::Refused).map(|s| s.name).collect();
    Diagnostic::error("noise-scheme", state.span, message, "noise in this equation")
        .with_help(format!("use one of these: `--scheme {}`", noisy.join("`, `--scheme ")))
}

/// A function of noise that is no multiple of it.
pub fn noise_nonlinear(state: &State) -> Diagnostic {
    let message = format!("white noise can be added and multiplied by other things, not more, in `{}`", state.name);
    Diagnostic::error("noise-nonlinear", state.span, message, "a function of noise, or a product of two")
        .with_help("for a random number of each step use `randn()`, which does not depend on the step size")
}

/// Noise that comes with a delay, and a scheme that would average two of its values.
pub fn noise_delayed(scheme: &Scheme, state: &State, history: &str) -> Diagnostic {
    let message = format!("scheme `{}` cannot take white noise with a delay, in `{}`", scheme.name, state.name);
    Diagnostic::error("noise-delayed", state.span, message, format!("reads the past of `{history}`"))
        .with_help("use `--scheme euler`")
}

/// Noise of other units in an equation that needs the derivative of its factor.
pub fn noise_of_others(scheme: &Scheme, state: &State) -> Diagnostic {
    let message =
        format!("scheme `{}` needs noise that stands in the equation of `{}` itself", scheme.name, state.name);
    Diagnostic::error("noise-of-others", state.span, message, "noise, or its factor, comes through edges or elements")
        .with_help("use `--scheme euler`, or `--scheme heun` for the integral of Stratonovich")
}

/// Two noises one of which changes the factor of the other.
pub fn noises_mixed(scheme: &Scheme, state: &State, names: (&str, &str)) -> Diagnostic {
    let message = format!(
        "scheme `{}` needs noises that do not act on each other's factors, as `{}` and `{}` do in `{}`",
        scheme.name, names.0, names.1, state.name
    );
    Diagnostic::error("noises-mixed", state.span, message, "two noises in one product")
        .with_help("use `--scheme euler`, or the same noise `xi` in both places")
}
