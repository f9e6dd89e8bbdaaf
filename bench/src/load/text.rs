//! The load on the API server, as tables.

use super::rolling::PODS;
use crate::report::{number, or_dash, table};
use serde_json::Value;

/// The tables of what was measured, in Markdown.
pub(crate) fn text(load: &Value) -> String {
    let word = |name: &str| load[name].as_str().unwrap_or_default().to_owned();
    let mut text = format!(
        "{}, {} processors, Kubernetes {}.\n",
        word("date"),
        load["processors"],
        word("version")
    );
    let parts = [
        (
            "A rollout of a minute: calls, and what is read",
            rollouts(load),
        ),
        ("A blue/green deploy with a bake of a minute", switch(load)),
        ("Deploys at once, three pods each", crowds(load)),
    ];
    for (title, table) in parts {
        if let Some(table) = table {
            text += &format!("\n### {title}\n\n{table}");
        }
    }
    text
}

fn rows(load: &Value, name: &str) -> Vec<Value> {
    load[name].as_array().cloned().unwrap_or_default()
}

fn figure(row: &Value, path: &str) -> Option<f64> {
    row.pointer(path).and_then(Value::as_f64)
}

/// So many bytes, in the unit that fits.
pub(crate) fn bytes(count: f64) -> String {
    match count / 1024.0 {
        kibi if kibi < 1024.0 => format!("{} KiB", number(kibi)),
        kibi => format!("{} MiB", number(kibi / 1024.0)),
    }
}

fn count(value: f64) -> String {
    format!("{value:.0}")
}

fn seconds(value: f64) -> String {
    format!("{} s", number(value))
}

fn thousands(pods: u64) -> String {
    match pods {
        ..1_000 => pods.to_string(),
        _ => format!("{},{:03}", pods / 1_000, pods % 1_000),
    }
}

fn rollouts(load: &Value) -> Option<String> {
    let all = rows(load, "rollouts");
    let mut pods = all
        .iter()
        .filter_map(|row| row["pods"].as_u64())
        .collect::<Vec<_>>();
    pods.dedup();
    let (few, most) = (*pods.first()?, *pods.last()?);
    let mut head = vec![String::new()];
    head.extend(pods.iter().map(|pods| format!("{} pods", thousands(*pods))));
    head.push(format!("lists of pods, {}", thousands(most)));
    head.push(format!("connections, {}", thousands(few)));
    head.push(format!("memory, {}", thousands(most)));
    head.push(format!("it took, {}", thousands(most)));
    let mut table_rows = vec![head];
    let of = |name: &Value, pods: u64| {
        all.iter()
            .find(|row| row["name"] == *name && row["pods"] == pods)
    };
    for first in all.iter().filter(|row| row["pods"] == few) {
        let cell = |pods: u64| {
            let row = of(&first["name"], pods)?;
            let read = bytes(figure(row, "/read")?);
            Some(format!("{}, {read}", count(figure(row, "/calls")?)))
        };
        let last = of(&first["name"], most);
        let mut row = vec![first["title"].as_str()?.to_owned()];
        row.extend(pods.iter().map(|pods| or_dash(cell(*pods), |cell| cell)));
        row.push(or_dash(last.map(lists_of_pods), count));
        row.push(or_dash(figure(first, "/connections"), count));
        let peak = last.and_then(|row| figure(row, "/peak"));
        row.push(or_dash(peak, |peak| format!("{} MiB", number(peak))));
        row.push(or_dash(
            last.and_then(|row| figure(row, "/seconds")),
            seconds,
        ));
        table_rows.push(row);
    }
    Some(table(&table_rows))
}

/// How often pods were listed, by the audit log: what was never asked is not in it.
fn lists_of_pods(row: &Value) -> f64 {
    figure(row, "/kinds/list pods").unwrap_or_default()
}

fn switch(load: &Value) -> Option<String> {
    let row = &load["switch"];
    let head = [
        "",
        "calls",
        "reads, dry runs, writes",
        "read",
        "connections",
        "memory",
        "it took",
    ];
    let cells = vec![
        "Landfall".to_owned(),
        count(figure(row, "/calls")?),
        row["words"].as_str()?.to_owned(),
        bytes(figure(row, "/read")?),
        or_dash(figure(row, "/connections"), count),
        format!("{} MiB", number(figure(row, "/peak")?)),
        seconds(figure(row, "/seconds")?),
    ];
    Some(table(&[head.map(str::to_owned).to_vec(), cells]))
}

fn crowds(load: &Value) -> Option<String> {
    let head = [
        "",
        "calls of each",
        "API server's CPU",
        "others' requests: median",
        "99 in 100",
        "last report",
        "all pods replaced",
    ];
    let mut table_rows = vec![head.map(str::to_owned).to_vec()];
    for row in rows(load, "crowds") {
        let deploys = figure(&row, "/deploys")?;
        let milliseconds = |time: f64| format!("{} ms", number(time));
        table_rows.push(vec![
            format!("{deploys:.0}: {}", row["title"].as_str()?),
            or_dash(figure(&row, "/calls"), |calls| number(calls / deploys)),
            or_dash(figure(&row, "/cpu"), |cpu| format!("{cpu:.2} s")),
            or_dash(figure(&row, "/others/median"), milliseconds),
            or_dash(figure(&row, "/others/ninetyNine"), milliseconds),
            or_dash(figure(&row, "/last"), seconds),
            or_dash(figure(&row, "/wall"), seconds),
        ]);
    }
    (table_rows.len() > 1).then(|| table(&table_rows))
}

/// A figure of a deployer's rollout of the fewest pods.
pub(crate) fn rollout(load: &Value, name: &str, path: &str) -> Option<f64> {
    let all = load["rollouts"].as_array()?;
    let row = all
        .iter()
        .find(|row| row["name"] == name && row["pods"] == PODS[0]);
    figure(row?, path)
}

#[cfg(test)]
mod tests;
