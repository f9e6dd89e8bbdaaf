//! Words a finding about an image.

use super::finding::{Explanation, Finding};
use super::phrases::{SIGN, way_out};
use super::quotes::{LOST_SECRET, about_repository, core, is_current, other_image, quoted};
use crate::outcome::Cause;
use crate::text::listed;
use crate::workload::Workload;

impl Finding {
    /// That the kubelet did not find a pull secret, and asked the registry without it.
    /// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/kubelet_pods.go>
    pub(super) fn lost_secrets(&self, explanation: &Explanation) -> String {
        let events = self.events(explanation);
        let newest = events.iter().filter_map(|event| event.last).max();
        let lost = events.iter().rfind(|event| event.reason == LOST_SECRET);
        let lost = lost.filter(|event| is_current(event, newest));
        let names = lost.and_then(|event| {
            let (_, rest) = event.message.split_once('(')?;
            let (names, _) = rest.split_once(')')?;
            let names = names.split(',').map(|name| quoted(name.trim()));
            Some(names.map(|name| format!("`{name}`")).collect::<Vec<_>>())
        });
        names.map_or_else(String::new, |names| {
            let plural = if names.len() > 1 { "s" } else { "" };
            let names = listed(names);
            format!("; the kubelet could not read the pull secret{plural} {names} of its namespace")
        })
    }

    /// Why an image cannot be pulled; `image` is empty if its name is unknown.
    pub(super) fn of_image(&self, image: &str) -> String {
        let what = match image {
            "" => "its image".to_owned(),
            image => format!("`{image}`"),
        };
        let the = match image {
            "" => what.clone(),
            _ => format!("the image {what}"),
        };
        let said = core(&self.said);
        if self.cause == Cause::ImageName && said.contains("name invalid") {
            format!("its registry does not accept {what} as a name ({said})")
        } else if self.cause == Cause::ImageName {
            format!("{what} is not a valid image name")
        } else if self.cause == Cause::ImageNotFound {
            let more = about_repository(&self.said);
            let more = more.map(|more| format!(" ({more})")).unwrap_or_default();
            format!("its registry does not have {the}{more}")
        } else if self.cause == Cause::ImagePlatform {
            format!("{the} is not for the platform of the nodes ({said})")
        } else if self.cause == Cause::ImageRefused {
            let way = way_out(&self.said).unwrap_or(SIGN);
            format!("the nodes cannot use {the} ({said}): {way}")
        } else if self.cause == Cause::ImageDenied {
            format!("its registry does not let the cluster pull {what} ({said})")
        } else if self.cause == Cause::ImageNeverPulled {
            let node = match self.node.as_str() {
                "" => "the node".to_owned(),
                node => format!("node `{node}`"),
            };
            format!("imagePullPolicy is Never, and {node} does not have {what}")
        } else {
            format!("pulling {what} fails ({said})")
        }
    }

    /// The container's image, or that of a volume if the pull is about it.
    pub(super) fn image(&self, live: &Workload) -> String {
        let of_template = live.container(&self.container);
        let of_template = of_template.and_then(|it| it.get("image")?.as_str());
        let own = match self.image.as_str() {
            "" => of_template.unwrap_or_default(),
            image => image,
        };
        other_image(&self.said, own).unwrap_or(own).to_owned()
    }
}
