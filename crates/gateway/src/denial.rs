//! Why a request was denied, for whoever may know it: the message of the header `x-strongroom-authorization-message`, which
//! DecodeAuthorizationMessage opens. Sent to callers of the account that owns the resource.

use std::cell::RefCell;
use std::future::Future;

use http::{HeaderName, HeaderValue};
use identity::sts::{Denial, encode_denial};
use keys::RecordSealer;
use policy::{AccountId, Context, Question, Refused};

use crate::response::Response;

const MESSAGE: HeaderName = HeaderName::from_static("x-strongroom-authorization-message");

/// A denial's JSON, and whose it is.
type Told = (AccountId, String);

tokio::task_local! {
    /// The last denial of the request that runs. Some are no answer: whether a key may be used decides how an object is encrypted.
    static LAST: RefCell<Option<Told>>;
}

/// Runs a request's work, and gives the last denial that it came to.
pub(crate) async fn listen<T>(work: impl Future<Output = T>) -> (T, Option<Told>) {
    LAST.scope(RefCell::default(), async {
        let answer = work.await;
        (answer, LAST.with(RefCell::take))
    })
    .await
}

/// Remembers a denial, if the caller is of the account that owns the resource.
pub(crate) fn note(question: &Question<'_>, refused: &Refused, context: &dyn Context) {
    let Question { principal, action, resource, owner, .. } = *question;
    let account = principal.account;
    if account == AccountId::NOBODY || owner.is_some_and(|owner| owner != account) {
        return;
    }
    let statement = refused.statement.as_ref();
    let denied_by = statement.map(|denying| (denying.source.as_str(), denying.sid.as_deref().unwrap_or_default()));
    let json = Denial { principal, action, resource, denied_by, context }.to_json();
    // Nobody listens outside of requests: tests call the decision itself.
    let _ = LAST.try_with(|last| last.replace(Some((account, json))));
}

/// Lets the answer to a denied request tell why.
pub(crate) fn tell(response: &mut Response, told: Option<Told>, sealer: &RecordSealer) {
    let Some((account, json)) = told.filter(|_| response.status == http::StatusCode::FORBIDDEN) else { return };
    let message = encode_denial(sealer, account, &json);
    if let Some(value) = message.and_then(|message| HeaderValue::from_str(&message).ok()) {
        response.set(MESSAGE, value);
    }
}
