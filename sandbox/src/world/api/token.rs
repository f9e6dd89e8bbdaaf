//! Token reviews and new tokens: `selfsubjectreviews` and `serviceaccounts/{name}/token`.
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/registry/core/serviceaccount/storage/token.go>

use crate::world::api::call::Call;
use crate::world::api::message::{Answer, answer};
use crate::world::api::status;
use crate::world::object::map_mut;
use crate::world::state::{Issued, World};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

/// The audience and issuer of tokens.
const ISSUER: &str = "https://kubernetes.default.svc";
/// The uid of the only account, the same in each world.
const UID: &str = "5a1ad0c1-0000-4000-8000-000000000001";
/// The default lifetime in seconds.
const USUAL: i64 = 3_600;
const SHORTEST: i64 = 600;
const LONGEST: i64 = 1 << 32;

impl World {
    pub(crate) fn review_identity(&self) -> Answer {
        let mut info = json!({"username": self.caller.user});
        let groups = self.caller.groups.iter().map(String::as_str);
        let groups = groups.chain(["system:authenticated"]).collect::<Vec<_>>();
        info["groups"] = json!(groups);
        if let Some((namespace, _)) = self.account() {
            info["uid"] = UID.into();
            info["groups"] = json!([
                "system:serviceaccounts",
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated"
            ]);
        }
        let made = self.clock.strftime("%FT%TZ").to_string();
        let review = json!({"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": made}, "status": {"userInfo": info}});
        answer(201, review)
    }

    /// Issues a token; `deploy/rbac-rotation.yaml` allows the account to request tokens for itself.
    pub(crate) fn issue_token(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let target = &call.target;
        let name = target.name.as_deref().unwrap_or_default();
        let namespace = target.namespace.as_deref().unwrap_or_default();
        if self.account() != Some((namespace, name)) {
            return Err(status::forbidden(&self.caller.user, "create", target, name));
        }
        let request: Value = serde_json::from_slice(call.body)
            .map_err(|error| status::bad_request(error.to_string()))?;
        let asked = request["spec"]["expirationSeconds"]
            .as_i64()
            .unwrap_or(USUAL);
        check(asked)?;
        let seconds = self.longest_token.map_or(asked, |most| asked.min(most));
        let until = self.clock + SignedDuration::from_secs(seconds);
        let token = self.sign(namespace, name, until);
        let mut reply = json!({"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": name, "namespace": namespace, "uid": UID,
                "creationTimestamp": self.clock.strftime("%FT%TZ").to_string()},
            "spec": {"audiences": [ISSUER], "expirationSeconds": seconds, "boundObjectRef": null},
            "status": {"token": token,
                "expirationTimestamp": until.strftime("%FT%TZ").to_string()}});
        if let Some(audiences) = request.pointer("/spec/audiences") {
            map_mut(&mut reply, "spec").insert("audiences".to_owned(), audiences.clone());
        }
        if !call.dry_run {
            self.issued.push(Issued { token, until });
        }
        Ok(answer(201, reply))
    }

    /// The namespace and name of the calling ServiceAccount, if it is one.
    fn account(&self) -> Option<(&str, &str)> {
        let account = self.caller.user.strip_prefix("system:serviceaccount:")?;
        account.split_once(':')
    }

    /// A JWT with the claims of a real one, without a real signature.
    fn sign(&self, namespace: &str, name: &str, until: Timestamp) -> String {
        let number = self.issued.len();
        let claims = json!({"aud": [ISSUER], "exp": until.as_second(), "iss": ISSUER,
            "iat": self.clock.as_second(), "nbf": self.clock.as_second(),
            "jti": format!("5a1ad0c1-0000-4000-9000-{number:012}"),
            "kubernetes.io": {"namespace": namespace,
                "serviceaccount": {"name": name, "uid": UID}},
            "sub": self.caller.user});
        let head = json!({"alg": "RS256", "kid": "sandbox"});
        let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let mut hasher = DefaultHasher::new();
        (&head, &claims).hash(&mut hasher);
        let signature = URL_SAFE_NO_PAD.encode(hasher.finish().to_be_bytes());
        format!("{head}.{claims}.{signature}")
    }
}

fn check(seconds: i64) -> Result<(), Answer> {
    let why = match seconds {
        ..SHORTEST => "may not specify a duration less than 10 minutes",
        SHORTEST..=LONGEST => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let cause = status::Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {seconds}: {why}"),
        field: "spec.expirationSeconds".to_owned(),
    };
    let group = "authentication.k8s.io";
    Err(status::invalid("TokenRequest", group, "", &[cause]))
}
