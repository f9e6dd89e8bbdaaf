//! Who sends a request, and the permissions.

use crate::world::api::call::Call;
use crate::world::api::message::{Answer, Request, answer};
use crate::world::api::status;
use crate::world::identity::Identity;
use crate::world::object::map_mut;
use crate::world::selector::Fields;
use crate::world::state::{Issued, World};
use serde_json::Value;

/// The group to which `deploy/*.yaml` bind their Roles, beside the ServiceAccount.
const GROUP: &str = "landfall";

impl World {
    /// Whose credential a request has; none where it is not accepted.
    pub(crate) fn authenticate(&self, request: &Request) -> Option<Identity> {
        if let Some(holder) = &request.certificate {
            return Some(holder.clone());
        }
        let token = request.authorization.as_deref()?.strip_prefix("Bearer ")?;
        let good = |issued: &Issued| issued.token == token && issued.until > self.clock;
        if token == self.token || self.issued.iter().any(good) {
            return Some(Identity::of(&self.user));
        }
        let iam = self.iam.as_ref()?;
        let verified = iam.keys.verify(token, &iam.cluster, self.clock);
        let principal = verified.ok()?;
        Some(Identity {
            user: principal.arn(),
            groups: iam.entries.get(&principal.role)?.clone(),
        })
    }

    /// Whether the caller is one of those to whom the Roles are bound.
    fn is_bound(&self) -> bool {
        self.caller.user == self.user || self.caller.groups.iter().any(|group| group == GROUP)
    }

    pub(crate) fn check_access(&self, method: &str, call: &Call<'_>) -> Result<(), Answer> {
        let named = call.target.name.is_some();
        let verb = match (method, named) {
            ("GET", true) => "get",
            ("GET", false) if call.flag("watch") => "watch",
            ("GET", false) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", true) => "delete",
            ("DELETE", false) => "deletecollection",
            _ => return Err(status::method_not_allowed()),
        };
        let subresource = call.target.subresource.as_deref();
        if self.may(verb, call.target.kind.plural, subresource) {
            return Ok(());
        }
        let fields = call.ask("fieldSelector").unwrap_or_default();
        let fields = Fields::parse(call.target.kind.plural, fields).unwrap_or_default();
        let name = call.target.name.as_deref().or(fields.name());
        let name = name.unwrap_or_default();
        Err(status::forbidden(
            &self.caller.user,
            verb,
            &call.target,
            name,
        ))
    }

    pub(crate) fn may(&self, verb: &str, plural: &str, subresource: Option<&str>) -> bool {
        let resource = match subresource {
            Some(subresource) => format!("{plural}/{subresource}"),
            None => plural.to_owned(),
        };
        if !self.is_bound() {
            return false;
        }
        let verbs = [verb, "*"];
        let resources = [resource.as_str(), "*"];
        !verbs.iter().any(|verb| {
            let forbidden = |resource: &&str| {
                self.forbidden
                    .contains(&((*verb).to_owned(), (*resource).to_owned()))
            };
            resources.iter().any(forbidden)
        })
    }

    pub(crate) fn review_access(&self, request: &Request) -> Result<Answer, Answer> {
        let mut review: Value = serde_json::from_slice(&request.body)
            .map_err(|error| status::bad_request(error.to_string()))?;
        let wanted = review["spec"]["resourceAttributes"].clone();
        let text = |field: &str| wanted[field].as_str().unwrap_or_default();
        let subresource = Some(text("subresource")).filter(|name| !name.is_empty());
        let allowed = self.may(text("verb"), text("resource"), subresource);
        map_mut(&mut review, "status").insert("allowed".to_owned(), allowed.into());
        Ok(answer(201, review))
    }
}
