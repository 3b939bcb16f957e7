//! STS on the wire: the query protocol, `Version=2011-06-15`. What the operations do, and what each asks of policies, is in `identity`.

mod operations;

use crate::query_protocol::Api;

/// AWS Security Token Service.
pub(crate) static STS: Api = Api {
    scope: "sts",
    version: "2011-06-15",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    operations: model::sts::OPERATIONS,
    built: operations::BUILT,
};

/// Every operation of the service model, and whether this server has it; sorted by name.
pub fn operations() -> impl Iterator<Item = (&'static str, bool)> {
    STS.operations.iter().map(|operation| (operation.name, STS.built(operation.name).is_some()))
}

/// Whether an operation is for whoever has no credentials yet (`"authtype": "none"` in the service model).
pub(crate) fn is_unsigned(operation: &str) -> bool {
    matches!(operation, "AssumeRoleWithSAML" | "AssumeRoleWithWebIdentity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_of_the_model() {
        let built: Vec<_> = operations().filter(|(_, built)| *built).map(|(name, _)| name).collect();
        assert_eq!(built.len(), operations::BUILT.len());
        assert!(operations::BUILT.is_sorted_by(|one, next| one.name < next.name));
        let absent: Vec<_> = operations().filter(|(_, built)| !*built).map(|(name, _)| name).collect();
        assert_eq!(absent, ["AssumeRoleWithSAML", "AssumeRoot", "GetDelegatedAccessToken", "GetWebIdentityToken"]);
    }
}
