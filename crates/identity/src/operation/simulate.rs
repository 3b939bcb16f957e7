//! SimulateCustomPolicy, SimulatePrincipalPolicy.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{AccountId, By, ContextMap, Document, Principal, Question, Rule, Simulation, Verdict};
use serde::Deserialize;

use super::page::Paging;
use super::shapes::shapes;
use super::{Allowed, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::limits::MAX_SIMULATIONS;
use crate::simulation::cast::{Cast, Origin, Source, nobody};
use crate::simulation::exclusion::{PolicyIdentifier, exclude};
use crate::simulation::keys::Keys;
use crate::simulation::{invalid, kind_of_resource_policy, rule};

shapes! {
    request SimulateCustomPolicyRequest {
        policy_input_list: Vec<String>, permissions_boundary_policy_input_list? Vec<String>,
        ordered_organization_policy_input_list? Vec<serde::de::IgnoredAny>, action_names: Vec<String>, resource_arns? Vec<String>,
        resource_policy? String, resource_owner? String, caller_arn? String, context_entries? Vec<ContextEntry>,
        resource_handling_option? String, max_items? i64, marker? String
    }
    request SimulatePrincipalPolicyRequest {
        policy_source_arn: String, policy_input_list? Vec<String>, permissions_boundary_policy_input_list? Vec<String>,
        policy_exclusion_list? Vec<PolicyIdentifier>, action_names: Vec<String>, resource_arns? Vec<String>,
        resource_policy? String, resource_owner? String, caller_arn? String, context_entries? Vec<ContextEntry>,
        resource_handling_option? String, max_items? i64, marker? String
    }
    shape SimulatePolicyResponse { evaluation_results: Vec<EvaluationResult>, is_truncated: bool, marker? String }
    shape EvaluationResult {
        eval_action_name: String, eval_resource_name: String, eval_decision: String, matched_statements: Vec<Statement>,
        missing_context_values: Vec<String>, permissions_boundary_decision_detail? PermissionsBoundaryDecisionDetail,
        eval_decision_details? BTreeMap<String, String>, resource_specific_results? Vec<ResourceSpecificResult>
    }
    shape ResourceSpecificResult {
        eval_resource_name: String, eval_resource_decision: String, matched_statements: Vec<Statement>,
        missing_context_values: Vec<String>, eval_decision_details? BTreeMap<String, String>,
        permissions_boundary_decision_detail? PermissionsBoundaryDecisionDetail
    }
    shape Statement { source_policy_id: String, source_policy_type: String, start_position: Position, end_position: Position }
    shape Position { line: usize, column: usize }
    shape PermissionsBoundaryDecisionDetail { allowed_by_permissions_boundary: bool }
}

/// `ContextEntry` of the service model.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContextEntry {
    /// `ContextKeyName`
    pub context_key_name: Option<String>,
    /// `ContextKeyValues`
    pub context_key_values: Option<Vec<String>>,
    /// `ContextKeyType`
    pub context_key_type: Option<String>,
}

/// What both requests have.
#[derive(Default)]
struct Stage {
    boundary: Option<Vec<String>>,
    actions: Vec<String>,
    resources: Option<Vec<String>>,
    resource_policy: Option<String>,
    resource_owner: Option<String>,
    entries: Option<Vec<ContextEntry>>,
    handling: Option<String>,
}

/// Everything that is simulated.
struct Play {
    cast: Cast,
    principal: Principal,
    actions: Vec<String>,
    /// `None`: all, `*`.
    resources: Option<Vec<String>>,
    resource: Option<Source>,
    owner: Option<AccountId>,
    given: ContextMap,
}

impl Play {
    fn new(mut cast: Cast, stage: Stage) -> Result<Self, Error> {
        if let Some(boundaries) = &stage.boundary {
            if boundaries.len() > 1 {
                return Err(invalid("Only one permissions boundary can be simulated."));
            }
            cast.boundary = given("PermissionsBoundaryPolicyInputList", boundaries)?.pop();
        }
        if let Some(action) = stage.actions.iter().find(|action| !is_action(action)) {
            return Err(invalid(format!("Invalid action name: {action}")));
        }
        let resources = stage.resources.as_ref().map_or(1, |resources| resources.len().max(1));
        if stage.actions.len().saturating_mul(resources) > MAX_SIMULATIONS {
            return Err(invalid(format!(
                "At most {MAX_SIMULATIONS} pairs of an action and a resource can be simulated at once."
            )));
        }
        if stage.handling.is_some() {
            return Err(invalid("ResourceHandlingOption is for actions of EC2, which is not here."));
        }
        let kind = kind_of_resource_policy(stage.actions.first().map_or("", String::as_str));
        let resource = stage.resource_policy.map(|text| source("ResourcePolicy", &text, kind)).transpose()?;
        let owner = stage.resource_owner.as_deref().map(owner).transpose()?;
        let principal = cast.principal();
        let given = context(stage.entries.as_deref().unwrap_or_default())?;
        Ok(Self { cast, principal, actions: stage.actions, resources: stage.resources, resource, owner, given })
    }

    fn answer(&self, marker: Option<&str>, max_items: Option<i64>) -> Result<SimulatePolicyResponse, Error> {
        let all = [String::from("*")];
        let resources = self.resources.as_deref().filter(|resources| !resources.is_empty()).unwrap_or(&all);
        let pairs = self.actions.iter().flat_map(|action| resources.iter().map(move |resource| (action, resource)));
        let page = Paging::new(marker, max_items)?.in_order(pairs.collect());
        let page = page.map(|(action, resource)| self.result(action, resource));
        let is_truncated = page.is_truncated();
        Ok(SimulatePolicyResponse { evaluation_results: page.items, is_truncated, marker: page.marker })
    }

    fn result(&self, action: &str, resource: &str) -> EvaluationResult {
        let owner = owner_in(resource).or(self.owner);
        let caller = self.cast.somebody.then_some(&self.principal);
        let account = owner.or_else(|| caller.map(|caller| caller.account));
        let keys = Keys { given: &self.given, caller, owner: account };
        let question = Question { principal: &self.principal, action, resource, owner, context: &keys };
        // Policies of resources are looked at only if the request gives one.
        let (policy, rule) = match &self.resource {
            Some(source) => (Some(&*source.document), rule(action)),
            None => (None, Rule::Either),
        };
        let simulation = policy::simulate(&question, policy, rule);
        let eval_decision = match &simulation.outcome {
            Ok(_) => "allowed",
            Err(refused) if refused.explicit() => "explicitDeny",
            Err(_) => "implicitDeny",
        };
        let matched = match eval_decision {
            "implicitDeny" => Vec::new(),
            _ => self.matched(&simulation),
        };
        let missing: Vec<String> = simulation.missing.iter().cloned().collect();
        let boundary = simulation.verdict(By::Boundary).map(|verdict| PermissionsBoundaryDecisionDetail {
            allowed_by_permissions_boundary: matches!(verdict, Verdict::Allow(_)),
        });
        let crossing = owner.is_some_and(|owner| owner != self.principal.account);
        let specific = self.resources.as_ref().filter(|resources| !resources.is_empty()).map(|_| {
            vec![ResourceSpecificResult {
                eval_resource_name: resource.to_owned(),
                eval_resource_decision: eval_decision.to_owned(),
                matched_statements: matched.clone(),
                missing_context_values: missing.clone(),
                eval_decision_details: Some(details(&simulation, crossing)),
                permissions_boundary_decision_detail: boundary.clone(),
            }]
        });
        EvaluationResult {
            eval_action_name: action.to_owned(),
            eval_resource_name: resource.to_owned(),
            eval_decision: eval_decision.to_owned(),
            matched_statements: matched,
            // "If you include a list of resources, then any missing context values are instead included under the
            // ResourceSpecificResults section."
            missing_context_values: if specific.is_some() { Vec::new() } else { missing },
            permissions_boundary_decision_detail: boundary,
            eval_decision_details: specific.as_ref().map(|_| details(&simulation, crossing)),
            resource_specific_results: specific,
        }
    }

    fn matched(&self, simulation: &Simulation<'_>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for matched in &simulation.matched {
            let (source, kind) = match matched.by {
                By::Identity => (self.cast.identity.get(matched.policy), "IAM Policy"),
                By::Boundary => (self.cast.boundary.as_ref(), "Permissions Boundary Policy"),
                By::Resource | By::Trust => (self.resource.as_ref(), "Resource Policy"),
                By::Session => continue,
            };
            let Some(source) = source else { continue };
            let Some(span) = policy::statement_spans(&source.text).into_iter().nth(matched.statement) else { continue };
            let position = |at: policy::Position| Position { line: at.line, column: at.column };
            statements.push(Statement {
                source_policy_id: source.id.clone(),
                source_policy_type: kind.to_owned(),
                start_position: position(span.start),
                end_position: position(span.end),
            });
        }
        statements
    }
}

/// What each kind of policy says, where two accounts have to allow; within one account the map is there and empty.
fn details(simulation: &Simulation<'_>, crossing: bool) -> BTreeMap<String, String> {
    let named = |(by, verdict): &(By, Verdict)| {
        let name = match by {
            By::Identity => "IAM Policy",
            By::Boundary => "Permissions Boundary Policy",
            By::Resource | By::Trust => "Resource Policy",
            By::Session => return None,
        };
        let verdict = match verdict {
            Verdict::Allow(_) => "allowed",
            Verdict::ExplicitDeny => "explicitDeny",
            Verdict::ImplicitDeny => "implicitDeny",
        };
        Some((name.to_owned(), verdict.to_owned()))
    };
    if crossing { simulation.verdicts.iter().filter_map(named).collect() } else { BTreeMap::new() }
}

/// Policies of a request, each named by its list and its place there, from 1.
pub(super) fn given(list: &str, texts: &[String]) -> Result<Vec<Source>, Error> {
    let number =
        |(index, text): (usize, &String)| source(&format!("{list}.{}", index + 1), text, policy::Kind::Identity);
    texts.iter().enumerate().map(number).collect()
}

fn source(id: &str, text: &str, kind: policy::Kind) -> Result<Source, Error> {
    let document = Document::parse(text, kind).map_err(|malformed| invalid(format!("{id}: {malformed}")))?;
    Ok(Source { id: id.to_owned(), origin: Origin::Given, text: text.to_owned(), document: Arc::new(document) })
}

/// Whether a text is an action's whole name.
fn is_action(text: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    text.split_once(':').is_some_and(|(service, name)| part(service) && part(name))
}

/// `ResourceOwner`: an account's id or root ARN.
fn owner(text: &str) -> Result<AccountId, Error> {
    let digits = text.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root")).unwrap_or(text);
    AccountId::parse(digits).map_err(|_| invalid(format!("Invalid ResourceOwner: {text}")))
}

/// The account that an ARN says.
fn owner_in(arn: &str) -> Option<AccountId> {
    arn.strip_prefix("arn:")?.split(':').nth(3).and_then(|account| AccountId::parse(account).ok())
}

fn context(entries: &[ContextEntry]) -> Result<ContextMap, Error> {
    let mut keys = ContextMap::new();
    for ContextEntry { context_key_name, context_key_values, context_key_type } in entries {
        let (Some(name), Some(values)) = (context_key_name, context_key_values) else {
            return Err(invalid("A context entry needs a name and values."));
        };
        let many = context_key_type.as_deref().is_some_and(|kind| kind.ends_with("List"));
        keys = match values.as_slice() {
            [one] if !many => keys.with(name, one),
            values => keys.with_many(name, values),
        };
    }
    Ok(keys)
}

impl Operation for SimulateCustomPolicyRequest {
    const NAME: &'static str = "SimulateCustomPolicy";
    type Response = SimulatePolicyResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:SimulateCustomPolicy", "*")])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<SimulatePolicyResponse, Error> {
        if self.ordered_organization_policy_input_list.is_some_and(|list| !list.is_empty()) {
            return Err(invalid("There are no organizations here, and no service control policies."));
        }
        let (principal, somebody) = match &self.caller_arn {
            Some(arn) => (identity.caller(arn).await?, true),
            None if self.resource_policy.is_some() => {
                return Err(invalid("CallerArn is required if a resource-based policy is simulated."));
            }
            None => (nobody(by.account()), false),
        };
        let cast =
            Cast { principal, somebody, identity: given("PolicyInputList", &self.policy_input_list)?, boundary: None };
        let stage = Stage {
            boundary: self.permissions_boundary_policy_input_list,
            actions: self.action_names,
            resources: self.resource_arns,
            resource_policy: self.resource_policy,
            resource_owner: self.resource_owner,
            entries: self.context_entries,
            handling: self.resource_handling_option,
        };
        Play::new(cast, stage)?.answer(self.marker.as_deref(), self.max_items)
    }
}

impl Operation for SimulatePrincipalPolicyRequest {
    const NAME: &'static str = "SimulatePrincipalPolicy";
    type Response = SimulatePolicyResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:SimulatePrincipalPolicy", &self.policy_source_arn)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<SimulatePolicyResponse, Error> {
        let mut cast = identity.own_cast(by, &self.policy_source_arn).await?;
        exclude(&mut cast, self.policy_exclusion_list.as_deref().unwrap_or_default())?;
        if let Some(arn) = &self.caller_arn {
            (cast.principal, cast.somebody) = (identity.caller(arn).await?, true);
        } else if self.resource_policy.is_some() && !cast.somebody {
            return Err(invalid("CallerArn is required if a resource-based policy is simulated for a group."));
        }
        cast.identity.extend(given("PolicyInputList", self.policy_input_list.as_deref().unwrap_or_default())?);
        let stage = Stage {
            boundary: self.permissions_boundary_policy_input_list,
            actions: self.action_names,
            resources: self.resource_arns,
            resource_policy: self.resource_policy,
            resource_owner: self.resource_owner,
            entries: self.context_entries,
            handling: self.resource_handling_option,
        };
        Play::new(cast, stage)?.answer(self.marker.as_deref(), self.max_items)
    }
}

impl Identity {
    /// A user, group or role of the caller's account, with its policies.
    pub(super) async fn own_cast(&self, by: &Allowed, arn: &str) -> Result<Cast, Error> {
        match crate::rows::parse_arn(arn) {
            Some((account, _, name)) if account != by.account() => {
                Err(Error::NoSuchEntity(format!("The entity with name {name} cannot be found.")))
            }
            _ => self.cast(arn).await,
        }
    }
}
