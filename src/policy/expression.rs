//! The expressions of rules and calculations: written as in `zen-expression`, evaluated exactly and in
//! three values.
//!
//! The text is read by zen-expression's own lexer and parser; of its language we admit the part below and
//! refuse the rest with a word on what to write. We evaluate the tree ourselves, because zen's machine turns
//! a missing value into `null`, and here a missing fact is *unknown* (Kleene): `households >= 3 or
//! through_route` is true when households = 5 although `through_route` is missing, and unknown otherwise. A
//! test holds the two evaluators against each other wherever nothing is missing.
//!
//! | allowed | |
//! |---|---|
//! | names | `facts.x`, `params.x`, `calc.x` |
//! | values | `12`, `0.05`, `"text"`, `true`, `false` |
//! | arithmetic | `+ - * / %`, `-x`, parentheses; `floor(x)`, `ceil(x)`, `abs(x)`, `round(x, decimals)`, `trunc(x, decimals)`, `min([a, b])`, `max([a, b])` |
//! | comparison | `== != < <= > >=`, `x in ["a", "b"]`, `x not in […]` |
//! | dates | `years(a, b)`, `months(a, b)`: full years and months from one date to another; `year(a)`; `day(t)`: the day of a time in Finland |
//! | logic | `and`, `or`, `not`, `condition ? a : b` |
//!
//! A date is its day number and a time its seconds since 1.1.1970: `facts.b - facts.a <= 14` counts days. A year or a
//! month is full on the day of the same number, or on the last day of a month that has no such day (laki säädettyjen
//! määräaikain laskemisesta 150/1930 3 §): whoever was born on 29 February is a year older on 28 February.
//! Numbers are decimals of at most 28 digits; a result that would lose a digit, a division by zero and an
//! overflow are a [`Gap::fault`], never a rounded number and never a panic. Only division rounds (28 digits):
//! put it inside `floor` or `round`.

use std::collections::BTreeSet;
use std::fmt;

use bumpalo::Bump;
use jiff::civil::{Date, date};
use jiff::{Span, Timestamp};
use rust_decimal::{Decimal, RoundingStrategy};
use zen_expression::functions::{DeprecatedFunction, FunctionKind, InternalFunction};
use zen_expression::lexer::{
    ArithmeticOperator, Bracket, ComparisonOperator, Lexer, LogicalOperator, Operator, Token, TokenKind,
};
use zen_expression::parser::{Node, Parser};

use super::unit::Measure;
use crate::clock::helsinki;

/// Longest expression, in bytes.
pub const LONGEST: usize = 1_000;
/// Deepest nesting.
const DEEPEST: usize = 40;

/// Where a name points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// `facts.…`
    Facts,
    /// `params.…`
    Params,
    /// `calc.…`
    Calc,
}

impl Space {
    const ALL: [Self; 3] = [Self::Facts, Self::Params, Self::Calc];

    /// The word before the dot.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Params => "params",
            Self::Calc => "calc",
        }
    }

    /// The space that a word names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|space| space.word() == word)
    }
}

/// A name in an expression, for example `facts.supported_length`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// Where it points.
    pub space: Space,
    /// What it names there.
    pub name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.space.word(), self.name)
    }
}

/// A value inside an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// An exact decimal: number, euros, day number or seconds.
    Number(Decimal),
    /// Text.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

/// Kind of a value, known before any case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number or euros.
    Number,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// Text.
    Text,
    /// Yes or no.
    Flag,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "a number",
            Self::Date => "a date",
            Self::Time => "a time",
            Self::Text => "text",
            Self::Flag => "a flag",
        })
    }
}

/// Why a value is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gap {
    /// The facts that nobody stated.
    pub missing: BTreeSet<String>,
    /// What went wrong in the arithmetic, if that is why.
    pub fault: Option<String>,
}

impl Gap {
    /// A fact that nobody stated.
    #[must_use]
    pub fn missing(fact: &str) -> Self {
        Self { missing: BTreeSet::from([fact.to_owned()]), fault: None }
    }

    /// Arithmetic that has no exact result.
    #[must_use]
    pub fn fault(what: &str) -> Self {
        Self { missing: BTreeSet::new(), fault: Some(what.to_owned()) }
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.missing.extend(other.missing);
        self.fault = self.fault.or(other.fault);
        self
    }
}

/// A value, or why it is unknown.
pub type Known = Result<Scalar, Gap>;

/// An expression that cannot be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} → {instead}")]
pub struct InvalidExpression {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub instead: String,
}

fn refuse<T>(what: impl Into<String>, instead: impl Into<String>) -> Result<T, InvalidExpression> {
    Err(InvalidExpression { what: what.into(), instead: instead.into() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Floor,
    Ceil,
    Abs,
    Round,
    Trunc,
    Min,
    Max,
    Years,
    Months,
    Year,
    Day,
}

/// Functions of ours that zen does not know. Its parser reads calls of its own functions only, so ours go through it
/// under the name of one that is not admitted here.
const STAND_INS: [(&str, &str); 3] = [("years", "dayOfYear"), ("months", "monthOfYear"), ("day", "dayOfMonth")];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tree {
    Value(Scalar),
    Name(Name),
    Negate(Box<Tree>),
    Not(Box<Tree>),
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Arithmetic(Arithmetic, Box<Tree>, Box<Tree>),
    Compare(Comparison, Box<Tree>, Box<Tree>),
    In(Box<Tree>, Vec<Tree>),
    If(Box<Tree>, Box<Tree>, Box<Tree>),
    Call(Function, Vec<Tree>),
}

/// An expression, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    source: String,
    tree: Tree,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`InvalidExpression`] when it is overlong, does not parse, or uses what is not admitted here.
    pub fn parse(source: &str) -> Result<Self, InvalidExpression> {
        if source.len() > LONGEST {
            let what = format!("the expression has {} characters", source.len());
            return refuse(what, format!("cut it into steps: at most {LONGEST}"));
        }
        let bump = Bump::new();
        let mut lexer = Lexer::new();
        let wrong = |why: String| InvalidExpression {
            what: match place(&why).and_then(|at| source.get(at..)).filter(|rest| !rest.trim().is_empty()) {
                Some(rest) => format!("`{}` cannot be read from `{}` on", shown(source), shown(rest.trim())),
                None => format!("`{}` is not complete", shown(source)),
            },
            instead: "write an expression such as `facts.length < params.min_length`".to_owned(),
        };
        let mut tokens = lexer.tokenize(&bump, source).map_err(|e| wrong(e.to_string()))?;
        stand_in(&mut tokens)?;
        let parser = Parser::try_new(&tokens, &bump).map_err(|e| wrong(e.to_string()))?;
        let parsed = parser.standard().parse();
        parsed.error().map_err(|e| wrong(e.to_string()))?;
        Ok(Self { source: source.to_owned(), tree: admit(parsed.root, 0)? })
    }

    /// The expression as written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name it uses.
    #[must_use]
    pub fn names(&self) -> BTreeSet<Name> {
        let mut names = BTreeSet::new();
        self.tree.collect(&mut names);
        names
    }

    /// The name, where it is nothing else.
    #[must_use]
    pub const fn as_name(&self) -> Option<&Name> {
        match &self.tree {
            Tree::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The kind of its value, when `kind_of` knows the kind of every name.
    ///
    /// # Errors
    /// [`InvalidExpression`] when kinds are mixed, as in adding text to a number.
    pub fn kind(&self, kind_of: &dyn Fn(&Name) -> Option<Kind>) -> Result<Kind, InvalidExpression> {
        self.tree.kind(kind_of)
    }

    /// The unit of its value, when `of` tells what is known of the unit of every name.
    ///
    /// # Errors
    /// [`InvalidExpression`] when units are mixed, as in comparing metres with euros.
    pub fn measure(&self, of: &dyn Fn(&Name) -> Measure) -> Result<Measure, InvalidExpression> {
        self.tree.measure(of)
    }

    /// Every word that it compares a name with.
    #[must_use]
    pub fn compared_words(&self) -> Vec<(&Name, &str)> {
        let mut words = Vec::new();
        self.tree.compared_words(&mut words);
        words
    }

    /// Its value with these values of names; unknown only if the known ones do not settle it.
    ///
    /// # Errors
    /// [`Gap`] with the facts that are missing, or the arithmetic that failed.
    pub fn value(&self, look_up: &dyn Fn(&Name) -> Known) -> Known {
        self.tree.value(look_up)
    }

    /// The most decimals that its value can have, when `of` tells how many each name can have; none when
    /// that cannot be told.
    #[must_use]
    pub fn decimals(&self, of: &dyn Fn(&Name) -> Option<u32>) -> Option<u32> {
        self.tree.decimals(of)
    }
}

/// Where zen's message says that its trouble begins: `… at (20, 21)`.
fn place(message: &str) -> Option<usize> {
    let (_, rest) = message.rsplit_once(" at (")?;
    rest.split(',').next()?.parse().ok()
}

fn shown(source: &str) -> String {
    let cut: String = source.chars().filter(|c| !c.is_control()).take(60).collect();
    if cut.len() < source.len() { format!("{cut}…") } else { cut }
}

/// Puts the names that zen's parser knows in the place of our functions' names.
fn stand_in(tokens: &mut [Token<'_>]) -> Result<(), InvalidExpression> {
    for n in 1..tokens.len() {
        let called = tokens[n].kind == TokenKind::Bracket(Bracket::LeftParenthesis);
        let name = tokens[n - 1].value;
        if !called {
            continue;
        }
        if STAND_INS.iter().any(|(_, zen)| *zen == name) {
            return refuse(format!("the function `{name}` is not admitted"), FUNCTIONS);
        }
        if let Some((_, zen)) = STAND_INS.iter().find(|(ours, _)| *ours == name) {
            tokens[n - 1].value = zen;
        }
    }
    Ok(())
}

/// Takes over the admitted part of zen's tree.
fn admit(node: &Node<'_>, depth: usize) -> Result<Tree, InvalidExpression> {
    if depth > DEEPEST {
        return refuse("the expression is nested too deeply", "cut it into calculation steps");
    }
    let sub = |node: &Node<'_>| admit(node, depth + 1);
    let boxed = |node: &Node<'_>| admit(node, depth + 1).map(Box::new);
    Ok(match node {
        Node::Bool(flag) => Tree::Value(Scalar::Flag(*flag)),
        Node::Number(number) => Tree::Value(Scalar::Number(*number)),
        Node::String(text) => Tree::Value(Scalar::Text((*text).to_owned())),
        Node::Parenthesized(inner) => sub(inner)?,
        Node::Member { node: Node::Identifier(space), property: Node::String(name) } => match Space::from_word(space) {
            Some(space) => Tree::Name(Name { space, name: (*name).to_owned() }),
            None => return refuse(format!("unknown name `{space}.{name}`"), "write `facts.…`, `params.…` or `calc.…`"),
        },
        Node::Identifier(name) => {
            return refuse(
                format!("unknown name `{name}`"),
                format!("write `facts.{name}`, `params.{name}` or `calc.{name}`"),
            );
        }
        Node::Unary { node, operator: Operator::Arithmetic(ArithmeticOperator::Subtract) } => {
            Tree::Negate(boxed(node)?)
        }
        Node::Unary { node, operator: Operator::Logical(LogicalOperator::Not) } => Tree::Not(boxed(node)?),
        Node::Binary { left, operator, right } => binary(left, *operator, right, depth)?,
        Node::Conditional { condition, on_true, on_false } => {
            Tree::If(boxed(condition)?, boxed(on_true)?, boxed(on_false)?)
        }
        Node::FunctionCall { kind, arguments } => call(kind, arguments, depth)?,
        Node::Null => {
            return refuse("`null` is not admitted", "leave it out: a missing fact is unknown and is asked for");
        }
        Node::Interval { .. } => return refuse("an interval is not admitted", "write `x >= 1 and x <= 5`"),
        _ => {
            return refuse(
                "this kind of expression is not admitted",
                "write names, numbers, comparisons, `and`, `or`, `not`, `a ? b : c`",
            );
        }
    })
}

const FUNCTIONS: &str =
    "write floor, ceil, abs, round, trunc, min([…]), max([…]), years(a, b), months(a, b), year(a) or day(t)";

fn binary(left: &Node<'_>, operator: Operator, right: &Node<'_>, depth: usize) -> Result<Tree, InvalidExpression> {
    use {ArithmeticOperator as A, ComparisonOperator as C, LogicalOperator as L};
    let list = |node: &Node<'_>| match node {
        Node::Array(items) => items.iter().map(|item| admit(item, depth + 1)).collect(),
        _ => refuse("`in` needs a list", "write `facts.x in [\"a\", \"b\"]`"),
    };
    let l = Box::new(admit(left, depth + 1)?);
    let operator = match operator {
        Operator::Comparison(C::In) => return Ok(Tree::In(l, list(right)?)),
        Operator::Comparison(C::NotIn) => return Ok(Tree::Not(Box::new(Tree::In(l, list(right)?)))),
        other => other,
    };
    let r = Box::new(admit(right, depth + 1)?);
    Ok(match operator {
        Operator::Logical(L::And) => Tree::And(l, r),
        Operator::Logical(L::Or) => Tree::Or(l, r),
        Operator::Arithmetic(A::Add) => Tree::Arithmetic(Arithmetic::Add, l, r),
        Operator::Arithmetic(A::Subtract) => Tree::Arithmetic(Arithmetic::Subtract, l, r),
        Operator::Arithmetic(A::Multiply) => Tree::Arithmetic(Arithmetic::Multiply, l, r),
        Operator::Arithmetic(A::Divide) => Tree::Arithmetic(Arithmetic::Divide, l, r),
        Operator::Arithmetic(A::Modulus) => Tree::Arithmetic(Arithmetic::Remainder, l, r),
        Operator::Comparison(C::Equal) => Tree::Compare(Comparison::Equal, l, r),
        Operator::Comparison(C::NotEqual) => Tree::Compare(Comparison::NotEqual, l, r),
        Operator::Comparison(C::LessThan) => Tree::Compare(Comparison::Less, l, r),
        Operator::Comparison(C::LessThanOrEqual) => Tree::Compare(Comparison::LessOrEqual, l, r),
        Operator::Comparison(C::GreaterThan) => Tree::Compare(Comparison::More, l, r),
        Operator::Comparison(C::GreaterThanOrEqual) => Tree::Compare(Comparison::MoreOrEqual, l, r),
        Operator::Logical(L::NullishCoalescing) => {
            return refuse("`??` is not admitted", "leave it out: a missing fact is unknown and is asked for");
        }
        other => return refuse(format!("the operator `{other}` is not admitted"), "write + - * / % or a comparison"),
    })
}

fn call(kind: &FunctionKind, arguments: &[&Node<'_>], depth: usize) -> Result<Tree, InvalidExpression> {
    use {DeprecatedFunction as D, InternalFunction as I};
    let (function, least, most) = match kind {
        FunctionKind::Internal(I::Floor) => (Function::Floor, 1, 1),
        FunctionKind::Internal(I::Ceil) => (Function::Ceil, 1, 1),
        FunctionKind::Internal(I::Abs) => (Function::Abs, 1, 1),
        FunctionKind::Internal(I::Round) => (Function::Round, 1, 2),
        FunctionKind::Internal(I::Trunc) => (Function::Trunc, 1, 2),
        FunctionKind::Internal(I::Min) => (Function::Min, 1, 1),
        FunctionKind::Internal(I::Max) => (Function::Max, 1, 1),
        FunctionKind::Deprecated(D::DayOfYear) => (Function::Years, 2, 2),
        FunctionKind::Deprecated(D::MonthOfYear) => (Function::Months, 2, 2),
        FunctionKind::Deprecated(D::Year) => (Function::Year, 1, 1),
        FunctionKind::Deprecated(D::DayOfMonth) => (Function::Day, 1, 1),
        other => return refuse(format!("the function `{other}` is not admitted"), FUNCTIONS),
    };
    if arguments.len() < least || arguments.len() > most {
        return refuse("a function has too few or too many arguments", FUNCTIONS);
    }
    let items: &[&Node<'_>] = match (function, arguments) {
        (Function::Min | Function::Max, [Node::Array(items)]) if !items.is_empty() => items,
        (Function::Min | Function::Max, _) => return refuse("min and max need a list", "write `min([a, b])`"),
        _ => arguments,
    };
    if let (Function::Round | Function::Trunc, [_, decimals]) = (function, items)
        && !matches!(decimals, Node::Number(n) if n.is_integer() && *n >= Decimal::ZERO && *n <= Decimal::TEN)
    {
        return refuse("the decimals of a rounding are not a number", "write for example `round(x, 2)`");
    }
    Ok(Tree::Call(function, items.iter().map(|item| admit(item, depth + 1)).collect::<Result<_, _>>()?))
}

impl Tree {
    fn collect(&self, names: &mut BTreeSet<Name>) {
        match self {
            Self::Value(_) => {}
            Self::Name(name) => {
                names.insert(name.clone());
            }
            Self::Negate(a) | Self::Not(a) => a.collect(names),
            Self::And(a, b) | Self::Or(a, b) | Self::Arithmetic(_, a, b) | Self::Compare(_, a, b) => {
                a.collect(names);
                b.collect(names);
            }
            Self::In(a, list) => {
                a.collect(names);
                for item in list {
                    item.collect(names);
                }
            }
            Self::If(condition, a, b) => {
                condition.collect(names);
                a.collect(names);
                b.collect(names);
            }
            Self::Call(_, list) => {
                for item in list {
                    item.collect(names);
                }
            }
        }
    }

    fn kind(&self, kind_of: &dyn Fn(&Name) -> Option<Kind>) -> Result<Kind, InvalidExpression> {
        let same = |a: Kind, b: Kind| {
            if a == b {
                Ok(a)
            } else {
                refuse(format!("{a} stands beside {b}"), "compare and combine values of one kind")
            }
        };
        let is = |tree: &Self, wanted: Kind| {
            let kind = tree.kind(kind_of)?;
            if kind == wanted {
                Ok(())
            } else {
                refuse(format!("{kind} stands where {wanted} is needed"), format!("write {wanted}"))
            }
        };
        Ok(match self {
            Self::Value(Scalar::Number(_)) => Kind::Number,
            Self::Value(Scalar::Text(_)) => Kind::Text,
            Self::Value(Scalar::Flag(_)) => Kind::Flag,
            Self::Name(name) => match kind_of(name) {
                Some(kind) => kind,
                None => return refuse(format!("unknown name `{name}`"), "declare it in the front matter"),
            },
            Self::Negate(a) => is(a, Kind::Number).map(|()| Kind::Number)?,
            Self::Not(a) => is(a, Kind::Flag).map(|()| Kind::Flag)?,
            Self::And(a, b) | Self::Or(a, b) => {
                is(a, Kind::Flag)?;
                is(b, Kind::Flag)?;
                Kind::Flag
            }
            Self::Arithmetic(operation, a, b) => match (operation, a.kind(kind_of)?, b.kind(kind_of)?) {
                (_, Kind::Number, Kind::Number) => Kind::Number,
                (Arithmetic::Subtract, Kind::Date, Kind::Date) | (Arithmetic::Subtract, Kind::Time, Kind::Time) => {
                    Kind::Number
                }
                (Arithmetic::Add | Arithmetic::Subtract, moment @ (Kind::Date | Kind::Time), Kind::Number) => moment,
                (_, a, b) => return refuse(format!("{a} is reckoned with {b}"), "reckon with numbers"),
            },
            Self::Compare(comparison, a, b) => {
                let kind = same(a.kind(kind_of)?, b.kind(kind_of)?)?;
                let ordered = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if ordered && matches!(kind, Kind::Text | Kind::Flag) {
                    return refuse(format!("{kind} has no order"), "compare with `==` or `!=`");
                }
                Kind::Flag
            }
            Self::In(a, list) => {
                let kind = a.kind(kind_of)?;
                for item in list {
                    same(kind, item.kind(kind_of)?)?;
                }
                Kind::Flag
            }
            Self::If(condition, a, b) => {
                is(condition, Kind::Flag)?;
                same(a.kind(kind_of)?, b.kind(kind_of)?)?
            }
            Self::Call(Function::Min | Function::Max, list) => {
                let mut kind = None;
                for item in list {
                    let this = item.kind(kind_of)?;
                    kind = Some(kind.map_or(Ok(this), |kind| same(kind, this))?);
                }
                match kind {
                    Some(kind @ (Kind::Number | Kind::Date | Kind::Time)) => kind,
                    _ => return refuse("min and max need numbers", "write `min([a, b])` with numbers"),
                }
            }
            Self::Call(function, list) => {
                let (wanted, given) = match function {
                    Function::Years | Function::Months | Function::Year => (Kind::Date, Kind::Number),
                    Function::Day => (Kind::Time, Kind::Date),
                    _ => (Kind::Number, Kind::Number),
                };
                for item in list {
                    is(item, wanted)?;
                }
                given
            }
        })
    }

    fn measure(&self, of: &dyn Fn(&Name) -> Measure) -> Result<Measure, InvalidExpression> {
        fn beside(a: &Measure, b: &Measure) -> Result<Measure, InvalidExpression> {
            a.beside(b).ok_or_else(|| {
                let unit = |measure: &Measure| match measure {
                    Measure::Of(unit) if !unit.is_none() => format!("`{unit}`"),
                    _ => "a number without a unit".to_owned(),
                };
                let what = format!("{} stands beside {}", unit(a), unit(b));
                InvalidExpression { what, instead: "compare and combine values of one unit".to_owned() }
            })
        }
        let all = |first: &Self, list: &[Self]| {
            let measure = first.measure(of)?;
            list.iter().try_fold(measure, |measure, item| beside(&measure, &item.measure(of)?))
        };
        Ok(match self {
            Self::Value(Scalar::Number(_)) => Measure::Plain,
            Self::Value(_) => Measure::Unknown,
            Self::Name(name) => of(name),
            Self::Negate(a) => a.measure(of)?,
            Self::Not(a) => {
                a.measure(of)?;
                Measure::Unknown
            }
            Self::And(a, b) | Self::Or(a, b) => {
                a.measure(of)?;
                b.measure(of)?;
                Measure::Unknown
            }
            Self::Arithmetic(Arithmetic::Multiply, a, b) => a.measure(of)?.times(&b.measure(of)?, 1),
            Self::Arithmetic(Arithmetic::Divide, a, b) => a.measure(of)?.times(&b.measure(of)?, -1),
            Self::Arithmetic(_, a, b) => beside(&a.measure(of)?, &b.measure(of)?)?,
            Self::Compare(_, a, b) => {
                beside(&a.measure(of)?, &b.measure(of)?)?;
                Measure::Unknown
            }
            Self::In(a, list) => {
                all(a, list)?;
                Measure::Unknown
            }
            Self::If(condition, a, b) => {
                condition.measure(of)?;
                beside(&a.measure(of)?, &b.measure(of)?)?
            }
            Self::Call(Function::Min | Function::Max, list) => match list.split_first() {
                Some((first, rest)) => all(first, rest)?,
                None => Measure::Unknown,
            },
            Self::Call(Function::Years | Function::Months | Function::Year | Function::Day, list) => {
                for item in list {
                    item.measure(of)?;
                }
                Measure::Unknown
            }
            // Rounding keeps the unit; how many decimals is no quantity.
            Self::Call(_, list) => list.first().map_or(Ok(Measure::Unknown), |first| first.measure(of))?,
        })
    }

    fn compared_words<'a>(&'a self, words: &mut Vec<(&'a Name, &'a str)>) {
        match self {
            Self::Value(_) | Self::Name(_) => {}
            Self::Compare(_, a, b) => match (&**a, &**b) {
                (Self::Name(name), Self::Value(Scalar::Text(word)))
                | (Self::Value(Scalar::Text(word)), Self::Name(name)) => words.push((name, word)),
                (a, b) => {
                    a.compared_words(words);
                    b.compared_words(words);
                }
            },
            Self::In(a, list) => {
                for item in list {
                    match (&**a, item) {
                        (Self::Name(name), Self::Value(Scalar::Text(word))) => words.push((name, word)),
                        (_, item) => item.compared_words(words),
                    }
                }
            }
            Self::Negate(a) | Self::Not(a) => a.compared_words(words),
            Self::And(a, b) | Self::Or(a, b) | Self::Arithmetic(_, a, b) => {
                a.compared_words(words);
                b.compared_words(words);
            }
            Self::If(condition, a, b) => {
                condition.compared_words(words);
                a.compared_words(words);
                b.compared_words(words);
            }
            Self::Call(_, list) => list.iter().for_each(|item| item.compared_words(words)),
        }
    }

    fn value(&self, look_up: &dyn Fn(&Name) -> Known) -> Known {
        let number = |tree: &Self| match tree.value(look_up)? {
            Scalar::Number(number) => Ok(number),
            _ => Err(Gap::fault("a number was expected")),
        };
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Name(name) => look_up(name)?,
            Self::Negate(a) => Scalar::Number(-number(a)?),
            Self::Not(a) => Scalar::Flag(!a.flag(look_up)?),
            Self::And(a, b) => Scalar::Flag(kleene(a.flag(look_up), || b.flag(look_up), false)?),
            Self::Or(a, b) => Scalar::Flag(kleene(a.flag(look_up), || b.flag(look_up), true)?),
            Self::Arithmetic(operation, a, b) => {
                let (a, b) = both(number(a), number(b))?;
                Scalar::Number(exact(*operation, a, b)?)
            }
            Self::Compare(comparison, a, b) => {
                let (a, b) = both(a.value(look_up), b.value(look_up))?;
                Scalar::Flag(compare(*comparison, &a, &b)?)
            }
            Self::In(a, list) => {
                // `x in [a, b]` is `x == a or x == b`.
                let a = a.value(look_up);
                let mut found = Ok(false);
                for item in list {
                    let equal = || {
                        let (a, b) = both(a.clone(), item.value(look_up))?;
                        compare(Comparison::Equal, &a, &b)
                    };
                    found = kleene(found, equal, true);
                }
                let found = found?;
                Scalar::Flag(found)
            }
            Self::If(condition, a, b) => match condition.flag(look_up) {
                Ok(true) => a.value(look_up)?,
                Ok(false) => b.value(look_up)?,
                // An unknown condition does not matter when both branches agree.
                Err(gap) => match (a.value(look_up), b.value(look_up)) {
                    (Ok(a), Ok(b)) if a == b => a,
                    _ => return Err(gap),
                },
            },
            Self::Call(function, list) => {
                let mut numbers = Ok(Vec::with_capacity(list.len()));
                for item in list {
                    numbers = both(numbers, number(item)).map(|(mut numbers, number)| {
                        numbers.push(number);
                        numbers
                    });
                }
                Scalar::Number(apply(*function, &numbers?)?)
            }
        })
    }

    fn flag(&self, look_up: &dyn Fn(&Name) -> Known) -> Result<bool, Gap> {
        match self.value(look_up)? {
            Scalar::Flag(flag) => Ok(flag),
            _ => Err(Gap::fault("a flag was expected")),
        }
    }

    /// The most decimals that the value can have; none when that cannot be told.
    fn decimals(&self, of: &dyn Fn(&Name) -> Option<u32>) -> Option<u32> {
        match self {
            Self::Value(Scalar::Number(number)) => Some(number.normalize().scale()),
            Self::Name(name) => of(name),
            Self::Negate(a) => a.decimals(of),
            Self::Arithmetic(Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Remainder, a, b)
            | Self::If(_, a, b) => Some(a.decimals(of)?.max(b.decimals(of)?)),
            Self::Arithmetic(Arithmetic::Multiply, a, b) => Some(a.decimals(of)? + b.decimals(of)?),
            Self::Call(
                Function::Floor | Function::Ceil | Function::Years | Function::Months | Function::Year | Function::Day,
                _,
            ) => Some(0),
            Self::Call(Function::Round | Function::Trunc, list) => match list.get(1) {
                None => Some(0),
                Some(Self::Value(Scalar::Number(n))) => u32::try_from(*n).ok(),
                Some(_) => None,
            },
            Self::Call(_, list) => list.iter().map(|item| item.decimals(of)).try_fold(0, |most, d| Some(most.max(d?))),
            _ => None,
        }
    }
}

/// Both values, or everything that is missing from both.
fn both<A, B>(a: Result<A, Gap>, b: Result<B, Gap>) -> Result<(A, B), Gap> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(a), Err(b)) => Err(a.and(b)),
        (Err(gap), _) | (_, Err(gap)) => Err(gap),
    }
}

/// Kleene's strong `and` (`settles` = false) and `or` (`settles` = true): one settling side settles it,
/// whatever the other is.
fn kleene(a: Result<bool, Gap>, b: impl FnOnce() -> Result<bool, Gap>, settles: bool) -> Result<bool, Gap> {
    match a {
        Ok(a) if a == settles => Ok(settles),
        Ok(_) => b(),
        Err(gap) => match b() {
            Ok(b) if b == settles => Ok(settles),
            Ok(_) => Err(gap),
            Err(other) => Err(gap.and(other)),
        },
    }
}

fn compare(comparison: Comparison, a: &Scalar, b: &Scalar) -> Result<bool, Gap> {
    Ok(match (comparison, a, b) {
        (Comparison::Equal, _, _) => a == b,
        (Comparison::NotEqual, _, _) => a != b,
        (Comparison::Less, Scalar::Number(a), Scalar::Number(b)) => a < b,
        (Comparison::LessOrEqual, Scalar::Number(a), Scalar::Number(b)) => a <= b,
        (Comparison::More, Scalar::Number(a), Scalar::Number(b)) => a > b,
        (Comparison::MoreOrEqual, Scalar::Number(a), Scalar::Number(b)) => a >= b,
        _ => return Err(Gap::fault("numbers were expected")),
    })
}

fn exact(operation: Arithmetic, a: Decimal, b: Decimal) -> Result<Decimal, Gap> {
    let (a, b) = (a.normalize(), b.normalize());
    // `Decimal` gives up decimals to make a long result fit; a result with fewer than it must have is inexact.
    let (result, decimals) = match operation {
        Arithmetic::Add => (a.checked_add(b), a.scale().max(b.scale())),
        Arithmetic::Subtract => (a.checked_sub(b), a.scale().max(b.scale())),
        Arithmetic::Multiply => (a.checked_mul(b), a.scale() + b.scale()),
        Arithmetic::Divide | Arithmetic::Remainder if b.is_zero() => return Err(Gap::fault("division by zero")),
        Arithmetic::Divide => (a.checked_div(b), 0),
        Arithmetic::Remainder => (a.checked_rem(b), 0),
    };
    match result {
        // A product of two numbers that are not zero is not zero either.
        Some(result) if operation == Arithmetic::Multiply && result.is_zero() && !a.is_zero() && !b.is_zero() => {
            Err(Gap::fault("a number too small"))
        }
        Some(result) if result.is_zero() || result.scale() >= decimals => Ok(result),
        _ => Err(Gap::fault("a number too large or too long")),
    }
}

fn apply(function: Function, numbers: &[Decimal]) -> Result<Decimal, Gap> {
    let first = numbers.first().copied().ok_or_else(|| Gap::fault("nothing to reckon with"))?;
    let decimals =
        || numbers.get(1).map_or(Ok(0), |n| u32::try_from(*n)).map_err(|_| Gap::fault("wrong number of decimals"));
    Ok(match function {
        Function::Floor => first.floor(),
        Function::Ceil => first.ceil(),
        Function::Abs => first.abs(),
        Function::Round => first.round_dp_with_strategy(decimals()?, RoundingStrategy::MidpointAwayFromZero),
        Function::Trunc => first.round_dp_with_strategy(decimals()?, RoundingStrategy::ToZero),
        Function::Min => numbers.iter().copied().min().unwrap_or(first),
        Function::Max => numbers.iter().copied().max().unwrap_or(first),
        Function::Years | Function::Months => {
            let last = numbers.get(1).copied().and_then(date_of);
            let (Some(from), Some(to)) = (date_of(first), last) else { return Err(Gap::fault("no such day")) };
            full(function, from, to)?.into()
        }
        Function::Year => date_of(first).ok_or_else(|| Gap::fault("no such day"))?.year().into(),
        Function::Day => {
            let time = time_of(first).ok_or_else(|| Gap::fault("no such moment"))?;
            day_number(time.to_zoned(helsinki()).date())
        }
    })
}

/// Full years or months from one date to another. From a later to an earlier one there are none to count: that is a
/// slip of whoever stated the dates, and asked again.
fn full(unit: Function, from: Date, to: Date) -> Result<i32, Gap> {
    if to < from {
        return Err(Gap::fault("the second date is before the first"));
    }
    let years = i32::from(to.year()) - i32::from(from.year());
    let (most, span) = match unit {
        Function::Months => {
            let months = years * 12 + i32::from(to.month()) - i32::from(from.month());
            (months, Span::new().try_months(months))
        }
        _ => (years, Span::new().try_years(years)),
    };
    // Where a month has no such day, its last day stands for it.
    let reached = span.and_then(|span| from.checked_add(span)).map_err(|_| Gap::fault("no such day"))?;
    Ok(if reached > to { most - 1 } else { most })
}

/// A date inside expressions: its days since 1.1.1970.
pub(super) fn day_number(day: Date) -> Decimal {
    Decimal::from((day - date(1970, 1, 1)).get_days())
}

/// The date of a day number; none when it is no whole number, or far from any calendar.
pub(super) fn date_of(number: Decimal) -> Option<Date> {
    let days = number.is_integer().then(|| i64::try_from(number).ok())??;
    date(1970, 1, 1).checked_add(Span::new().try_days(days).ok()?).ok()
}

/// The moment of so many seconds since 1.1.1970.
pub(super) fn time_of(seconds: Decimal) -> Option<Timestamp> {
    let nanos = seconds.checked_mul(Decimal::from(1_000_000_000))?.trunc();
    Timestamp::from_nanosecond(i128::try_from(nanos).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use zen_expression::Variable;

    use super::*;

    type Facts = BTreeMap<String, Scalar>;

    fn parse(source: &str) -> Expression {
        Expression::parse(source).unwrap_or_else(|error| panic!("{source}: {error}"))
    }

    fn value(source: &str, facts: &Facts) -> Known {
        parse(source).value(&|name| facts.get(&name.name).cloned().ok_or_else(|| Gap::missing(&name.name)))
    }

    fn number(text: &str) -> Scalar {
        Scalar::Number(text.parse().unwrap())
    }

    fn facts(rows: &[(&str, Scalar)]) -> Facts {
        rows.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn refused(source: &str) -> String {
        Expression::parse(source).unwrap_err().to_string()
    }

    #[test]
    fn a_missing_fact_matters_only_where_it_decides() {
        let condition = "facts.households >= 3 or facts.through_route";
        let five = facts(&[("households", number("5"))]);
        assert_eq!(value(condition, &five), Ok(Scalar::Flag(true)));
        let two = facts(&[("households", number("2"))]);
        assert_eq!(value(condition, &two), Err(Gap::missing("through_route")));
        assert_eq!(value(condition, &Facts::new()).unwrap_err().missing.len(), 2);
        assert_eq!(value("facts.a and facts.b", &facts(&[("b", Scalar::Flag(false))])), Ok(Scalar::Flag(false)));
        assert_eq!(value("facts.a ? 1 : 1", &Facts::new()), Ok(number("1")));
        assert_eq!(value("facts.a in [facts.b, 1]", &facts(&[("a", number("1"))])), Ok(Scalar::Flag(true)));
    }

    #[test]
    fn reckons_the_road_grant_exactly() {
        let r1 = facts(&[("costs", number("6120.40")), ("length", number("2350")), ("k", number("0.92"))]);
        let g = "floor(min([0.60 * facts.costs, 1.10 * facts.length, 6000]))";
        assert_eq!(value(g, &r1), Ok(number("2585")));
        assert_eq!(value(&format!("floor(facts.k * {g})"), &r1), Ok(number("2378")));
        assert_eq!(value("0.1 + 0.2 == 0.3", &r1), Ok(Scalar::Flag(true)));
    }

    #[test]
    fn what_cannot_be_reckoned_exactly_is_a_gap_and_no_panic() {
        let large =
            facts(&[("a", number("79228162514264337593543950335")), ("b", number("0.0000000000000000000000000001"))]);
        for source in [
            "1 / 0",
            "1 % 0",
            "facts.a * 10",
            "facts.a + 1",
            "-facts.a - 1",
            "facts.a + 0.5",
            "facts.b * 0.1",
            "facts.b * facts.b",
        ] {
            let gap = value(source, &large).expect_err(source);
            assert!(gap.fault.is_some() && gap.missing.is_empty(), "{source}: {gap:?}");
        }
    }

    #[test]
    fn counts_full_years_and_months_of_the_calendar() {
        let days = |a: &str, b: &str| {
            facts(&[
                ("a", Scalar::Number(day_number(a.parse().unwrap()))),
                ("b", Scalar::Number(day_number(b.parse().unwrap()))),
            ])
        };
        for (a, b, years, months) in [
            ("2004-02-29", "2005-02-27", "0", "11"),
            ("2004-02-29", "2005-02-28", "1", "12"),
            ("2004-02-29", "2008-02-28", "3", "47"),
            ("2004-02-29", "2008-02-29", "4", "48"),
            ("2003-03-01", "2004-02-29", "0", "11"),
            ("2026-01-31", "2026-02-28", "0", "1"),
            ("2026-01-31", "2026-02-27", "0", "0"),
            ("2001-06-01", "2026-05-31", "24", "299"),
            ("2001-06-01", "2026-06-01", "25", "300"),
            ("2026-06-01", "2026-06-01", "0", "0"),
        ] {
            let dates = days(a, b);
            assert_eq!(value("years(facts.a, facts.b)", &dates), Ok(number(years)), "{a} {b}");
            assert_eq!(value("months(facts.a, facts.b)", &dates), Ok(number(months)), "{a} {b}");
        }
        let backwards = value("years(facts.a, facts.b)", &days("2026-06-02", "2026-06-01")).unwrap_err();
        assert!(backwards.fault.is_some() && backwards.missing.is_empty());
        assert_eq!(value("year(facts.a) + 1", &days("2026-12-31", "2026-12-31")), Ok(number("2027")));
        assert_eq!(value("years(facts.a, facts.c)", &days("2026-06-02", "2026-06-02")), Err(Gap::missing("c")));
        // New Year's Eve in UTC is New Year's Day in Finland.
        let night: Timestamp = "2025-12-31T22:00:00Z".parse().unwrap();
        let night = facts(&[("t", Scalar::Number(Decimal::from(night.as_second())))]);
        assert_eq!(value("year(day(facts.t))", &night), Ok(number("2026")));
        for huge in ["year(facts.n)", "day(facts.n)", "years(facts.n, facts.n)", "months(0.5, 1)"] {
            let n = facts(&[("n", number("79228162514264337593543950335"))]);
            assert!(value(huge, &n).unwrap_err().fault.is_some(), "{huge}");
        }
    }

    #[test]
    fn refuses_what_is_not_admitted() {
        for source in [
            "dayOfYear(facts.a, facts.b)",
            "monthOfYear(facts.a)",
            "dayOfMonth(facts.t)",
            "years(facts.a)",
            "year(facts.a, facts.b)",
            "rand(3)",
            "date('now')",
            "facts",
            "length > 3",
            "other.x",
            "facts.x ?? 1",
            "null",
            "facts.x in [1..3]",
            "facts.a.b",
            "min(1, 2)",
            "min([])",
            "round(1, facts.x)",
            "2 ^ 3",
            "a = 1; a",
            "`${facts.x}`",
            "map([1], # + 1)",
            "facts.x.trim()",
            "",
            "  ",
            "1 +",
            "((1)",
            "facts.x > > 1",
            "1 2",
        ] {
            assert!(Expression::parse(source).is_err(), "{source}");
        }
        assert_eq!(
            refused("facts.a > > facts.b"),
            "`facts.a > > facts.b` cannot be read from `> facts.b` on → write an expression such as `facts.length < params.min_length`"
        );
        assert!(refused(&"1 + ".repeat(300)).contains("cut it into steps"));
        assert!(refused(&format!("{}1{}", "(".repeat(300), ")".repeat(300))).contains("nested"));
    }

    #[test]
    fn knows_kinds_before_any_case_is() {
        let kind = |source: &str| {
            parse(source).kind(&|name| match name.name.as_str() {
                "n" => Some(Kind::Number),
                "d" => Some(Kind::Date),
                "t" => Some(Kind::Text),
                "f" => Some(Kind::Flag),
                "m" => Some(Kind::Time),
                _ => None,
            })
        };
        assert_eq!(kind("facts.d - facts.d <= 14"), Ok(Kind::Flag));
        assert_eq!(kind("facts.d + 14"), Ok(Kind::Date));
        assert_eq!(kind("facts.f ? facts.n : 2.5"), Ok(Kind::Number));
        assert_eq!(kind("years(facts.d, day(facts.m)) < 25"), Ok(Kind::Flag));
        assert_eq!(kind("facts.t not in ['a', 'b']"), Ok(Kind::Flag));
        for wrong in [
            "facts.d + facts.d",
            "facts.t + 'x'",
            "facts.t < 'x'",
            "not facts.n",
            "facts.n and facts.f",
            "facts.d < 5",
            "years(facts.d, facts.m)",
            "year(facts.n)",
            "day(facts.d)",
            "facts.x",
        ] {
            assert!(kind(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn knows_what_is_whole_cents() {
        let cents = |source: &str| parse(source).decimals(&|name| (name.name == "money").then_some(2));
        assert_eq!(cents("floor(facts.n * 0.92)"), Some(0));
        assert_eq!(cents("round(facts.n, 2) + facts.money"), Some(2));
        assert_eq!(cents("facts.money * 2"), Some(2));
        assert_eq!(cents("facts.money * 0.5"), Some(3));
        assert_eq!(cents("min([facts.money, facts.n])"), None);
        assert_eq!(cents("facts.money / 3"), None);
    }

    /// Expressions over whole and decimal numbers and flags, of the admitted part.
    fn numeric() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            (-1000_i32..1000).prop_map(|n| if n < 0 { format!("({n})") } else { n.to_string() }),
            (0_u32..1000, 0_u32..100).prop_map(|(a, b)| format!("{a}.{b:02}")),
            (0..4).prop_map(|n| format!("facts.n{n}")),
        ];
        leaf.prop_recursive(3, 16, 3, |inner| {
            prop_oneof![
                (inner.clone(), prop_oneof!["\\+", "-", "\\*"], inner.clone())
                    .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
                (prop_oneof!["floor", "ceil", "abs", "trunc"], inner.clone()).prop_map(|(f, a)| format!("{f}({a})")),
                (prop_oneof!["min", "max"], inner.clone(), inner.clone())
                    .prop_map(|(f, a, b)| format!("{f}([{a}, {b}])")),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} > {b} ? {b} : {c})")),
                inner.prop_map(|a| format!("round({a}, 1)")),
            ]
        })
    }

    fn logical() -> impl Strategy<Value = String> {
        let compared = (numeric(), prop_oneof!["<", "<=", ">", ">=", "==", "!="], numeric());
        let leaf = prop_oneof![
            compared.prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (0..3).prop_map(|n| format!("facts.f{n}")),
            Just("true".to_owned()),
            Just("false".to_owned()),
        ];
        leaf.prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
                inner.prop_map(|a| format!("(not {a})")),
            ]
        })
    }

    fn all_facts() -> impl Strategy<Value = Facts> {
        let numbers = proptest::collection::vec((-100_000_i64..100_000, 0_u32..3), 4);
        let flags = proptest::collection::vec(any::<bool>(), 3);
        (numbers, flags).prop_map(|(numbers, flags)| {
            let numbers = numbers
                .into_iter()
                .enumerate()
                .map(|(n, (value, scale))| (format!("n{n}"), Scalar::Number(Decimal::new(value, scale))));
            let flags = flags.into_iter().enumerate().map(|(n, flag)| (format!("f{n}"), Scalar::Flag(flag)));
            numbers.chain(flags).collect()
        })
    }

    fn for_zen(facts: &Facts) -> Variable {
        let inner = Variable::empty_object();
        for (name, value) in facts {
            let value = match value {
                Scalar::Number(number) => Variable::Number(*number),
                Scalar::Text(text) => Variable::String(text.as_str().into()),
                Scalar::Flag(flag) => Variable::Bool(*flag),
            };
            let _ = inner.dot_insert(name, value);
        }
        let outer = Variable::empty_object();
        let _ = outer.dot_insert("facts", inner);
        outer
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Where nothing is missing, ours and zen's own machine agree to the digit.
        #[test]
        fn agrees_with_zen_where_nothing_is_missing(source in prop_oneof![numeric(), logical()], facts in all_facts()) {
            prop_assume!(source.len() <= LONGEST);
            let zen = zen_expression::evaluate_expression(&source, for_zen(&facts)).unwrap();
            match value(&source, &facts) {
                Ok(Scalar::Number(ours)) => prop_assert_eq!(zen, Variable::Number(ours)),
                Ok(Scalar::Flag(ours)) => prop_assert_eq!(zen, Variable::Bool(ours)),
                other => prop_assert!(false, "{:?}", other),
            }
        }

        /// What is known with some facts missing stays so whatever they turn out to be.
        #[test]
        fn more_facts_never_change_what_was_known(source in logical(), facts in all_facts(), keep in proptest::collection::vec(any::<bool>(), 7)) {
            prop_assume!(source.len() <= LONGEST);
            let some: Facts = facts.iter().zip(keep).filter(|(_, keep)| *keep).map(|((n, v), _)| (n.clone(), v.clone())).collect();
            match value(&source, &some) {
                Ok(known) => prop_assert_eq!(value(&source, &facts), Ok(known)),
                Err(gap) => {
                    prop_assert!(!gap.missing.is_empty());
                    prop_assert!(gap.missing.iter().all(|name| !some.contains_key(name)));
                }
            }
        }

        /// Kleene: `and` and `or` commute, and De Morgan holds, with unknowns too.
        #[test]
        fn keeps_the_laws_of_three_values(a in logical(), b in logical(), facts in all_facts(), keep in proptest::collection::vec(any::<bool>(), 7)) {
            prop_assume!(a.len() + b.len() < LONGEST - 30);
            let some: Facts = facts.iter().zip(keep).filter(|(_, keep)| *keep).map(|((n, v), _)| (n.clone(), v.clone())).collect();
            let of = |source: String| value(&source, &some).ok();
            prop_assert_eq!(of(format!("{a} and {b}")), of(format!("{b} and {a}")));
            prop_assert_eq!(of(format!("{a} or {b}")), of(format!("{b} or {a}")));
            prop_assert_eq!(of(format!("not ({a} and {b})")), of(format!("(not {a}) or (not {b})")));
        }

        #[test]
        fn no_text_makes_it_panic(source in "\\PC{0,80}", more in "[-+*/%()\\[\\]?:.,'\"#$;=<>a-z0-9 {}`]{0,80}") {
            for source in [source, more] {
                if let Ok(expression) = Expression::parse(&source) {
                    let _ = expression.value(&|_| Err(Gap::missing("x")));
                    let _ = expression.kind(&|_| Some(Kind::Number));
                }
            }
        }
    }
}
