//! A policy document.

use std::collections::{BTreeSet, HashSet};

use crate::MAX_DOCUMENT;
use crate::error::Malformed;
use crate::json::Json;
use crate::principal::NamedPrincipal;
use crate::statement::Statement;
use crate::template::Variables;

/// What a document is attached to, which decides what its statements must and must not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A policy of a user, group, role or session, or a permissions boundary: no principal.
    Identity,
    /// A key policy: principals. A statement without actions or without resources is valid and has no effect (KMS API reference,
    /// PutKeyPolicy).
    Key,
    /// A bucket policy: principals, actions and resources.
    Bucket,
    /// The trust policy of a role: principals and actions, no resources.
    Trust,
}

/// A policy document, parsed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    kind: Kind,
    id: Option<String>,
    statements: Vec<Statement>,
    /// Its condition keys, in lower case.
    keys: Box<[String]>,
}

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// [`Malformed`], for whatever the grammar does not have.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        if text.len() > MAX_DOCUMENT {
            return Err(Malformed::TooLong);
        }
        let json = Json::parse(text).map_err(Malformed::Syntax)?;
        let members = json.as_object().ok_or_else(|| Malformed::syntax("a policy must be an object"))?;
        let (mut version, mut id, mut statement) = (None, None, None);
        for (name, value) in members {
            match name.as_str() {
                "Version" => version = Some(value),
                "Id" => id = Some(value.as_text().ok_or_else(|| Malformed::syntax("Id must be text"))?.to_owned()),
                "Statement" => statement = Some(value),
                _ => return Err(Malformed::syntax(format!("a policy has no element {name}"))),
            }
        }
        let variables = match version.map(Json::as_text) {
            None | Some(Some("2008-10-17")) => Variables::Literal,
            Some(Some("2012-10-17")) => Variables::Known,
            Some(_) => return Err(Malformed::Version),
        };
        let elements = statement.ok_or(Malformed::Missing("Statement"))?.one_or_many();
        if elements.is_empty() {
            return Err(Malformed::syntax("a policy has at least one statement"));
        }
        let statements = elements.iter().map(|element| Statement::parse(element, kind, variables));
        let statements = statements.collect::<Result<Vec<_>, _>>()?;
        let mut sids = HashSet::new();
        if !statements.iter().filter_map(Statement::sid).all(|sid| sids.insert(sid)) {
            return Err(Malformed::DuplicateSid);
        }
        let keys: BTreeSet<_> = statements.iter().flat_map(Statement::context_keys).map(str::to_lowercase).collect();
        Ok(Self { kind, id, statements, keys: keys.into_iter().collect() })
    }

    /// What it is attached to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `Id`.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The statements, in their order.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Whether a bucket policy is public: whether any of its statements is.
    pub fn is_public(&self) -> bool {
        self.statements.iter().any(Statement::is_public)
    }

    /// The condition keys that it refers to, in conditions and as variables: each once, in the spelling and order in which they first
    /// come.
    pub fn context_keys(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        let keys = self.statements.iter().flat_map(Statement::context_keys);
        keys.filter(|key| seen.insert(key.to_ascii_lowercase())).collect()
    }

    /// Whether it refers to a condition key that begins so; in lower case. For keys whose values are costly to get.
    pub fn mentions(&self, prefix: &str) -> bool {
        self.keys.iter().any(|key| key.starts_with(prefix))
    }

    /// Every principal that a statement names: services check that those of theirs exist.
    pub fn principals(&self) -> impl Iterator<Item = &NamedPrincipal> {
        self.statements.iter().flat_map(Statement::principals)
    }
}
