//! The condition keys of a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

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

    /// With the keys of another that it does not have.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        for (key, value) in &other.0 {
            self.0.entry(key.clone()).or_insert_with(|| value.clone());
        }
        self
    }
}

/// Keys and values; a key that is there several times has several values.
impl FromIterator<(String, String)> for ContextMap {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let mut map = BTreeMap::<String, Vec<String>>::new();
        for (key, value) in pairs {
            map.entry(key).or_default().push(value);
        }
        map.into_iter().fold(Self::new(), |keys, (key, mut values)| match (values.pop(), values.is_empty()) {
            (Some(one), true) => keys.with(&key, one),
            (last, _) => keys.with_many(&key, values.into_iter().chain(last)),
        })
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
