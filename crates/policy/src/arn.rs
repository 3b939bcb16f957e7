//! ARNs as ArnLike compares them: the six components one by one.
//!
//! Source: IAM User Guide, "Amazon Resource Name (ARN) condition operators".

use crate::context::Context;
use crate::error::Malformed;
use crate::template::{Glob, Template, Variables};

/// A pattern of an ARN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ArnPattern {
    /// `*`: any ARN.
    Any,
    /// A pattern for each component.
    Components(Box<[Glob; 6]>),
    /// Not six components: matches nothing.
    Nothing,
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, variables: Variables) -> Result<Self, Malformed> {
        let template = Template::pattern(text, variables)?;
        if template.is_star() {
            return Ok(Self::Any);
        }
        let components = template.components();
        Ok(components.map_or(Self::Nothing, |components| Self::Components(Box::new(components.map(Glob::new)))))
    }

    /// The variables in it, as the document spells them.
    pub(crate) fn variables<'p>(&'p self, found: &mut Vec<&'p str>) {
        if let Self::Components(patterns) = self {
            patterns.iter().for_each(|pattern| pattern.variables(found));
        }
    }

    /// Whether an ARN matches; none if a variable has no value.
    pub(crate) fn matches(&self, arn: [&str; 6], context: &dyn Context) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::Nothing => Some(false),
            Self::Components(patterns) => {
                let mut all = true;
                for (pattern, component) in patterns.iter().zip(arn) {
                    all &= pattern.matches(component, context)?;
                }
                Some(all)
            }
        }
    }
}

/// The six components of an ARN.
pub(crate) fn split(arn: &str) -> Option<[&str; 6]> {
    let mut components = arn.splitn(6, ':');
    let mut next = || components.next();
    let arn = [next()?, next()?, next()?, next()?, next()?, next()?];
    (arn[0] == "arn").then_some(arn)
}
