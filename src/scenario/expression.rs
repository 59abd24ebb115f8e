//! Rules of constraints: questions about attributes of nodes.

/// When a rule holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Whether all expressions have to be true; else one is enough.
    pub all: bool,
    /// What is asked; at least one.
    pub expressions: Vec<Expression>,
}

/// A question about an attribute of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// Whether the node has the attribute.
    Defined(String),
    /// Whether it does not have it.
    NotDefined(String),
    /// How its value compares.
    Compare {
        /// The attribute; `#uname` is the node's name, `#kind` cluster, remote or container.
        attribute: String,
        /// How it is compared.
        comparison: Comparison,
        /// As what it is compared: `string`, `integer` or `version`; none: as numbers when both are.
        kind: Option<String>,
        /// With what.
        value: String,
    },
}

impl Expression {
    /// It as words of the language that pcs and crmsh share.
    pub fn words(&self) -> Vec<String> {
        match self {
            Expression::Defined(attribute) => vec!["defined".into(), attribute.clone()],
            Expression::NotDefined(attribute) => vec!["not_defined".into(), attribute.clone()],
            Expression::Compare { attribute, comparison, kind, value } => {
                let mut words = vec![attribute.clone(), comparison.word().into()];
                words.extend(kind.clone());
                words.push(value.clone());
                words
            }
        }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Less.
    Lt,
    /// Greater.
    Gt,
    /// Less, or the same.
    Lte,
    /// Greater, or the same.
    Gte,
    /// The same.
    Eq,
    /// Another.
    Ne,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Comparison; 6] =
        [Comparison::Lt, Comparison::Gt, Comparison::Lte, Comparison::Gte, Comparison::Eq, Comparison::Ne];

    /// The word for it, which is the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Comparison::Lt => "lt",
            Comparison::Gt => "gt",
            Comparison::Lte => "lte",
            Comparison::Gte => "gte",
            Comparison::Eq => "eq",
            Comparison::Ne => "ne",
        }
    }
}
