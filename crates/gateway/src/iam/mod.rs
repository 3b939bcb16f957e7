//! IAM on the wire: the query protocol, `Version=2010-05-08`. What the operations do, and what each asks of policies, is in `identity`.

mod operations;

use crate::query_protocol::Api;

/// AWS Identity and Access Management.
pub(crate) static IAM: Api = Api {
    scope: "iam",
    version: "2010-05-08",
    namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
    operations: model::iam::OPERATIONS,
    built: operations::BUILT,
};

/// Every operation of the service model, and whether this server has it; sorted by name.
pub fn operations() -> impl Iterator<Item = (&'static str, bool)> {
    IAM.operations.iter().map(|operation| (operation.name, IAM.built(operation.name).is_some()))
}
