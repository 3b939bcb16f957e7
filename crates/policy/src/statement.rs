//! One statement of a policy.

use crate::action::ActionPattern;
use crate::condition::Condition;
use crate::document::Kind;
use crate::error::Malformed;
use crate::evaluate::{Asked, Reach};
use crate::json::Json;
use crate::names::Names;
use crate::principal::{NamedPrincipal, Principals};
use crate::template::{Glob, Template, Variables};

/// What a statement does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// A statement, ready to be evaluated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    sid: Option<String>,
    effect: Effect,
    whom: Whom,
    /// `None`: the statement has neither Action nor NotAction, and no effect. Only key policies may have such.
    actions: Option<Selection<ActionPattern>>,
    /// `None`: the statement has neither Resource nor NotResource. Trust policies have none, for they belong to one role; in key
    /// policies the statement has no effect.
    resources: Option<Selection<Glob>>,
    /// Whether a statement without resources is about the thing that the policy belongs to.
    resource_implied: bool,
    conditions: Vec<Condition>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Whom {
    /// An identity policy: whoever it is attached to.
    Attached,
    Principal(Principals),
    NotPrincipal(Principals),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Selection<T> {
    These(Vec<T>),
    Others(Vec<T>),
}

impl<T> Selection<T> {
    /// Whether the selection takes what `matches` tells of each item. What cannot be decided matches nothing, and what a `Not...`
    /// element cannot decide it takes only where that denies.
    fn takes(&self, effect: Effect, mut matches: impl FnMut(&T) -> Option<bool>) -> bool {
        match self {
            Self::These(items) => items.iter().any(|item| matches(item) == Some(true)),
            Self::Others(items) => items.iter().all(|item| !matches(item).unwrap_or(effect == Effect::Allow)),
        }
    }
}

impl Statement {
    /// `Sid`.
    pub fn sid(&self) -> Option<&str> {
        self.sid.as_deref()
    }

    /// `Effect`.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The principals that `Principal` or `NotPrincipal` names.
    pub fn principals(&self) -> &[NamedPrincipal] {
        match &self.whom {
            Whom::Attached => &[],
            Whom::Principal(principals) | Whom::NotPrincipal(principals) => principals.named(),
        }
    }

    /// Whether it allows the public something, as S3 means "public".
    pub fn is_public(&self) -> bool {
        let fixed =
            |principal: &NamedPrincipal| !matches!(principal, NamedPrincipal::Everyone | NamedPrincipal::Federated(_));
        let whom = match &self.whom {
            Whom::Attached => false,
            Whom::Principal(principals) => !principals.named().iter().all(fixed),
            Whom::NotPrincipal(_) => true,
        };
        self.effect == Effect::Allow && whom && !self.conditions.iter().any(Condition::pins)
    }

    /// The condition keys that it refers to, in conditions and as variables, as the document spells them.
    pub fn context_keys(&self) -> Vec<&str> {
        let mut found = Vec::new();
        if let Some(Selection::These(globs) | Selection::Others(globs)) = &self.resources {
            globs.iter().for_each(|glob| glob.variables(&mut found));
        }
        self.conditions.iter().for_each(|condition| condition.context_keys(&mut found));
        found
    }

    pub(crate) fn parse(element: &Json, kind: Kind, variables: Variables) -> Result<Self, Malformed> {
        let members = element.as_object().ok_or_else(|| Malformed::syntax("a statement must be an object"))?;
        if let Some((name, _)) = members.iter().find(|(name, _)| !ELEMENTS.contains(&name.as_str())) {
            return Err(Malformed::syntax(format!("a statement has no element {name}")));
        }
        let find = |name: &str| members.iter().find(|(member, _)| member == name).map(|(_, value)| value);
        let effect = effect(find("Effect"))?;
        let actions = selection("Action", find("Action"), find("NotAction"), ActionPattern::parse)?;
        let pattern = |text: &str| resource(text, variables);
        let resources = selection("Resource", find("Resource"), find("NotResource"), pattern)?;
        if kind == Kind::Trust && resources.is_some() {
            return Err(Malformed::Prohibited("Resource"));
        }
        if empty(actions.as_ref()) || (actions.is_none() && kind != Kind::Key) {
            return Err(Malformed::NoActions);
        }
        if empty(resources.as_ref()) || (resources.is_none() && matches!(kind, Kind::Identity | Kind::Bucket)) {
            return Err(Malformed::NoResources);
        }
        let conditions = find("Condition").map(|element| Condition::parse(element, variables)).transpose()?;
        Ok(Self {
            sid: sid(find("Sid"), kind)?,
            effect,
            whom: whom(find("Principal"), find("NotPrincipal"), effect, kind)?,
            actions,
            resources,
            resource_implied: kind == Kind::Trust,
            conditions: conditions.unwrap_or_default(),
        })
    }

    /// How the statement applies to a request.
    pub(crate) fn applies(&self, asked: &Asked<'_>) -> Option<Reach> {
        if !self.takes_action(asked.action) {
            return None;
        }
        let reach = self.reach(&asked.names)?;
        let holds = |condition: &Condition| condition.holds(self.effect, asked.context);
        (self.takes_resource(asked) && self.conditions.iter().all(holds)).then_some(reach)
    }

    /// Whether the statement is about the request's caller, action and resource, whatever its conditions say. A resource whose variables
    /// have no value counts if some value makes it match.
    pub(crate) fn is_about(&self, asked: &Asked<'_>) -> bool {
        let resource = match &self.resources {
            Some(Selection::These(globs)) => globs.iter().any(|glob| glob.may_match(asked.resource, asked.context)),
            Some(Selection::Others(globs)) => {
                !globs.iter().any(|glob| glob.surely_matches(asked.resource, asked.context))
            }
            None => self.resource_implied,
        };
        resource && self.takes_action(asked.action) && self.reach(&asked.names).is_some()
    }

    fn takes_action(&self, lowered: &str) -> bool {
        let takes =
            |actions: &Selection<ActionPattern>| actions.takes(self.effect, |pattern| Some(pattern.matches(lowered)));
        self.actions.as_ref().is_some_and(takes)
    }

    fn reach(&self, names: &Names<'_>) -> Option<Reach> {
        match &self.whom {
            Whom::Attached => Some(Reach::Direct),
            Whom::Principal(principals) => principals.reach(names),
            Whom::NotPrincipal(principals) => (!principals.spares(names)).then_some(Reach::Direct),
        }
    }

    fn takes_resource(&self, asked: &Asked<'_>) -> bool {
        match &self.resources {
            Some(Selection::These(globs)) => {
                globs.iter().any(|glob| glob.surely_matches(asked.resource, asked.context))
            }
            Some(others) => others.takes(self.effect, |glob| glob.matches(asked.resource, asked.context)),
            None => self.resource_implied,
        }
    }
}

const ELEMENTS: &[&str] =
    &["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

fn effect(element: Option<&Json>) -> Result<Effect, Malformed> {
    match element.ok_or(Malformed::Missing("Effect"))?.as_text() {
        Some("Allow") => Ok(Effect::Allow),
        Some("Deny") => Ok(Effect::Deny),
        _ => Err(Malformed::syntax("Effect must be Allow or Deny")),
    }
}

fn sid(element: Option<&Json>, kind: Kind) -> Result<Option<String>, Malformed> {
    let Some(element) = element else { return Ok(None) };
    let text = element.as_text().ok_or_else(|| Malformed::syntax("Sid must be text"))?;
    if matches!(kind, Kind::Identity | Kind::Trust) && !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Malformed::InvalidSid);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn whom(principal: Option<&Json>, not_principal: Option<&Json>, effect: Effect, kind: Kind) -> Result<Whom, Malformed> {
    match (principal, not_principal) {
        (None, None) if kind == Kind::Identity => Ok(Whom::Attached),
        _ if kind == Kind::Identity => Err(Malformed::IdentityPrincipal),
        (None, None) => Err(Malformed::Missing("Principal")),
        (Some(_), Some(_)) => Err(Malformed::syntax("Principal and NotPrincipal exclude each other")),
        (Some(element), None) => Ok(Whom::Principal(Principals::parse(element)?)),
        (None, Some(_)) if kind == Kind::Trust => Err(Malformed::Prohibited("NotPrincipal")),
        (None, Some(_)) if effect == Effect::Allow => Err(Malformed::AllowNotPrincipal),
        (None, Some(element)) => Ok(Whom::NotPrincipal(Principals::parse(element)?)),
    }
}

fn selection<T>(
    name: &str,
    these: Option<&Json>,
    others: Option<&Json>,
    parse: impl Fn(&str) -> Result<T, Malformed>,
) -> Result<Option<Selection<T>>, Malformed> {
    let items = |element: &Json| -> Result<Vec<T>, Malformed> {
        let text =
            |item: &Json| parse(item.as_text().ok_or_else(|| Malformed::syntax(format!("{name} must be text")))?);
        element.one_or_many().iter().map(text).collect()
    };
    match (these, others) {
        (Some(_), Some(_)) => Err(Malformed::syntax(format!("{name} and Not{name} exclude each other"))),
        (Some(element), None) => Ok(Some(Selection::These(items(element)?))),
        (None, Some(element)) => Ok(Some(Selection::Others(items(element)?))),
        (None, None) => Ok(None),
    }
}

fn empty<T>(selection: Option<&Selection<T>>) -> bool {
    matches!(selection, Some(Selection::These(items) | Selection::Others(items)) if items.is_empty())
}

fn resource(text: &str, variables: Variables) -> Result<Glob, Malformed> {
    let arn = text == "*" || text.strip_prefix("arn:").is_some_and(|rest| !rest.is_empty());
    if !arn {
        return Err(Malformed::InvalidResource(text.to_owned()));
    }
    Ok(Glob::new(Template::pattern(text, variables)?))
}
