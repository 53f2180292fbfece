//! Procedural macros of nullcline: [`model!`] embeds a model as typed Rust code.
//!
//! The macro is a thin shell over `nullcline_compiler::embed`: it reads its arguments, hands errors on, and makes the
//! user's build look at the template files again when they change.

mod arguments;
mod fault;
mod file;
mod inline;

use proc_macro2::TokenStream;
use quote::quote;

use arguments::{Arguments, Source};

/// Embeds a model as a module with the struct `Model` and its `Parameters`, `State`, `Inputs` and `Outputs`.
///
/// ```text
/// nullcline_macros::model!("models/column.yaml");
/// nullcline_macros::model!("models/column.yaml", Template, precision = f32, scheme = heun, name = column);
/// nullcline_macros::model!(oscillator {
///     d/dt x = y;
///     d/dt y = mu*(1 - x^2)*y - x;
///     x: output(1.0);
///     y: variable(0.0);
///     mu: 1.0;
/// }, dt = 1e-3, scheme = rk4);
/// ```
///
/// Paths start from the directory of the crate's `Cargo.toml`. The module is called after the circuit, in snake case,
/// unless `name` says otherwise. Further settings: `dt`; `inputs = ["path/to/variable", ..]`, variables that become fields
/// of `Inputs` besides those that nothing drives; `std = false` for crates without the standard library, whose code depends
/// on nothing.
///
/// The code needs the crate `nullcline-runtime`, unless `std = false`. Faults of the model are errors of the build, with
/// the line of the template they are about.
#[proc_macro]
pub fn model(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(input.into(), quote!(::nullcline_runtime)).into()
}

/// As [`model!`], for a runtime at the path that stands in brackets before everything else.
#[doc(hidden)]
#[proc_macro]
pub fn model_at(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let mut input = TokenStream::from(input).into_iter();
    let runtime = match input.next() {
        Some(proc_macro2::TokenTree::Group(group)) => group.stream(),
        _ => quote!(::nullcline_runtime),
    };
    expand(input.collect(), runtime).into()
}

fn expand(input: TokenStream, runtime: TokenStream) -> TokenStream {
    let arguments = match Arguments::read(input) {
        Ok(arguments) => arguments,
        Err(fault) => return fault.into_tokens(),
    };
    let expanded = match &arguments.source {
        Source::File { .. } => file::expand(&arguments, runtime),
        Source::Inline { .. } => inline::expand(&arguments, runtime),
    };
    expanded.unwrap_or_else(|faults| faults.into_iter().map(fault::Fault::into_tokens).collect())
}
