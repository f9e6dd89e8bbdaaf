//! The fields `env` and `container`.

use super::checks::name_of;
use super::fields::Check;
use super::image;
use super::model::Hidden;
use super::unseen::ZERO;
use crate::formats::yaml::text::first_unseen;
use serde_json::Value;
use std::collections::BTreeMap;

impl Check<'_> {
    pub(super) fn env(&mut self) -> BTreeMap<String, Option<Hidden>> {
        let mut env = BTreeMap::new();
        for (name, value) in self.object("env", r#"{"NAME": "value"}"#) {
            let field = format!("env.{name}");
            // Kubernetes' relaxed rule: printable ASCII without `=`.
            // https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/
            let printable = name
                .bytes()
                .all(|byte| (0x20..0x7f).contains(&byte) && byte != b'=');
            if name.is_empty() || !printable {
                let problem = "is not a valid variable name: printable ASCII without `=`";
                let problem = match first_unseen(&name) {
                    Some((_, unseen)) => format!("{problem}; it has {unseen}"),
                    None => problem.to_owned(),
                };
                self.fault(format!("env.{}", image::shown(&name)), problem);
            }
            match value {
                Value::String(value) if value.contains('\0') => self.fault(field, ZERO),
                Value::String(value) => _ = env.insert(name, Some(Hidden(value))),
                Value::Null => _ = env.insert(name, None),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    self.must_be(field, "a string, or null to remove it", &other);
                }
            }
        }
        env
    }

    pub(super) fn container(&mut self, has_env: bool, has_sole_image: bool) -> Option<String> {
        let container = self.text("container")?;
        self.check("container", name_of(&container, 63, false));
        // An `imageDetail.json` that is still to be read may need it.
        let unread = self.wanted.images.is_some();
        if !has_env && !self.fields.contains_key("env") && !has_sole_image && !unread {
            let problem = "is the one container that gets `env`, or the image of an \
                `imageDetail.json`, and there is neither";
            self.fault("container", problem);
        }
        Some(container)
    }
}
