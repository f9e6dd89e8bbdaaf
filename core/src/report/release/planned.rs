//! What a release would change, told instead of done.

use super::super::alarms::{self, Beginning};
use super::super::model::{CHANGES, Report, SUMMARY_LIMIT, VARIABLE_LIMIT};
use super::super::success::warned;
use super::fitting::{Block, fit_forms};
use super::images::{self, by_weight};
use super::left;
use super::naming::{count, counted, names, object, release};
use super::returned;
use super::success::{hooks, notes, succeeded};
use crate::change::difference::is_image;
use crate::kubernetes::object_id::ObjectId;
use crate::release::{ObjectChange, ObjectPlan, ReleasePlan, Untried};
use crate::request::release::ReleaseRequest;
use crate::state::guard::Guard;
use crate::text::clip;

/// How many fields of one object are shown.
const FIELDS: usize = 20;

/// How many of them, where there is not room for all.
const FEW_FIELDS: usize = 3;

/// How much of a summary is what changes, at the least.
const CHANGES_ROOM: usize = 1200;

/// What a release would change. Nothing was written.
pub fn planned(request: &ReleaseRequest, guard: &Guard, plan: &ReleasePlan) -> Report {
    let release = release(request);
    let changing = plan.objects.iter().filter(|one| changes(&one.change));
    let changing = changing.count();
    let headline = match plan.revision {
        _ if plan.back_to.is_some() => returned::planned(request, plan, &counts(plan), changing),
        Some(revision) if changing > 0 => format!(
            "Plan: {release} would become revision {revision}: {}.",
            counts(plan)
        ),
        Some(_) | None => format!(
            "Plan: nothing would change in {release} ({}).",
            count(plan.objects.len())
        ),
    };
    let beginning = match plan.revision.is_some() && changing > 0 {
        true if plan.served_before => Beginning::Return,
        true => Beginning::Refused,
        false => Beginning::Unneeded,
    };
    let rest = [
        " Nothing was written.".to_owned(),
        alarms::planned(request.watch(), guard, beginning),
        notes(request, &plan.notes),
        hooks(request),
        warned(&plan.warnings),
    ];
    let rest = headline + &rest.concat();
    let blocks = blocks(request, plan);
    let room = SUMMARY_LIMIT
        .saturating_sub(rest.len() + 1)
        .max(CHANGES_ROOM);
    let summary = match fit_forms(&blocks, "\n", "objects", room) {
        listed if listed.is_empty() => rest,
        listed => {
            let rest = clip(&rest, SUMMARY_LIMIT - listed.len() - 1);
            format!("{rest}\n{listed}")
        }
    };
    let revision = plan.revision.unwrap_or(plan.newest);
    let shown = plan.revision.map(|revision| revision.to_string());
    let variables = [
        ("Revision", shown.unwrap_or_default()),
        ("Mode", "plan".to_owned()),
        ("ChangeCount", changing.to_string()),
        (CHANGES, fit_forms(&blocks, "\n", "objects", VARIABLE_LIMIT)),
    ];
    succeeded(request, &summary, revision, variables)
}

/// The plan of a workload, with what happens to the Job that runs before it.
pub fn planned_before(report: Report, request: &ReleaseRequest, plan: &ReleasePlan) -> Report {
    let Report::Success {
        summary,
        external_id,
        mut variables,
    } = report
    else {
        return report;
    };
    let jobs = plan.objects.iter().map(|one| {
        let name = object(&one.id, &request.namespace).replace('`', "");
        if one.change == ObjectChange::New {
            format!("+ {name}: new, and runs before anything else changes")
        } else if one.change == ObjectChange::Unchanged {
            format!("{name}: completed before, so it does not run")
        } else {
            forms(request, &[one]).pop().unwrap_or_default()
        }
    });
    let jobs = jobs.collect::<Vec<_>>().join("\n");
    let more = plan.objects.iter().filter(|one| changes(&one.change));
    let more = more.count();
    for (name, value) in &mut variables {
        match *name {
            CHANGES => *value = clip(&format!("{jobs}\n{value}"), VARIABLE_LIMIT),
            "ChangeCount" => {
                let count = value.parse::<usize>().unwrap_or_default();
                *value = (count + more).to_string();
            }
            _ => {}
        }
    }
    let room = SUMMARY_LIMIT.saturating_sub(jobs.len() + 1);
    Report::Success {
        summary: clip(&format!("{}\n{jobs}", clip(&summary, room)), SUMMARY_LIMIT),
        external_id,
        variables,
    }
}

/// Whether something would be written or deleted.
fn changes(change: &ObjectChange) -> bool {
    !matches!(change, ObjectChange::Unchanged | ObjectChange::Kept(_))
}

/// What becomes of objects is counted in this order: what is lost, what changes, what comes.
fn rank(change: &ObjectChange) -> u8 {
    match change {
        ObjectChange::Deleted => 0,
        ObjectChange::Recreated(_) => 1,
        ObjectChange::Changed(_) | ObjectChange::Noted => 2,
        ObjectChange::TakenOver => 3,
        ObjectChange::New | ObjectChange::Again(_) | ObjectChange::NewUntried(_) => 4,
        ObjectChange::Untried(_) => 5,
        ObjectChange::Kept(_) => 6,
        ObjectChange::Unchanged => 7,
    }
}

fn counts(plan: &ReleasePlan) -> String {
    let mut parts = [
        (0, "deleted"),
        (0, "deleted and made anew"),
        (0, "changed"),
        (0, "taken into the release"),
        (0, "new"),
        (0, "not tried"),
        (0, "kept"),
        (0, "unchanged"),
    ];
    for one in &plan.objects {
        parts[usize::from(rank(&one.change))].0 += 1;
    }
    counted(&parts)
}

/// The texts for the objects that do not stay as they are, by importance. Those that change alike
/// are told together: with each version of a chart the same labels change on all its objects.
fn blocks(request: &ReleaseRequest, plan: &ReleasePlan) -> Vec<Block> {
    let mut shown = plan.objects.iter().collect::<Vec<_>>();
    shown.retain(|one| one.change != ObjectChange::Unchanged);
    shown.sort_by_key(|one| order(one));
    let mut groups: Vec<Vec<&ObjectPlan>> = Vec::new();
    for one in shown {
        match groups.iter_mut().find(|group| is_alike(group[0], one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let blocks = groups.iter().map(|group| {
        let forms = forms(request, group);
        Block {
            least: usize::from(images::are_shown(&group[0].change, &forms)),
            forms,
            things: group.len(),
        }
    });
    blocks.collect()
}

/// Whether the same fields of two objects change in the same way.
fn is_alike(one: &ObjectPlan, other: &ObjectPlan) -> bool {
    match (&one.change, &other.change) {
        (ObjectChange::Changed(one), ObjectChange::Changed(other)) => {
            one.more == 0 && other.more == 0 && one.lines == other.lines
        }
        _ => false,
    }
}

/// What would change in each object, at length.
pub fn plan_lines(request: &ReleaseRequest, plan: &ReleasePlan) -> Vec<String> {
    let blocks = blocks(request, plan);
    let longest = blocks.iter().filter_map(|block| block.forms.last());
    longest
        .flat_map(|block| block.lines())
        .map(str::to_owned)
        .collect()
}

/// What runs comes before what it is run with; definitions, whose schemas are long, come last.
fn place(id: &ObjectId) -> u8 {
    match id.group.as_str() {
        "apps" | "batch" => 0,
        "apiextensions.k8s.io" => 2,
        _ => 1,
    }
}

/// What matters most comes first: what is lost, then what runs, be it new or changed, then what it
/// is run with.
fn order(one: &ObjectPlan) -> (u8, u8, u8) {
    let rank = rank(&one.change);
    // The first two are lost.
    let loss = match changes(&one.change) {
        true => rank.min(2),
        false => u8::MAX,
    };
    (loss, place(&one.id), rank)
}

/// The texts for objects of which the same becomes, the shortest first.
fn forms(request: &ReleaseRequest, group: &[&ObjectPlan]) -> Vec<String> {
    let all = group.iter().map(|one| object(&one.id, &request.namespace));
    let all = all.map(|name| name.replace('`', "")).collect::<Vec<_>>();
    let name = all.join(", ");
    let line = match &group[0].change {
        ObjectChange::Changed(difference) => {
            let number = difference.count();
            let fields_of = if number == 1 { "field" } else { "fields" };
            let (first, each) = match all.len() {
                1 => (name.clone(), ""),
                many => (format!("{} and {} more", all[0], many - 1), " each"),
            };
            let short = format!("{first}: {number} {fields_of}{each}");
            let lines = by_weight(difference);
            let images = lines.iter().filter(|line| is_image(line)).count();
            let in_short = images::in_short(&lines, number);
            let with_images = in_short.map(|images| format!("{first}: {images}"));
            let longer = [
                fields(&names(all), &lines, FEW_FIELDS.max(images), number),
                fields(&name, &lines, FIELDS.max(images), number),
            ];
            return [short]
                .into_iter()
                .chain(with_images)
                .chain(longer)
                .collect();
        }
        ObjectChange::Deleted => format!("- {name}: deleted"),
        ObjectChange::Recreated(change) => {
            let why = match group[0].id.is_job() {
                true => "so it runs again",
                false => "as its `landfall/recreate` asks for",
            };
            let short = format!("! {name}: deleted and made anew, {why}");
            let longer = change.as_ref().map(|change| {
                let (lines, number) = (by_weight(change), change.count());
                [FEW_FIELDS, FIELDS].map(|most| fields(&short, &lines, most, number))
            });
            return [short.clone()]
                .into_iter()
                .chain(longer.into_iter().flatten())
                .collect();
        }
        ObjectChange::TakenOver => format!("{name}: taken into the release, otherwise unchanged"),
        ObjectChange::Noted => format!(
            "{name}: its fields become the release's, or its annotations for Landfall change; \
             otherwise unchanged"
        ),
        ObjectChange::New => {
            let short = format!("+ {name}: new");
            let images = images::of_new(request, &group[0].id);
            let lines = images.iter().collect::<Vec<_>>();
            let longer = (!lines.is_empty()).then(|| fields(&short, &lines, FIELDS, lines.len()));
            return [short].into_iter().chain(longer).collect();
        }
        ObjectChange::Again(revision) => {
            format!("+ {name}: made again, as it is gone since revision {revision}")
        }
        ObjectChange::NewUntried(why) => {
            format!("+ {name}: new, and not tried, because {}", untried(*why))
        }
        ObjectChange::Untried(why) => format!("{name}: not tried, because {}", untried(*why)),
        ObjectChange::Kept(reason) => format!(
            "{name}: not in the release any more, and kept: {}",
            left::why(reason)
        ),
        ObjectChange::Unchanged => format!("{name}: unchanged"),
    };
    vec![line]
}

fn untried(why: Untried) -> &'static str {
    match why {
        Untried::NewNamespace => "its namespace comes with this release",
        Untried::NewKind => "its kind comes with this release",
        Untried::Webhook => "a webhook of the cluster takes no dry runs",
        Untried::OtherVersion => "it moves to another version of its kind",
    }
}

fn fields(name: &str, lines: &[&String], most: usize, number: usize) -> String {
    let shown = lines.iter().take(most);
    let shown = shown.map(|line| format!("\n  {line}")).collect::<String>();
    match number.saturating_sub(most) {
        0 => format!("{name}:{shown}"),
        1 => format!("{name}:{shown}\n  … and 1 more field"),
        more => format!("{name}:{shown}\n  … and {more} more fields"),
    }
}
