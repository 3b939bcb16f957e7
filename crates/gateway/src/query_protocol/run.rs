//! From a form to the answer of an operation of `identity`, past every decision that the operation asks for.

use std::pin::Pin;

use identity::sts::{self, Barred};
use identity::{Identity, Operation, Prepared, Subject};
use policy::{By, GlobalContext, Principal, PrincipalKind, Question, Rule, decide};

use super::{Api, Fault, Form, parse};
use crate::auth::Authenticated;
use crate::authorize::Denied;
use crate::denial;
use crate::request::{Request, RequestId};
use crate::response::Response;

/// An operation that this server has.
pub(crate) struct Built {
    /// Its name in the service model.
    pub(crate) name: &'static str,
    pub(crate) handler: Handler,
}

pub(crate) type Handler = for<'a> fn(Call<'a>) -> Answer<'a>;

pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send + 'a>>;

/// One call of an operation.
pub(crate) struct Call<'a> {
    api: &'static Api,
    operation: &'static model::Operation,
    identity: &'a Identity,
    caller: &'a Authenticated,
    form: &'a Form,
    id: RequestId,
}

/// Rows for operations of `identity`, in the order in which they stand: that of their names.
macro_rules! built {
    ($( $operation:ty ),+ $(,)?) => {
        &[ $( $crate::query_protocol::Built {
            name: <$operation as identity::Operation>::NAME,
            handler: |call| Box::pin($crate::query_protocol::run::<$operation>(call)),
        } ),+ ]
    };
}
pub(crate) use built;

impl Api {
    /// Answers an authenticated request whose whole body is `body`.
    pub(crate) async fn handle(
        &'static self,
        identity: &Identity,
        caller: &Authenticated,
        request: &Request,
        body: &[u8],
    ) -> Response {
        let id = request.id;
        let answer = async {
            let form = Form::read(request, body)?;
            let operation = self.operation(&form)?;
            let Some(built) = self.built(operation.name) else { return Ok(self.absent(operation, id)) };
            let call = Call { api: self, operation, identity, caller, form: &form, id };
            let mut response = (built.handler)(call).await.unwrap_or_else(|fault| self.error(&fault, id));
            response.operation = operation.name;
            Ok(response)
        };
        answer.await.unwrap_or_else(|fault: Fault| self.error(&fault, id))
    }

    /// The operation of this name, if it is built.
    pub(crate) fn built(&self, name: &str) -> Option<&'static Built> {
        self.built.binary_search_by(|built| built.name.cmp(name)).ok().map(|at| &self.built[at])
    }

    fn absent(&self, operation: &'static model::Operation, id: RequestId) -> Response {
        let mut response = self.error(&Fault::not_built(operation.name), id);
        response.operation = operation.name;
        response
    }
}

/// Carries out one operation: its request is read and checked, then every decision about it is made, then it runs.
///
/// # Errors
/// [`Fault`].
pub(crate) async fn run<O: Operation>(call: Call<'_>) -> Result<Response, Fault> {
    let Call { api, operation, identity, caller, form, id } = call;
    let request: O = parse(form)?;
    if sts::barred(caller.principal(), api.scope, operation.name) == Some(Barred::Iam) {
        return Err(Fault::new("InvalidClientTokenId", "The security token included in the request is invalid"));
    }
    let prepared = Prepared::new(identity, caller.shared_principal(), request).await?;
    let permitted = prepared.decide(|principal, subject| permit(caller, principal, subject))?;
    let answer = permitted.run(identity).await?;
    Ok(api.success(operation, &answer, id))
}

/// Whether `principal`, who is mostly the caller, may do what a subject says.
fn permit(caller: &Authenticated, principal: &Principal, subject: &Subject) -> Result<(), Fault> {
    let trust = subject.trust.as_ref();
    let owner = trust.map(|trust| trust.owner);
    let context = GlobalContext {
        principal,
        facts: Some(caller.facts()),
        region: caller.region(),
        resource_account: Some(owner.unwrap_or(principal.account)),
        via_service: None,
        service: &subject.context,
    };
    let question = Question { principal, action: subject.action, resource: &subject.arn, owner, context: &context };
    let rule = if trust.is_some() { Rule::ResourceMustAllow } else { Rule::Either };
    let policy = trust.and_then(|trust| trust.policy.as_deref());
    let Err(mut refused) = decide(&question, policy, rule) else { return Ok(()) };
    if policy.is_none() && refused.by == By::Resource {
        // A role that is not there refuses in the words of one that lets nobody in.
        refused.by = By::Trust;
    }
    if let PrincipalKind::WebIdentity { .. } = principal.kind {
        // Whom nobody knows yet is told nothing of the role.
        return Err(Fault::new("AccessDenied", format!("Not authorized to perform {}", subject.action)));
    }
    denial::note(&question, &refused, &context);
    let denied = Denied {
        principal: principal.arn.clone(),
        action: subject.action,
        resource: subject.arn.clone(),
        own: owner.is_none_or(|owner| owner == principal.account),
        refused: Box::new(refused),
    };
    Err(denied.into())
}
