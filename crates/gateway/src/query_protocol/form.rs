//! The members of a request, wherever they stand: in the posted form, in the query, or in both.

use http::Method;
use model::form::MEMBER_LIMIT;

use super::Fault;
use crate::query::well_formed;
use crate::request::Request;

/// Decoded members in the order sent, those of the query first.
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads a request whose whole body is `body`.
    ///
    /// # Errors
    /// `MalformedInput` for what is no form, `MalformedQueryString` for what is no query; `InvalidAction` for another method than
    /// GET and POST, or another path than `/`, which no operation has.
    pub(crate) fn read(request: &Request, body: &[u8]) -> Result<Form, Fault> {
        let body = if request.method == Method::POST { body } else { b"" };
        if (request.method != Method::POST && request.method != Method::GET) || request.path() != "/" {
            return Err(Fault::unknown_action(&Form { pairs: vec![] }));
        }
        Form::parse(request.raw_query(), body)
    }

    pub(super) fn parse(query: &str, body: &[u8]) -> Result<Form, Fault> {
        let body = std::str::from_utf8(body).map_err(|_| Fault::malformed(""))?;
        let mut form = Form { pairs: Vec::new() };
        // What belongs to the signature is no member.
        form.take(query, |name| !name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("X-Amz-")))
            .ok_or_else(|| Fault::new("MalformedQueryString", "The query string contains a syntax error"))?;
        // Some clients end the form with a line break.
        form.take(body.trim_ascii_end(), |_| true).ok_or_else(|| Fault::malformed(""))?;
        for name in [ACTION, VERSION] {
            if form.pairs.iter().filter(|(other, _)| other == name).count() > 1 {
                return Err(Fault::malformed("Duplicate field"));
            }
        }
        Ok(form)
    }

    /// Appends the pairs of an encoded text; `None` if it is not well formed, or more than a form may have.
    fn take(&mut self, text: &str, wanted: fn(&str) -> bool) -> Option<()> {
        if !well_formed(text) {
            return None;
        }
        for (name, value) in sigv4::query_pairs(text) {
            let name = String::from_utf8(name.into_owned()).ok()?;
            if wanted(&name) {
                (self.pairs.len() < MEMBER_LIMIT).then_some(())?;
                self.pairs.push((name, String::from_utf8(value.into_owned()).ok()?));
            }
        }
        Some(())
    }

    /// The operation's name.
    pub(crate) fn action(&self) -> Option<&str> {
        self.value(ACTION)
    }

    /// The service model's date.
    pub(crate) fn version(&self) -> Option<&str> {
        self.value(VERSION)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// All members, those of the protocol too.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

const ACTION: &str = "Action";
const VERSION: &str = "Version";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn members(query: &str, body: &str) -> Vec<(String, String)> {
        Form::parse(query, body.as_bytes()).unwrap().pairs
    }

    fn code(query: &str, body: &[u8]) -> &'static str {
        Form::parse(query, body).err().unwrap().code()
    }

    #[test]
    fn members_stand_in_the_query_or_the_form() {
        let wanted = [("Action".to_owned(), "GetUser".to_owned()), ("UserName".to_owned(), "a b".to_owned())];
        assert_eq!(members("Action=GetUser", "UserName=a+b"), wanted);
        assert_eq!(members("Action=GetUser&UserName=a%20b&X-Amz-Date=1&x-amz-Signature=2", ""), wanted);
        assert_eq!(members("", "Action=GetUser&UserName=a%20b\n"), wanted);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert_eq!(code("a=%zz", b""), "MalformedQueryString");
        for body in [&b"a=%zz"[..], b"a=%ff", b"\xff", b"Action=a&Action=a"] {
            assert_eq!(code("", body), "MalformedInput");
        }
        assert_eq!(code("Version=1", b"Version=1"), "MalformedInput");
        assert_eq!(code("", "a&".repeat(MEMBER_LIMIT + 1).as_bytes()), "MalformedInput");
    }
}
