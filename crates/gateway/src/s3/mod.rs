//! S3 on the wire: REST-XML.

use crate::app::App;
use crate::auth::{Authenticated, Refusal};
use crate::query::QueryError;
use crate::request::Request;
use crate::response::Response;

/// Answers an authenticated request. The body may be left unread.
pub async fn handle(_app: &App, _caller: &Authenticated, _request: &mut Request) -> Response {
    todo!()
}

/// What a request that was not let in is answered.
pub fn refuse(_request: &Request, _refusal: &Refusal) -> Response {
    todo!()
}

/// What a request is answered whose query cannot be read.
pub fn bad_query(_request: &Request, _error: &QueryError) -> Response {
    todo!()
}
