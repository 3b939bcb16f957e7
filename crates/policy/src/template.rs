//! Text of a policy that may hold variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}`, `${?}`, `${$}` for
//! the characters themselves.
//!
//! Source: IAM User Guide, "IAM policy elements: Variables and tags".

use crate::context::{Context, Value};
use crate::error::Malformed;
use crate::pattern::{Pattern, Token};

/// Whether `${...}` is a variable: in documents of version 2012-10-17, not in those of 2008-10-17.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Variables {
    Known,
    Literal,
}

/// A text or a pattern, ready to be filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Token(Token),
    Variable {
        /// The condition key, in lower case.
        key: String,
        /// As the document spells it.
        spelled: String,
        default: Option<String>,
    },
}

impl Template {
    /// A text in which nothing but variables is special.
    pub(crate) fn text(source: &str, variables: Variables) -> Result<Self, Malformed> {
        parse(source, variables, Token::Char)
    }

    /// A text in which `*` and `?` are wildcards.
    pub(crate) fn pattern(source: &str, variables: Variables) -> Result<Self, Malformed> {
        parse(source, variables, Token::from_pattern)
    }

    fn fixed_tokens(&self) -> Option<Vec<Token>> {
        let token = |part: &Part| match part {
            Part::Token(token) => Some(*token),
            Part::Variable { .. } => None,
        };
        self.0.iter().map(token).collect()
    }

    /// The tokens with variables filled in; none if one has no value. A value's characters are characters, never wildcards.
    fn fill(&self, context: &dyn Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.0.len());
        for part in &self.0 {
            match part {
                Part::Token(token) => tokens.push(*token),
                Part::Variable { key, default, .. } => {
                    // Keys of several values cannot be variables.
                    let value = match context.value(key) {
                        Some(Value::One(value)) => Some(value),
                        Some(Value::Many(_)) | None => None,
                    };
                    let value = value.as_deref().or(default.as_deref())?;
                    tokens.extend(value.chars().map(Token::Char));
                }
            }
        }
        Some(tokens)
    }

    fn variables<'t>(&'t self, found: &mut Vec<&'t str>) {
        found.extend(self.0.iter().filter_map(|part| match part {
            Part::Variable { spelled, .. } => Some(spelled.as_str()),
            Part::Token(_) => None,
        }));
    }

    fn leading_text(&self) -> String {
        let leading = self.0.iter().map_while(|part| match part {
            Part::Token(Token::Char(c)) => Some(*c),
            Part::Token(Token::Star | Token::AnyChar) | Part::Variable { .. } => None,
        });
        leading.collect()
    }

    /// Cuts at the first five colons that stand in the document: the six components of an ARN. What a variable brings stays in its
    /// component.
    pub(crate) fn components(self) -> Option<[Self; 6]> {
        let mut components = vec![Self(Vec::new())];
        for part in self.0 {
            let last = components.len() - 1;
            if part == Part::Token(Token::Char(':')) && last < 5 {
                components.push(Self(Vec::new()));
            } else {
                components[last].0.push(part);
            }
        }
        components.try_into().ok()
    }

    pub(crate) fn is_star(&self) -> bool {
        self.0 == [Part::Token(Token::Star)]
    }
}

fn parse(source: &str, variables: Variables, token: fn(char) -> Token) -> Result<Template, Malformed> {
    let mut parts = Vec::with_capacity(source.len());
    let mut rest = source;
    let invalid = || Malformed::InvalidVariable(source.to_owned());
    while let Some(c) = rest.chars().next() {
        let Some(inside) = rest.strip_prefix("${").filter(|_| variables == Variables::Known) else {
            parts.push(Part::Token(token(c)));
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let (part, after) = variable(inside).ok_or_else(invalid)?;
        parts.push(part);
        rest = after;
    }
    Ok(Template(parts))
}

/// What stands after `${`, and what follows the closing brace.
fn variable(inside: &str) -> Option<(Part, &str)> {
    let (name, rest) = inside.split_at(inside.find([',', '}'])?);
    if let Some(after) = rest.strip_prefix('}') {
        let part = match name {
            "*" | "?" | "$" => Part::Token(Token::Char(name.chars().next()?)),
            _ => Part::Variable { key: variable_key(name)?, spelled: name.to_owned(), default: None },
        };
        return Some((part, after));
    }
    let quoted = rest.strip_prefix(',')?.trim_start_matches(' ').strip_prefix('\'')?;
    let (default, rest) = quoted.split_once('\'')?;
    let after = rest.trim_start_matches(' ').strip_prefix('}')?;
    let (key, spelled) = (variable_key(name)?, name.to_owned());
    Some((Part::Variable { key, spelled, default: Some(default.to_owned()) }, after))
}

/// Every variable is a condition key, and those have a prefix.
fn variable_key(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once(':')?;
    let clean = !prefix.is_empty() && !rest.is_empty() && !name.contains(['{', '\'', '$']) && name.trim() == name;
    clean.then(|| name.to_ascii_lowercase())
}

/// A text to compare with, compiled as far as its variables allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Text {
    Fixed(String),
    Filled(Template),
}

impl Text {
    /// The variables in it, as the document spells them.
    pub(crate) fn variables<'t>(&'t self, found: &mut Vec<&'t str>) {
        if let Self::Filled(template) = self {
            template.variables(found);
        }
    }

    pub(crate) fn new(template: Template) -> Self {
        template.fixed_tokens().map_or(Self::Filled(template), |tokens| Self::Fixed(plain(tokens)))
    }

    /// Calls `check` with the text; none if a variable has no value.
    pub(crate) fn with<T>(&self, context: &dyn Context, check: impl FnOnce(&str) -> T) -> Option<T> {
        match self {
            Self::Fixed(text) => Some(check(text)),
            Self::Filled(template) => Some(check(&plain(template.fill(context)?))),
        }
    }
}

fn plain(tokens: Vec<Token>) -> String {
    let char = |token| match token {
        Token::Char(c) => c,
        Token::Star => '*',
        Token::AnyChar => '?',
    };
    tokens.into_iter().map(char).collect()
}

/// A pattern to compare with, compiled as far as its variables allow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Glob {
    Fixed(Pattern),
    Filled {
        template: Template,
        /// What stands before the first variable or wildcard.
        before: String,
    },
}

impl Glob {
    /// The variables in it, as the document spells them.
    pub(crate) fn variables<'t>(&'t self, found: &mut Vec<&'t str>) {
        if let Self::Filled { template, .. } = self {
            template.variables(found);
        }
    }

    pub(crate) fn new(template: Template) -> Self {
        match template.fixed_tokens() {
            Some(tokens) => Self::Fixed(Pattern::from_tokens(tokens)),
            None => Self::Filled { before: template.leading_text(), template },
        }
    }

    /// Whether the text matches; none if a variable has no value.
    pub(crate) fn matches(&self, text: &str, context: &dyn Context) -> Option<bool> {
        match self {
            Self::Fixed(pattern) => Some(pattern.matches(text)),
            Self::Filled { template, .. } => Some(Pattern::from_tokens(template.fill(context)?).matches(text)),
        }
    }

    /// Whether the text matches, where a variable without value makes it not match.
    pub(crate) fn surely_matches(&self, text: &str, context: &dyn Context) -> bool {
        self.begins_like(text) && self.matches(text, context) == Some(true)
    }

    /// Whether the text matches, where a variable without value may stand for anything.
    pub(crate) fn may_match(&self, text: &str, context: &dyn Context) -> bool {
        self.begins_like(text) && self.matches(text, context) != Some(false)
    }

    /// False: the text cannot match, whatever the variables' values. Spares looking them up.
    fn begins_like(&self, text: &str) -> bool {
        match self {
            Self::Fixed(_) => true,
            Self::Filled { before, .. } => text.starts_with(before),
        }
    }
}
