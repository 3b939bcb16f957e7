//! Requests and shapes of the service models, in a line a member.

/// Declares structs of the service models, whose serde forms have the models' member names: `request` for an operation's request of
/// IAM, `shape` for what answers are made of. `name: Type` is always there, `name? Type` may be missing.
macro_rules! shapes {
    ($( $kind:ident $name:ident { $($body:tt)* } )+) => {
        $( $crate::operation::shapes::shapes!(@$kind $name { $($body)* }); )+
    };
    (@request $name:ident { $($body:tt)* }) => {
        $crate::operation::shapes::shapes!(@struct [derive(Clone, Default, serde::Deserialize)] $name { $($body)* });
        model::requests!(iam: $name);
    };
    (@shape $name:ident { $($body:tt)* }) => {
        $crate::operation::shapes::shapes!(@struct [derive(Clone, PartialEq, Eq, Debug, serde::Serialize)] $name { $($body)* });
    };
    (@struct [$derive:meta] $name:ident {
        $( $(#[$meta:meta])* $field:ident $(? $optional:ty)? $(: $type:ty)? ),* $(,)?
    }) => {
        #[doc = concat!("`", stringify!($name), "` of the service model.")]
        #[$derive]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $(
                #[doc = concat!("`", stringify!($field), "` of the service model.")]
                $(#[$meta])*
                $( #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$optional>, )?
                $( pub $field: $type, )?
            )*
        }
    };
}
pub(crate) use shapes;
