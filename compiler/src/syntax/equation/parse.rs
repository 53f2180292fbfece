//! From words to the tree, by recursive descent; operators by their binding strengths.
//!
//! `check` has been through the words before, so what is refused here is what it let through: a last resort.
//!
//! ```text
//! equation   = left "=" expression
//! left       = "d" "/" "dt" ("(" target ")" | "*"? target) | dNAME "/" "dt" | NAME subscripts "'"
//!            | NAME "'" subscripts? | NAME subscripts | NAME arguments | NAME
//! target     = NAME subscripts?
//! expression = chain ("if" chain "else" expression)?
//! chain      = operand (operator operand)*
//! operand    = ("-" | "+" | "not") chain | atom subscripts*
//! atom       = NUMBER | NAME arguments? | "(" expression ")"
//! arguments  = "(" (expression ("," expression)*)? ")"
//! subscripts = "[" subscript ("," subscript)* "]"
//! subscript  = expression | expression? ":" expression?
//! ```

use super::token::{Token, TokenKind};
use super::{MAX_HEIGHT, is_name};
use crate::diagnostic::{Diagnostic, Result, syntax};
use crate::source::{Name, Span};
use crate::syntax::ast::{BinaryOp, Equation, Expr, ExprKind, Lhs, LhsKind, Subscript, UnaryOp};
use crate::syntax::text::MappedText;

/// What was read, or the fault found on the way. Faults are boxed: they pass through every level.
type Read<T> = std::result::Result<T, Box<Diagnostic>>;

/// A tree and its height.
type Built = Read<(Expr, u32)>;

/// The tree of an equation whose words have been checked.
pub(super) fn equation(text: &MappedText, words: &[Token]) -> Result<Equation> {
    let mut reader = Reader { text, words, at: 0 };
    reader.equation().map_err(|fault| (*fault).into())
}

/// The tree of an expression whose words have been checked.
pub(super) fn expression(text: &MappedText, words: &[Token]) -> Result<Expr> {
    let mut reader = Reader { text, words, at: 0 };
    let read = reader.expression().and_then(|(tree, _)| reader.end().map(|()| tree));
    read.map_err(|fault| (*fault).into())
}

/// How tightly signs and `not` bind, in the measure of [`BinaryOp::precedence`].
fn strength(op: UnaryOp) -> u8 {
    if op == UnaryOp::Not { 3 } else { 7 }
}

/// The operator of this spelling.
fn operator(word: &str) -> Option<BinaryOp> {
    let word = if word == "**" { "^" } else { word };
    BinaryOp::TABLE.iter().find(|row| row.1 == word).map(|row| row.0)
}

/// A place among the words of a text.
struct Reader<'t> {
    text: &'t MappedText,
    words: &'t [Token],
    at: usize,
}

impl<'t> Reader<'t> {
    /// The word at `index`; empty past the end.
    fn str(&self, index: usize) -> &'t str {
        self.words.get(index).map_or("", |word| &self.text.as_str()[word.range.clone()])
    }

    fn is(&self, word: &str) -> bool {
        self.str(self.at) == word
    }

    fn kind(&self) -> Option<TokenKind> {
        self.words.get(self.at).map(|word| word.kind)
    }

    /// Goes on if the next word is this one.
    fn eat(&mut self, word: &str) -> bool {
        let found = self.is(word);
        self.at += usize::from(found);
        found
    }

    /// Goes on past a word that must come next.
    fn expect(&mut self, word: &'static str, described: &'static str) -> Read<()> {
        if self.eat(word) { Ok(()) } else { Err(self.unreadable(described)) }
    }

    /// Nothing may follow.
    fn end(&self) -> Read<()> {
        if self.at >= self.words.len() { Ok(()) } else { Err(self.unreadable("the end of the equation")) }
    }

    /// Where the words from `first` to the last one read stand.
    fn since(&self, first: usize) -> Span {
        match (self.words.get(first), self.words.get(self.at.max(first + 1) - 1)) {
            (Some(first), Some(last)) => self.text.span(first.range.start, last.range.end),
            _ => self.text.whole(),
        }
    }

    /// The general fault, at the next word.
    fn unreadable(&self, expected: &'static str) -> Box<Diagnostic> {
        let span = match self.words.get(self.at).or(self.words.last()) {
            Some(word) => self.text.span(word.range.start, word.range.end),
            None => self.text.whole(),
        };
        Box::new(syntax::unreadable_equation(span, vec![expected]))
    }

    fn name(&mut self) -> Read<Name> {
        if self.kind() != Some(TokenKind::Name) {
            return Err(self.unreadable("a name"));
        }
        self.at += 1;
        Ok(Name::new(self.str(self.at - 1), self.since(self.at - 1)))
    }

    fn equation(&mut self) -> Read<Equation> {
        let lhs = self.left_side()?;
        self.expect("=", "`=`")?;
        let (rhs, _) = self.expression()?;
        self.end()?;
        Ok(Equation { lhs, rhs, span: self.since(0) })
    }

    fn left_side(&mut self) -> Read<Lhs> {
        let first = self.at;
        let step = self.str(first + 1) == "/" && self.str(first + 2) == "dt";
        if self.is("d") && step {
            self.at += 3;
            let bracket = self.eat("(");
            if !bracket {
                self.eat("*");
            }
            let variable = self.name()?;
            let subscripts = self.subscripts_if_any()?;
            if bracket {
                self.expect(")", "`)`")?;
            }
            return Ok(Lhs { kind: LhsKind::Derivative, variable, subscripts, span: self.since(first) });
        }
        let mut variable = self.name()?;
        if step {
            self.at += 2;
            let span = self.since(first);
            let Some(rest) = variable.text.strip_prefix('d').filter(|rest| is_name(rest)) else {
                let written = &self.text.as_str()[self.words[first].range.start..self.words[first + 2].range.end];
                return Err(Box::new(syntax::bad_left_side(span, written)));
            };
            let range = &self.words[first].range;
            variable = Name::new(rest, self.text.span(range.start + 1, range.end));
            return Ok(Lhs { kind: LhsKind::Derivative, variable, subscripts: Vec::new(), span });
        }
        if self.is("(") {
            return self.index_call(&variable, first);
        }
        let primed = self.eat("'");
        let subscripts = self.subscripts_if_any()?;
        let derivative = primed || self.eat("'");
        let kind = if derivative { LhsKind::Derivative } else { LhsKind::Value };
        Ok(Lhs { kind, variable, subscripts, span: self.since(first) })
    }

    /// `index(x, i) =` and its relatives as element writes.
    fn index_call(&mut self, function: &Name, first: usize) -> Read<Lhs> {
        let (arguments, _) = self.arguments()?;
        let span = self.since(first);
        let refuse = || Box::new(syntax::bad_left_side(span, &format!("{}(..)", function.text)));
        let mut values = arguments.into_iter();
        let variable = match values.next() {
            Some(Expr { kind: ExprKind::Name(name), span }) => Name::new(name, span),
            _ => return Err(refuse()),
        };
        let rest: Vec<Expr> = values.collect();
        let all = || Subscript::Range(None, None, function.span);
        let subscripts = match (&*function.text, rest.as_slice()) {
            ("index", [i]) => vec![Subscript::At(i.clone())],
            ("index", [i, j]) | ("index_2d", [i, j]) => vec![Subscript::At(i.clone()), Subscript::At(j.clone())],
            ("index_range", [from, to]) => {
                vec![Subscript::Range(Some(from.clone()), Some(to.clone()), from.span.to(to.span))]
            }
            ("index_axis", []) => vec![all()],
            ("index_axis", [i]) => vec![Subscript::At(i.clone())],
            ("index_axis", [i, Expr { kind: ExprKind::Number(axis), .. }]) if *axis == 0.0 => {
                vec![Subscript::At(i.clone())]
            }
            ("index_axis", [i, Expr { kind: ExprKind::Number(axis), .. }]) if *axis == 1.0 => {
                vec![all(), Subscript::At(i.clone())]
            }
            _ => return Err(refuse()),
        };
        Ok(Lhs { kind: LhsKind::Value, variable, subscripts, span })
    }

    fn expression(&mut self) -> Built {
        let first = self.at;
        let (then, height) = self.chain(0)?;
        if !self.eat("if") {
            return Ok((then, height));
        }
        let (test, test_height) = self.chain(0)?;
        self.expect("else", "`else`")?;
        let (otherwise, else_height) = self.expression()?;
        let kind = ExprKind::Conditional { test: Box::new(test), then: Box::new(then), otherwise: Box::new(otherwise) };
        grown(Expr { kind, span: self.since(first) }, height.max(test_height).max(else_height))
    }

    /// Operands with operators between them that bind more tightly than `least`.
    fn chain(&mut self, least: u8) -> Built {
        let (mut left, mut height) = self.operand()?;
        while let Some(op) = operator(self.str(self.at)).filter(|op| op.precedence() > least) {
            self.at += 1;
            // Powers are right associative.
            let least = op.precedence() - u8::from(op == BinaryOp::Power);
            let (right, right_height) = self.chain(least)?;
            let span = left.span.to(right.span);
            let kind = ExprKind::Binary(op, Box::new(left), Box::new(right));
            (left, height) = grown(Expr { kind, span }, height.max(right_height))?;
        }
        Ok((left, height))
    }

    fn operand(&mut self) -> Built {
        let first = self.at;
        let op = match self.str(first) {
            "-" => UnaryOp::Negate,
            "+" => UnaryOp::Plus,
            "not" => UnaryOp::Not,
            _ => return self.postfix(),
        };
        self.at += 1;
        let sign = self.since(first);
        let (operand, height) = self.chain(strength(op) - 1)?;
        let span = sign.to(operand.span);
        grown(Expr { kind: ExprKind::Unary(op, Box::new(operand)), span }, height)
    }

    /// An atom with its subscripts.
    fn postfix(&mut self) -> Built {
        let mut built = self.atom()?;
        while self.is("[") {
            let first = self.at;
            let (subscripts, height) = self.subscripts()?;
            let span = built.0.span.to(self.since(first));
            built = grown(Expr { kind: ExprKind::Index(Box::new(built.0), subscripts), span }, built.1.max(height))?;
        }
        Ok(built)
    }

    /// A number, a name, a call or an expression in parentheses.
    fn atom(&mut self) -> Built {
        let first = self.at;
        if self.eat("(") {
            let inner = self.expression()?;
            self.expect(")", "`)`")?;
            return Ok(inner);
        }
        if self.kind() == Some(TokenKind::Number) {
            self.at += 1;
            let span = self.since(first);
            return Ok((Expr { kind: number(self.str(first), span)?, span }, 1));
        }
        if self.kind() != Some(TokenKind::Name) {
            return Err(self.unreadable("an expression"));
        }
        let name = self.name()?;
        if !self.is("(") {
            return Ok((Expr { kind: ExprKind::Name(name.text.to_string()), span: name.span }, 1));
        }
        let (arguments, height) = self.arguments()?;
        grown(Expr { kind: ExprKind::Call(name, arguments), span: self.since(first) }, height)
    }

    /// The arguments of a call and the height of the highest.
    fn arguments(&mut self) -> Read<(Vec<Expr>, u32)> {
        self.expect("(", "`(`")?;
        let (mut arguments, mut highest) = (Vec::new(), 0);
        while !self.eat(")") {
            if !arguments.is_empty() {
                self.expect(",", "`,`")?;
            }
            let (argument, height) = self.expression()?;
            arguments.push(argument);
            highest = highest.max(height);
        }
        Ok((arguments, highest))
    }

    fn subscripts_if_any(&mut self) -> Read<Vec<Subscript>> {
        if self.is("[") { Ok(self.subscripts()?.0) } else { Ok(Vec::new()) }
    }

    /// The subscripts of one pair of brackets and the height of the highest.
    fn subscripts(&mut self) -> Read<(Vec<Subscript>, u32)> {
        self.expect("[", "`[`")?;
        let (mut found, mut highest) = (Vec::new(), 0);
        loop {
            let first = self.at;
            let mut bound = |reader: &mut Reader<'t>| -> Read<Option<Expr>> {
                if reader.is(":") || reader.is(",") || reader.is("]") {
                    return Ok(None);
                }
                let (bound, height) = reader.expression()?;
                highest = highest.max(height);
                Ok(Some(bound))
            };
            let from = bound(self)?;
            found.push(if self.eat(":") {
                let to = bound(self)?;
                Subscript::Range(from, to, self.since(first))
            } else if let Some(at) = from {
                Subscript::At(at)
            } else {
                self.at += 1;
                return Err(Box::new(syntax::missing_operand(self.since(first), "between `[` and `]`", None)));
            });
            if self.eat("]") {
                return Ok((found, highest));
            }
            self.expect(",", "`,`")?;
        }
    }
}

/// One more level on top of `height`, unless the tree becomes too high.
fn grown(expr: Expr, height: u32) -> Built {
    if height >= MAX_HEIGHT {
        return Err(Box::new(syntax::too_many_operations(expr.span, MAX_HEIGHT)));
    }
    Ok((expr, height + 1))
}

/// The value of a number.
fn number(written: &str, span: Span) -> Read<ExprKind> {
    let plain: String = written.chars().filter(|c| *c != '_').collect();
    let (value, imaginary) = if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        let value = digits.chars().try_fold(0.0, |sum: f64, c| c.to_digit(16).map(|d| sum * 16.0 + f64::from(d)));
        (value, false)
    } else if let Some(real) = plain.strip_suffix(['j', 'J']) {
        (real.parse().ok(), true)
    } else {
        (plain.parse().ok(), false)
    };
    match value {
        Some(value) if value.is_infinite() => Err(Box::new(syntax::number_too_large(span, written))),
        Some(value) if imaginary => Ok(ExprKind::Imaginary(value)),
        Some(value) => Ok(ExprKind::Number(value)),
        None => Err(Box::new(syntax::unreadable_equation(span, Vec::new()))),
    }
}
