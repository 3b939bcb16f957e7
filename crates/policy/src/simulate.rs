//! Decisions with everything that led to them: for IAM's policy simulator and for who may do what.

use std::collections::BTreeSet;

use crate::decide::{Allowed, Question, Rule, decide};
use crate::document::Document;
use crate::evaluate::{Asked, Verdict, evaluate};
use crate::reason::{By, Refused};
use crate::statement::Effect;
use crate::who::Attached;

/// A decision and what led to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Simulation<'a> {
    /// What [`decide`] says.
    pub outcome: Result<Allowed<'a>, Refused>,
    /// The statements that determine it: those that deny, of all kinds of policies; if none does, those that allow.
    pub matched: Vec<Matched<'a>>,
    /// Condition keys, spelled as the documents spell them, that a statement about this action and resource refers to and that the
    /// request does not have.
    pub missing: BTreeSet<String>,
    /// What each kind of policy says by itself, in the order identity, boundary, session, resource; kinds that there are none of are
    /// left out.
    pub verdicts: Vec<(By, Verdict)>,
}

/// A statement that applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Matched<'a> {
    /// The kind of its policy.
    pub by: By,
    /// Where its policy is from, as [`Attached::source`]; empty for the resource's policy.
    pub source: &'a str,
    /// Its policy's index among those of its kind: 0 for a boundary and for the resource's policy.
    pub policy: usize,
    /// Its index in its policy; [`crate::statement_spans`] has its place in the text.
    pub statement: usize,
    /// `Sid`
    pub sid: Option<&'a str>,
    /// What it does.
    pub effect: Effect,
}

impl Simulation<'_> {
    /// What a kind of policy says by itself; `None`: there is none of that kind.
    pub fn verdict(&self, by: By) -> Option<Verdict> {
        self.verdicts.iter().find(|(kind, _)| *kind == by).map(|(_, verdict)| *verdict)
    }
}

/// Decides as [`decide`], and tells everything that led to it.
pub fn simulate<'a>(question: &Question<'a>, resource: Option<&'a Document>, rule: Rule) -> Simulation<'a> {
    let permissions = &question.principal.permissions;
    let none = |document: &'a Document| -> (&'a str, &'a Document) { ("", document) };
    let named = |attached: &'a Attached| -> (&'a str, &'a Document) { (&attached.source, &attached.document) };
    let mut kinds = vec![(By::Identity, permissions.identity.iter().map(named).collect::<Vec<_>>())];
    kinds.extend(permissions.boundary.as_ref().map(|boundary| (By::Boundary, vec![named(boundary)])));
    kinds.extend(permissions.session.as_ref().map(|session| (By::Session, session.iter().map(named).collect())));
    kinds.extend(resource.map(|document| (By::of_resource(Some(document)), vec![none(document)])));

    let action = question.action.to_ascii_lowercase();
    let asked = question.asked(&action);
    let (mut matched, mut missing, mut verdicts) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (by, documents) in kinds {
        for (policy, (source, document)) in documents.iter().enumerate() {
            matched.extend(matching(document, &asked, &mut missing).map(|(statement, sid, effect)| Matched {
                by,
                source,
                policy,
                statement,
                sid,
                effect,
            }));
        }
        let documents: Vec<&Document> = documents.iter().map(|(_, document)| *document).collect();
        verdicts.push((by, evaluate(&documents, &asked).verdict));
    }
    if matched.iter().any(|matched: &Matched<'_>| matched.effect == Effect::Deny) {
        matched.retain(|matched| matched.effect == Effect::Deny);
    }
    Simulation { outcome: decide(question, resource, rule), matched, missing, verdicts }
}

type Applying<'a> = (usize, Option<&'a str>, Effect);

/// The statements of a document that apply; `missing` gains the keys that its statements about this action and resource lack.
fn matching<'a>(
    document: &'a Document,
    asked: &Asked<'_>,
    missing: &mut BTreeSet<String>,
) -> impl Iterator<Item = Applying<'a>> {
    let mut applying = Vec::new();
    for (index, statement) in document.statements().iter().enumerate() {
        if statement.is_about(asked) {
            let absent = |key: &&str| asked.context.value(&key.to_ascii_lowercase()).is_none();
            missing.extend(statement.context_keys().into_iter().filter(absent).map(str::to_owned));
        }
        if statement.applies(asked).is_some() {
            applying.push((index, statement.sid(), statement.effect()));
        }
    }
    applying.into_iter()
}
