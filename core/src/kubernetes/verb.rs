//! What a call does: its method, its content type, its verb in a Role.

/// What a call does: method, content type and RBAC's verb follow from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads one page of a list.
    List,
    /// Follows changes as a stream.
    Watch,
    /// Creates an object.
    Create,
    /// Replaces an object.
    Update,
    /// Patches, lists merged by their keys.
    StrategicMergePatch,
    /// Patches by operations, all or none.
    JsonPatch,
    /// Patches by RFC 7396: `null` removes.
    MergePatch,
    /// Deletes an object.
    Delete,
    /// Asks a pod through the API server.
    Proxy,
}

impl Verb {
    /// The HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    /// The verb that a Role must grant.
    pub fn rbac(self) -> &'static str {
        match self {
            Verb::Get | Verb::Proxy => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch => "patch",
            Verb::Delete => "delete",
        }
    }

    /// The body's content type, where there is a body.
    pub fn content_type(self) -> Option<&'static str> {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => None,
            Verb::Create | Verb::Update | Verb::Delete => Some("application/json"),
            Verb::MergePatch => Some("application/merge-patch+json"),
            Verb::StrategicMergePatch => Some("application/strategic-merge-patch+json"),
            Verb::JsonPatch => Some("application/json-patch+json"),
        }
    }

    /// Whether the call has a body, and is of the kind that changes the cluster.
    pub fn writes(self) -> bool {
        self.content_type().is_some()
    }
}
