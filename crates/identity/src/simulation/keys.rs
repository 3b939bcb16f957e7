//! The condition keys of a simulated request: those that the request for the simulation gives, and those that follow from the
//! simulated caller. Circumstances of the request for the simulation are none of its keys.

use policy::{AccountId, Context, ContextMap, GlobalContext, Principal, Value};

/// Condition keys of a simulation.
#[derive(Clone, Copy)]
pub(crate) struct Keys<'a> {
    /// They go before what follows from the caller.
    pub(crate) given: &'a ContextMap,
    /// `None`: nobody in particular.
    pub(crate) caller: Option<&'a Principal>,
    /// `aws:ResourceAccount`
    pub(crate) owner: Option<AccountId>,
}

impl Context for Keys<'_> {
    fn value(&self, key: &str) -> Option<Value<'_>> {
        if let Some(given) = self.given.value(key) {
            return Some(given);
        }
        if key == "kms:calleraccount" {
            return self.caller.map(|caller| Value::from(caller.account.to_string()));
        }
        match key.strip_prefix("aws:")? {
            "resourceaccount" => self.owner.map(|owner| Value::from(owner.to_string())),
            name if name.starts_with("principal") || matches!(name, "userid" | "username") => {
                let global = GlobalContext {
                    principal: self.caller?,
                    facts: None,
                    region: "",
                    resource_account: None,
                    via_service: None,
                    service: &(),
                };
                // What it borrows outlives it, but its type cannot say so.
                global.value(key).map(owned)
            }
            _ => None,
        }
    }
}

fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::One(one) => Value::from(one.into_owned()),
        Value::Many(many) => Value::Many(many.into_iter().map(|one| one.into_owned().into()).collect()),
    }
}
