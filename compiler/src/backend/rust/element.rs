//! The straight-line code of a kernel as a function: from what it loads to what it stores, for one element.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names::{Names, ident, word};
use super::spelling::{Prelude, Spelling, spelling};
use crate::kernel::ir::{BufferId, BufferRole, Index, Module, Named, Precision, Stmt, ValueId, ValueOp};

/// Operations that one expression may hold before it gets a name.
const LONGEST: u32 = 4;

/// Something that an element function is given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Argument {
    /// An element of a buffer.
    Load(BufferId, Index),
    /// An element of an older slot.
    Past(BufferId, Index, u32),
    /// Time at the start of the step.
    Time,
    /// The step size.
    StepSize,
}

/// An element function.
pub(super) struct Element {
    /// What it is given, with the name of each.
    pub arguments: Vec<(Argument, Ident)>,
    /// The buffers that take its results, in order.
    pub stores: Vec<BufferId>,
    /// Its definition.
    pub item: TokenStream,
}

/// An expression, before it is used.
#[derive(Clone)]
struct Rendered {
    tokens: TokenStream,
    /// How tightly its outermost operator binds.
    strength: u8,
    /// Operations in it.
    size: u32,
    truth: bool,
}

const SUM: u8 = 1;
const PRODUCT: u8 = 2;
const SIGN: u8 = 3;
const ATOM: u8 = 4;

/// Prints a body as the function `name`. Values of equations come first, each below its equation; `comments` are put above the
/// lines of what the buffer gets.
pub(super) fn element(
    module: &Module,
    name: &Ident,
    (body, named): (&[Stmt], &[Named]),
    names: &Names,
    comments: &dyn Fn(BufferId) -> Option<String>,
    prelude: &mut Prelude,
) -> Element {
    let mut printer = Printer::new(module, (body, named), names, prelude);
    let mut lines = TokenStream::new();
    let equations = named.iter().map(|n| Some(n.equation.clone()));
    let parts = equations.chain(printer.stores.iter().map(|(buffer, _)| comments(*buffer)));
    for (place, comment) in parts.collect::<Vec<_>>().into_iter().enumerate() {
        let before = lines.is_empty();
        let code = printer.lines_of(place);
        if let Some(comment) = comment.filter(|_| !code.is_empty()) {
            let comment = if before { comment } else { format!("\n{comment}") };
            lines.extend(quote!(comment!(#comment);));
        }
        lines.extend(code);
    }
    let results: Vec<TokenStream> = printer.stores.clone().iter().map(|(_, v)| printer.number(*v)).collect();
    let (arguments, real) = (printer.arguments, real(module.precision));
    let parameters = arguments.iter().map(|(_, name)| quote!(#name: #real));
    let count = whole(results.len());
    let item = quote! {
        #[inline(always)]
        fn #name(#(#parameters),*) -> [#real; #count] {
            #lines
            [#(#results),*]
        }
    };
    Element { arguments, stores: printer.stores.iter().map(|s| s.0).collect(), item }
}

/// The number type of a module.
pub(super) fn real(precision: Precision) -> Ident {
    ident(precision.name())
}

/// A number as an expression.
pub(super) fn number(value: f64, precision: Precision) -> TokenStream {
    let real = real(precision);
    let value = crate::kernel::flush::number(value, precision);
    let (positive, magnitude) = (value.is_sign_positive(), value.abs());
    if value.is_nan() {
        return quote!(#real::NAN);
    }
    let literal = match precision {
        _ if magnitude.is_infinite() => quote!(#real::INFINITY),
        Precision::F64 => decimal(format!("{magnitude:?}")),
        Precision::F32 if (magnitude as f32).is_infinite() => quote!(#real::INFINITY),
        Precision::F32 => decimal(format!("{:?}", magnitude as f32)),
    };
    if positive { literal } else { quote!(-#literal) }
}

/// A whole number as a literal of any type.
pub(super) fn whole(number: impl Display) -> TokenStream {
    decimal(number.to_string())
}

/// A literal with its digits in groups, as in `6_755_399_441_055_744.0`.
fn decimal(text: String) -> TokenStream {
    let (mantissa, exponent) = text.split_once('e').map_or((&*text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let from_right: Vec<&[u8]> = whole.as_bytes().rchunks(3).rev().collect();
    let from_left: Vec<&[u8]> = fraction.unwrap_or_default().as_bytes().chunks(3).collect();
    let group = |parts: Vec<&[u8]>, least: usize| -> String {
        let digits: usize = parts.iter().map(|p| p.len()).sum();
        let separator = if digits > least { "_" } else { "" };
        let parts: Vec<String> = parts.iter().map(|p| String::from_utf8_lossy(p).into_owned()).collect();
        parts.join(separator)
    };
    let mut out = group(from_right, 5);
    if fraction.is_some() {
        out = format!("{out}.{}", group(from_left, 5));
    }
    if let Some(exponent) = exponent {
        out = format!("{out}e{exponent}");
    }
    out.parse().expect("digits with underscores between them are a literal")
}

/// What a choice gives whose condition is known.
fn chosen(ops: &[&ValueOp], spelling: Spelling, args: &[ValueId]) -> Option<ValueId> {
    match (spelling, args) {
        (Spelling::Select, [condition, a, b]) => match ops[condition.index()] {
            ValueOp::Constant(known) => Some(if *known == 0.0 { *b } else { *a }),
            _ => None,
        },
        _ => None,
    }
}

struct Printer<'a> {
    module: &'a Module,
    prelude: &'a mut Prelude,
    ops: Vec<&'a ValueOp>,
    stores: Vec<(BufferId, ValueId)>,
    arguments: Vec<(Argument, Ident)>,
    /// How often each value is used.
    uses: Vec<u32>,
    /// Whether the user of a value wants a name rather than an expression.
    named: Vec<bool>,
    /// The values of equations, ascending.
    equations: &'a [Named],
    /// The part that each value belongs to: the first equation that needs it, or behind the equations the first store.
    group: Vec<usize>,
    rendered: Vec<Option<Rendered>>,
    taken: HashSet<String>,
    names: &'a Names,
    count: usize,
}

impl<'a> Printer<'a> {
    fn new(
        module: &'a Module,
        (body, equations): (&'a [Stmt], &'a [Named]),
        names: &'a Names,
        prelude: &'a mut Prelude,
    ) -> Printer<'a> {
        let (mut ops, mut stores) = (Vec::new(), Vec::new());
        for stmt in body {
            match stmt {
                Stmt::Let(_, op) => ops.push(op),
                Stmt::Store(buffer, value) => stores.push((*buffer, *value)),
            }
        }
        // Backwards, so that a value has its group before its arguments get theirs. What no store needs has none.
        let mut group = vec![usize::MAX; ops.len()];
        for (place, (_, value)) in stores.iter().enumerate().rev() {
            group[value.index()] = equations.len() + place;
        }
        let (mut uses, mut named) = (vec![0; ops.len()], vec![false; ops.len()]);
        for (_, value) in &stores {
            uses[value.index()] += 1;
            named[value.index()] = true;
        }
        for index in (0..ops.len()).rev() {
            let ValueOp::Call(prim, args) = ops[index] else { continue };
            if group[index] == usize::MAX {
                continue;
            }
            if let Ok(own) = equations.binary_search_by_key(&index, |e| e.value.index()) {
                group[index] = own;
            }
            let choice = matches!(spelling(prim), Spelling::Select);
            let only = chosen(&ops, spelling(prim), args);
            for (place, arg) in args.iter().enumerate().filter(|(_, arg)| only.is_none_or(|only| only == **arg)) {
                group[arg.index()] = group[arg.index()].min(group[index]);
                uses[arg.index()] += 1;
                named[arg.index()] |= choice && place > 0;
            }
        }
        let rendered = vec![None; ops.len()];
        let taken = HashSet::new();
        let arguments = Vec::new();
        let mut printer = Printer {
            module,
            prelude,
            ops,
            stores,
            arguments,
            uses,
            named,
            equations,
            group,
            rendered,
            taken,
            names,
            count: 0,
        };
        printer.render_leaves();
        printer
    }

    /// Arguments and constants have their form before anything else.
    fn render_leaves(&mut self) {
        let mut known: HashMap<Argument, Ident> = HashMap::new();
        for index in 0..self.ops.len() {
            if self.uses[index] == 0 {
                continue;
            }
            let argument = match self.ops[index] {
                ValueOp::Constant(value) => {
                    let strength = if value.is_sign_negative() { SIGN } else { ATOM };
                    let tokens = number(*value, self.module.precision);
                    self.rendered[index] = Some(Rendered { tokens, strength, size: 0, truth: false });
                    continue;
                }
                ValueOp::Time => Argument::Time,
                ValueOp::StepSize => Argument::StepSize,
                ValueOp::Load { buffer, index } => Argument::Load(*buffer, *index),
                ValueOp::Past { buffer, index, steps } => Argument::Past(*buffer, *index, *steps),
                ValueOp::Call(..) => continue,
            };
            let name = match known.get(&argument) {
                Some(name) => name.clone(),
                None => {
                    let text = match argument {
                        Argument::Load(buffer, _) => self.names.of(buffer).to_string(),
                        Argument::Past(buffer, _, steps) => format!("{}_past_{steps}", self.names.of(buffer)),
                        Argument::Time => "t".to_string(),
                        Argument::StepSize => "dt".to_string(),
                    };
                    let name = self.free(&text);
                    self.arguments.push((argument, name.clone()));
                    known.insert(argument, name.clone());
                    name
                }
            };
            self.rendered[index] = Some(Rendered { tokens: quote!(#name), strength: ATOM, size: 0, truth: false });
        }
    }

    /// A name that nothing in the function has.
    fn free(&mut self, text: &str) -> Ident {
        let mut name = text.to_string();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{text}_{number}");
        }
        ident(&name)
    }

    /// The assignments that belong to a part.
    fn lines_of(&mut self, place: usize) -> TokenStream {
        let mut lines = TokenStream::new();
        for index in 0..self.ops.len() {
            let ValueOp::Call(prim, args) = self.ops[index] else { continue };
            if self.group[index] != place {
                continue;
            }
            let rendered = self.call(spelling(prim), args);
            let choice = matches!(spelling(prim), Spelling::Select);
            let wanted = self.named[index] || self.equation(index).is_some();
            let inline = self.uses[index] == 1 && !wanted && !choice && rendered.size <= LONGEST;
            if inline {
                self.rendered[index] = Some(rendered);
                continue;
            }
            let name = self.name_of(index);
            let tokens = rendered.tokens;
            lines.extend(quote!(let #name = #tokens;));
            self.rendered[index] = Some(Rendered { tokens: quote!(#name), strength: ATOM, size: 0, ..rendered });
        }
        lines
    }

    /// The equation that a value is of.
    fn equation(&self, index: usize) -> Option<&'a Named> {
        let at = self.equations.binary_search_by_key(&index, |e| e.value.index()).ok()?;
        Some(&self.equations[at])
    }

    /// A name for a value: what it is stored in, what the model calls it, or a number.
    fn name_of(&mut self, index: usize) -> Ident {
        let stored = self.stores.iter().find(|(_, v)| v.index() == index).map(|(b, _)| *b);
        match stored {
            Some(buffer) => {
                let name = self.names.of(buffer).to_string();
                let next = matches!(self.module.buffers[buffer.index()].role, BufferRole::State(_));
                self.free(&if next { format!("{name}_next") } else { name })
            }
            None => match self.equation(index) {
                Some(equation) => self.free(&word(equation.name.rsplit('/').next().unwrap_or(&equation.name))),
                None => {
                    self.count += 1;
                    self.free(&format!("q{}", self.count))
                }
            },
        }
    }

    fn rendered(&self, value: ValueId) -> Rendered {
        self.rendered[value.index()].clone().expect("arguments are printed before what uses them")
    }

    /// A value as a number.
    fn number(&mut self, value: ValueId) -> TokenStream {
        self.as_number(value).tokens
    }

    fn as_number(&mut self, value: ValueId) -> Rendered {
        let found = self.rendered(value);
        if !found.truth {
            return found;
        }
        self.prelude.add("truth");
        let tokens = found.tokens;
        Rendered { tokens: quote!(truth(#tokens)), strength: ATOM, size: found.size, truth: false }
    }

    /// A value as a condition.
    fn truth(&mut self, value: ValueId) -> TokenStream {
        let found = self.rendered(value);
        let tokens = &found.tokens;
        match (found.truth, found.strength) {
            (true, ATOM) => found.tokens,
            (true, _) => quote!((#tokens)),
            (false, ATOM) => quote!((#tokens != 0.0)),
            (false, _) => quote!(((#tokens) != 0.0)),
        }
    }

    /// An operand, in parentheses unless it binds at least as tightly as `least`.
    fn operand(&mut self, value: ValueId, least: u8) -> (TokenStream, u32) {
        let found = self.as_number(value);
        let tokens = found.tokens;
        let tokens = if found.strength >= least { tokens } else { quote!((#tokens)) };
        (tokens, found.size)
    }

    /// The opposite of a condition that is the negation of something, which reads better.
    fn opposite(&mut self, condition: ValueId, found: &Rendered) -> Option<TokenStream> {
        let ValueOp::Call(prim, args) = self.ops[condition.index()] else { return None };
        if !found.truth || found.strength == ATOM {
            return None;
        }
        match (spelling(prim), &args[..]) {
            (Spelling::Compare("!="), args) => Some(self.call(Spelling::Compare("=="), args).tokens),
            (Spelling::Neither, [a]) if self.rendered(*a).truth => Some(self.rendered(*a).tokens),
            _ => None,
        }
    }

    fn call(&mut self, spelling: Spelling, args: &[ValueId]) -> Rendered {
        let made =
            |tokens: TokenStream, strength: u8, size: u32, truth: bool| Rendered { tokens, strength, size, truth };
        match (spelling, args) {
            (Spelling::Infix(op), [a, b]) => {
                let own = if matches!(op, "+" | "-") { SUM } else { PRODUCT };
                let ((a, i), (b, j)) = (self.operand(*a, own), self.operand(*b, own + 1));
                let op: TokenStream = op.parse().expect("an operator is a token");
                made(quote!(#a #op #b), own, i + j + 1, false)
            }
            (Spelling::Negate, [a]) => {
                let (a, size) = self.operand(*a, ATOM);
                made(quote!(-#a), SIGN, size + 1, false)
            }
            (Spelling::Compare(op), [a, b]) => {
                let ((a, i), (b, j)) = (self.operand(*a, SUM), self.operand(*b, SUM));
                let op: TokenStream = op.parse().expect("an operator is a token");
                made(quote!(#a #op #b), 0, i + j + 1, true)
            }
            (Spelling::Both, [a, b]) => {
                let (a, b) = (self.truth(*a), self.truth(*b));
                made(quote!(#a & #b), 0, 2, true)
            }
            (Spelling::Either, [a, b]) => {
                let (a, b) = (self.truth(*a), self.truth(*b));
                made(quote!(#a | #b), 0, 2, true)
            }
            (Spelling::Neither, [a]) => {
                let found = self.rendered(*a);
                if found.truth {
                    let a = self.truth(*a);
                    made(quote!(!#a), 0, 2, true)
                } else {
                    let (a, size) = self.operand(*a, ATOM);
                    made(quote!(#a == 0.0), 0, size + 1, true)
                }
            }
            (Spelling::Select, [c, a, b]) => {
                if let Some(chosen) = chosen(&self.ops, spelling, args) {
                    return self.as_number(chosen);
                }
                let found = self.rendered(*c);
                if let Some(opposite) = self.opposite(*c, &found) {
                    let (a, b) = (self.number(*a), self.number(*b));
                    return made(quote!(if #opposite { #b } else { #a }), 0, found.size + 1, false);
                }
                let condition = &found.tokens;
                let (a, b) = (self.number(*a), self.number(*b));
                let choice = match (found.truth, found.strength) {
                    (true, _) => quote!(if #condition { #a } else { #b }),
                    (false, ATOM) => quote!(if #condition == 0.0 { #b } else { #a }),
                    (false, _) => quote!(if (#condition) == 0.0 { #b } else { #a }),
                };
                made(choice, 0, found.size + 1, false)
            }
            (Spelling::Function(name), args) => {
                self.prelude.add(name);
                let name = ident(name);
                let args: Vec<(TokenStream, u32)> = args.iter().map(|a| self.operand(*a, 0)).collect();
                let size = args.iter().map(|a| a.1).sum::<u32>() + 1;
                let args = args.iter().map(|a| &a.0);
                made(quote!(#name(#(#args),*)), ATOM, size, false)
            }
            _ => unreachable!("`verify` checks the number of arguments"),
        }
    }
}
