//! A request as policies see it.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Who asks, what, on which resource, under which circumstances.
#[derive(Clone, Copy)]
pub struct RequestContext<'a> {
    /// Who asks. Identity policies do not look at it: whose they are is settled before.
    pub caller: Caller<'a>,
    /// The action, `service:Name`; letters match in either case.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action that has none.
    pub resource: &'a str,
    /// The condition keys of the request.
    pub context: &'a dyn Context,
}

/// Who asks, by all the names that a `Principal` element may call it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller<'a> {
    /// Nobody who said who it is.
    Anonymous,
    /// A principal of an account.
    Aws {
        /// The account's twelve digits.
        account: &'a str,
        /// The principal's own names, outermost first: a user's ARN and unique id; a role's ARN and id, then its session's ARN.
        /// A root user has no other name than its account's root ARN, which may stand here or not.
        names: &'a [&'a str],
        /// The account's canonical user id, which S3 knows.
        canonical_user: Option<&'a str>,
    },
    /// A service of AWS, by its service principals.
    Service(&'a [&'a str]),
    /// A user of an identity provider: the provider's ARN or host name.
    Federated(&'a str),
}

/// The condition keys of a request.
pub trait Context {
    /// The value of a condition key; `key` is in lower case, for names of condition keys have no case. `None`: the request has no
    /// such key.
    fn value(&self, key: &str) -> Option<Value<'_>>;
}

/// The value of a condition key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// Of a key that has at most one value.
    One(Cow<'a, str>),
    /// Of a key that may have several. An empty list is the same as no key.
    Many(Vec<Cow<'a, str>>),
}

impl Value<'_> {
    pub(crate) fn as_slice(&self) -> &[Cow<'_, str>] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::One(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::One(Cow::Owned(value))
    }
}

/// Condition keys in a map.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ContextMap(BTreeMap<String, Value<'static>>);

impl ContextMap {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a key of one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.insert(key.to_ascii_lowercase(), Value::One(Cow::Owned(value.into())));
        self
    }

    /// With a key that may have several values.
    #[must_use]
    pub fn with_many<T: Into<String>>(mut self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(|value| Cow::Owned(value.into())).collect();
        self.0.insert(key.to_ascii_lowercase(), Value::Many(values));
        self
    }
}

impl Context for ContextMap {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        let borrow = |value: &'_ Cow<'static, str>| Cow::Owned(value.as_ref().to_owned());
        Some(match self.0.get(key)? {
            Value::One(one) => Value::One(Cow::Borrowed(one)),
            Value::Many(many) => Value::Many(many.iter().map(borrow).collect()),
        })
    }
}
