//! The decision of some documents of one kind.

use crate::context::RequestContext;
use crate::document::Document;
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

/// How a statement that allows reaches the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// It names the caller, everyone, or stands in a policy of the caller's own: the caller is allowed.
    Direct,
    /// It names the caller's account: the account may allow it by the caller's own policies.
    Account,
}

/// The statement that decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deciding<'d> {
    /// Index of the document.
    pub document: usize,
    /// Index of the statement in its document.
    pub statement: usize,
    /// The statement's `Sid`.
    pub sid: Option<&'d str>,
}

/// A verdict and its reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision<'d> {
    /// The verdict.
    pub verdict: Verdict,
    /// The statement that decided; none for an implicit deny.
    pub statement: Option<Deciding<'d>>,
}

impl Decision<'_> {
    /// Whether the verdict is to allow, by whatever reach.
    pub fn allows(&self) -> bool {
        matches!(self.verdict, Verdict::Allow(_))
    }
}

/// Evaluates documents together, as if they were one: the first statement that denies decides; else the first that allows the caller
/// itself; else the first that allows the caller's account.
pub fn evaluate<'d, D: AsRef<Document>>(documents: &'d [D], request: &RequestContext<'_>) -> Decision<'d> {
    let action = request.action.to_ascii_lowercase();
    let mut best = Decision { verdict: Verdict::ImplicitDeny, statement: None };
    for (document, parsed) in documents.iter().enumerate() {
        for (index, statement) in parsed.as_ref().statements().iter().enumerate() {
            // Whether it allows no more than what was found already.
            if statement.effect() == Effect::Allow && best.verdict == Verdict::Allow(Reach::Direct) {
                continue;
            }
            let Some(reach) = statement.applies(request, &action) else { continue };
            let deciding = Some(Deciding { document, statement: index, sid: statement.sid() });
            match (statement.effect(), best.verdict, reach) {
                (Effect::Deny, _, _) => return Decision { verdict: Verdict::ExplicitDeny, statement: deciding },
                (Effect::Allow, Verdict::Allow(_), Reach::Account) => {}
                (Effect::Allow, _, reach) => best = Decision { verdict: Verdict::Allow(reach), statement: deciding },
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
