"""Takes out of template.yaml what the CDK construct and the Terraform module create as well, so that nobody copies it
by hand: alarms, dashboard, messages for a chat, the rights on a bucket of artifacts.

Usage: shared.py FOLDER [--check]

FOLDER gets `shared.json` and `dashboard.json.tftpl`, a template as Terraform reads it; with `--check` they are only
compared. Both name what only a stack knows as ${function}, ${region} and so on.
"""

import json
import re
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

# What the template calls these, and how they are called here.
NAMES = {
    "AWS::AccountId": "account", "AWS::Partition": "partition", "AWS::Region": "region", "AWS::URLSuffix": "dns_suffix",
    "Function": "function",
    "FunctionName": "function", "LogGroup": "log_group", "RotationRule": "renewal_rule", "ArtifactBucket": "bucket",
    "ArtifactKeyArn": "key",
}
HELD = re.compile(r"\$\{([A-Za-z:]+)\}")
ALARM_ARN = re.compile(r"alarm:\$\{FunctionName\}-([a-z]+)")


def main(folder, check=None):
    resources = yaml_parse(Path("template.yaml").read_text())["Resources"]
    made = {
        "shared.json": json.dumps(shared(resources), indent=2, ensure_ascii=False) + "\n",
        "dashboard.json.tftpl": dashboard(resources),
    }
    for name, text in made.items():
        path = Path(folder, name)
        if not check:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.exit(f"{path} is not what template.yaml says: make shared")


def shared(resources):
    return {
        "alarms": alarms(resources),
        "chat": {name: chat(resources[rule]["Properties"]) for name, rule in (
            ("message", "ChatRule"), ("silent", "ChatSilentRule"))},
        "artifacts": artifacts(resources),
        "first_renewal": pattern(resources["FirstRotationRule"]["Properties"]["EventPattern"]),
    }


def alarms(resources):
    """The alarms in the order in which the dashboard shows them; the renewal's comes last."""
    text, others = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    shown = ALARM_ARN.findall(text) + ALARM_ARN.findall(json.dumps(others))
    made = {}
    for one in resources.values():
        if one["Type"] != "AWS::CloudWatch::Alarm":
            continue
        its = one["Properties"]
        assert its["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Function"}}], its
        name = its["AlarmName"]["Fn::Sub"].removeprefix("${FunctionName}-")
        made[name] = {
            "name": name,
            "description": named(its["AlarmDescription"]["Fn::Sub"].replace(
                "/aws/lambda/${FunctionName}", "${LogGroup}")),
            "namespace": its["Namespace"],
            "metric": its["MetricName"],
            "statistic": its["Statistic"],
            "period": its["Period"],
            "periods": its["EvaluationPeriods"],
            "comparison": its["ComparisonOperator"],
            "threshold": its["Threshold"],
            "missing": its["TreatMissingData"],
            "tells": "ALARM" if "AlarmActions" in its else "INSUFFICIENT_DATA",
            "of_renewal": one.get("Condition") == "Rotates",
        }
    assert sorted(made) == sorted(shown), "the dashboard shows other alarms"
    return [made[name] for name in shown]


def chat(rule):
    """A rule for failed actions, without the names of the pipelines."""
    target, = rule["Targets"]
    return {
        "description": rule["Description"],
        "pattern": pattern(rule["EventPattern"]),
        "paths": target["InputTransformer"]["InputPathsMap"],
        "template": target["InputTransformer"]["InputTemplate"],
    }


def pattern(events):
    """What does not depend on the stack."""
    detail = {name: value for name, value in events["detail"].items() if name not in ("pipeline", "stack-id")}
    return events | {"detail": detail}


def artifacts(resources):
    statements = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    found = {}
    for statement in statements:
        if "Fn::If" in statement and statement["Fn::If"][1]["Sid"].endswith("ArtifactsOfCalls"):
            condition, allowed, _ = statement["Fn::If"]
            found[{"ReadsBucket": "read", "ReadsBucketUnderKey": "decrypt"}[condition]] = plain(allowed)
    return found


def plain(value):
    """The value with names in the place of what CloudFormation fills in."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "Ref" in value:
        return named("${%s}" % value["Ref"])
    return named(value["Fn::Sub"]) if "Fn::Sub" in value else {name: plain(one) for name, one in value.items()}


def dashboard(resources):
    text, _ = resources["Overview"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text, count = re.subn(r'"alarms": \[[^\]]*\]', '"alarms": ${jsonencode(alarms)}', text)
    assert count == 1, "the dashboard has no list of alarms, or several"
    return named(text)


def named(text):
    return HELD.sub(lambda found: "${%s}" % NAMES[found[1]], text)


if __name__ == "__main__":
    main(*sys.argv[1:])
