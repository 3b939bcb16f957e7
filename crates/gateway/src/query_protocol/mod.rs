//! The AWS query protocol: a form in, XML out (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>). IAM and STS speak it.
//!
//! A request is `Action=CreateUser&Version=2010-05-08&UserName=alice`, as a posted form or as the query of a GET. Its members become
//! the JSON that `model::check` holds against the service model, and that the operation's request struct is read from; so the two
//! protocols differ at the edge alone. An answer is what serde makes of the response struct, in XML.

mod error;
mod form;
mod run;
mod xml;

use bytes::Bytes;
use http::StatusCode;
use model::{Operation, Request as Shaped};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::record;
use crate::request::RequestId;
use crate::response::Response;

pub(crate) use error::Fault;
pub(crate) use form::Form;
pub(crate) use run::{Built, built, run};

/// The media type of answers.
const MEDIA_TYPE: &str = "text/xml";

/// Bytes of an answer with a secret in it: credentials of a session, whose token is the longest (8 KiB), or the seed of an MFA device
/// with its picture.
const ROOM: usize = 16 * 1024;

/// A service that speaks the query protocol.
pub(crate) struct Api {
    /// Its name in credential scopes, and what its actions begin with in policies.
    pub(crate) scope: &'static str,
    /// The `Version` that requests name: the date of the service model.
    pub(crate) version: &'static str,
    /// The namespace of its documents.
    pub(crate) namespace: &'static str,
    /// Every operation of the model, sorted by name.
    pub(crate) operations: &'static [Operation],
    /// Those of them that this server has, sorted by name.
    pub(crate) built: &'static [Built],
}

impl Api {
    /// The operation that a form asks for, if its version is this service's. Names are case-sensitive.
    ///
    /// # Errors
    /// `InvalidAction`.
    pub(crate) fn operation(&self, form: &Form) -> Result<&'static Operation, Fault> {
        let named = form.action().filter(|_| form.version() == Some(self.version));
        let at = named.and_then(|name| self.operations.binary_search_by(|operation| operation.name.cmp(name)).ok());
        at.map(|at| &self.operations[at]).ok_or_else(|| Fault::unknown_action(form))
    }

    /// The answer of an operation that succeeded. One that the model knows no answer of has no result element.
    pub(crate) fn success(&self, operation: &'static Operation, answer: &impl Serialize, id: RequestId) -> Response {
        let name = operation.name;
        // What is answered may be a secret: it is written without growing, mostly, and wiped when it was sent.
        let mut text = Zeroizing::new(String::with_capacity(ROOM));
        text.push_str(&format!("<{name}Response xmlns=\"{}\">", self.namespace));
        if operation.answers {
            xml::element(&mut text, &format!("{name}Result"), answer);
        }
        text.push_str(&format!("<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{name}Response>"));
        let mut response = Response::full(StatusCode::OK, MEDIA_TYPE, Bytes::from_owner(text));
        response.operation = name;
        response.told = record::told(name, answer);
        response
    }

    /// The answer that tells of a fault.
    pub(crate) fn error(&self, fault: &Fault, id: RequestId) -> Response {
        fault.response(self.namespace, id)
    }
}

/// An operation's request out of a form.
///
/// # Errors
/// See [`model::Error`]; [`Fault`] says what AWS answers to each.
pub(crate) fn parse<R: Shaped + DeserializeOwned>(form: &Form) -> Result<R, model::Error> {
    let json = model::form::to_json(R::shape(), form.members())?;
    let checked = model::check(R::shape(), json.as_bytes())?;
    // What the model lets pass and a request cannot hold. AWS gives no text.
    serde_json::from_str(checked).map_err(|_| model::Error::Serialization(String::new()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::iam::IAM;
    use crate::response::ResponseBody;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct CreateUserRequest {
        user_name: String,
        path: Option<String>,
        #[serde(default)]
        tags: Vec<Tag>,
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct Tag {
        key: String,
        value: String,
    }

    model::requests!(iam: CreateUserRequest);

    fn form(text: &str) -> Form {
        Form::parse("", text.as_bytes()).unwrap()
    }

    fn text(response: Response) -> String {
        let ResponseBody::Full(body) = response.body else { panic!("a body") };
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[test]
    fn a_form_becomes_a_request() {
        let form =
            form("Action=CreateUser&Version=2010-05-08&UserName=a%40b&Tags.member.1.Key=k+x&Tags.member.1.Value=");
        assert_eq!(IAM.operation(&form).map(|operation| operation.name), Ok("CreateUser"));
        let tags = vec![Tag { key: "k x".into(), value: String::new() }];
        assert_eq!(parse(&form), Ok(CreateUserRequest { user_name: "a@b".into(), path: None, tags }));
    }

    #[test]
    fn the_action_is_the_version_s() {
        for (text, message) in [
            ("Action=CreateUser&Version=2011-06-15", "Could not find operation CreateUser for version 2011-06-15"),
            ("Action=CreateUser", "Could not find operation CreateUser for version NO_VERSION_SPECIFIED"),
            ("Action=createUser&Version=2010-05-08", "Could not find operation createUser for version 2010-05-08"),
            ("Version=2010-05-08", "Could not find operation NO_ACTION_SPECIFIED for version 2010-05-08"),
        ] {
            let fault = IAM.operation(&form(text)).err().unwrap();
            assert_eq!((fault.code(), fault.message()), ("InvalidAction", message));
        }
    }

    #[test]
    fn answers_are_documents_of_the_services_namespace() {
        let id = RequestId::next();
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            user_name: &'static str,
        }
        let named = |name| IAM.operations.iter().find(|operation| operation.name == name).unwrap();
        assert_eq!(
            text(IAM.success(named("GetUser"), &Answer { user_name: "a<b" }, id)),
            format!(
                "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult><UserName>a&lt;b</UserName>\
                 </GetUserResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></GetUserResponse>"
            )
        );
        assert_eq!(
            text(IAM.success(named("DeleteUser"), &(), id)),
            format!(
                "<DeleteUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata><RequestId>{id}\
                 </RequestId></ResponseMetadata></DeleteUserResponse>"
            )
        );
        assert_eq!(
            text(IAM.error(&Fault::new("NoSuchEntity", "no \"a & b\""), id)),
            format!(
                "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity\
                 </Code><Message>no \"a &amp; b\"</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
            )
        );
    }
}
