//! What a call does: its HTTP method, its content type and its verb in a Role.

/// What a call does: HTTP method, content type and RBAC verb follow from it.
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
    /// Patches by merging lists by their keys.
    StrategicMergePatch,
    /// Patches by operations, all or none of them.
    JsonPatch,
    /// Patches by RFC 7396: `null` removes a field.
    MergePatch,
    /// Creates an object, or patches it as far as its manifest says (server-side apply).
    Apply,
    /// Deletes an object.
    Delete,
    /// Sends a request to a pod through the API server.
    Proxy,
}

impl Verb {
    /// The HTTP method.
    pub fn method(self) -> &'static str {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch | Verb::Apply => "PATCH",
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
            Verb::StrategicMergePatch | Verb::JsonPatch | Verb::MergePatch | Verb::Apply => "patch",
            Verb::Delete => "delete",
        }
    }

    /// The content type of the body, if there is one.
    pub fn content_type(self) -> Option<&'static str> {
        match self {
            Verb::Get | Verb::List | Verb::Watch | Verb::Proxy => None,
            Verb::Create | Verb::Update | Verb::Delete => Some("application/json"),
            Verb::MergePatch => Some("application/merge-patch+json"),
            Verb::StrategicMergePatch => Some("application/strategic-merge-patch+json"),
            Verb::JsonPatch => Some("application/json-patch+json"),
            Verb::Apply => Some("application/apply-patch+yaml"),
        }
    }

    /// Whether the call has a body and can change the cluster.
    pub fn writes(self) -> bool {
        self.content_type().is_some()
    }
}
