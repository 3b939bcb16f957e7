//! The decision of some documents of one kind.

use crate::context::Context;
use crate::document::Document;
use crate::names::Names;
use crate::statement::Effect;

/// What documents say to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allow(Reach),
    /// A statement denies it. Nothing can allow it any more.
    ExplicitDeny,
    /// No statement speaks of it.
    ImplicitDeny,
}

/// How a statement that allows reaches the caller, the strongest way first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reach {
    /// It names the caller, everyone, or stands in a policy of the caller's own: the caller is allowed.
    Direct,
    /// It names the role of the caller's session, or the user that asked for its federated session: what limits the session limits it.
    Entity,
    /// It names the caller's account: the account may allow it by the caller's own policies.
    Account,
}

/// The statement that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Deciding<'d> {
    /// Index of the document.
    pub(crate) document: usize,
    /// Index of the statement in its document.
    pub(crate) statement: usize,
    /// The statement's `Sid`.
    pub(crate) sid: Option<&'d str>,
}

/// A verdict and its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decision<'d> {
    /// The verdict.
    pub(crate) verdict: Verdict,
    /// The statement that decided; none for an implicit deny.
    pub(crate) statement: Option<Deciding<'d>>,
}

impl Decision<'_> {
    pub(crate) const NOTHING: Self = Self { verdict: Verdict::ImplicitDeny, statement: None };

    /// Whether the verdict is to allow, by whatever reach.
    pub(crate) fn allows(&self) -> bool {
        matches!(self.verdict, Verdict::Allow(_))
    }
}

/// A request, made ready for many documents.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) names: Names<'a>,
    /// In lower case.
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) context: &'a dyn Context,
}

/// Evaluates documents together, as if they were one: the first statement that denies decides; else the first of those that allow in
/// the strongest way.
pub(crate) fn evaluate<'d, D: AsRef<Document>>(documents: &'d [D], asked: &Asked<'_>) -> Decision<'d> {
    let mut best = Decision::NOTHING;
    for (document, parsed) in documents.iter().enumerate() {
        for (index, statement) in parsed.as_ref().statements().iter().enumerate() {
            // Whether it allows no more than what was found already.
            if statement.effect() == Effect::Allow && best.verdict == Verdict::Allow(Reach::Direct) {
                continue;
            }
            let Some(reach) = statement.applies(asked) else { continue };
            let deciding = Some(Deciding { document, statement: index, sid: statement.sid() });
            match (statement.effect(), best.verdict) {
                (Effect::Deny, _) => return Decision { verdict: Verdict::ExplicitDeny, statement: deciding },
                (Effect::Allow, Verdict::Allow(found)) if found <= reach => {}
                (Effect::Allow, _) => best = Decision { verdict: Verdict::Allow(reach), statement: deciding },
            }
        }
    }
    best
}

impl AsRef<Self> for Document {
    fn as_ref(&self) -> &Self {
        self
    }
}
