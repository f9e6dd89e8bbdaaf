"""Compares what the CDK construct and the Terraform module create with what template.yaml creates, for the set-ups in
alike.json: every right of the role, the function, its log, rules, alarms, dashboard and chat.

Usage: alike.py cdk FOLDER          FOLDER has a NAME.template.json for each set-up (packaging/cdk/test/alike.mjs)
       alike.py terraform FOLDER    FOLDER is an initialized copy of the module
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from samcli.yamlhelper import yaml_parse

import validate

SETUPS = json.loads(Path(__file__).with_name("alike.json").read_text())
ACCOUNT, REGION = "111122223333", "eu-central-1"
HERE = f"{REGION}:{ACCOUNT}"
# How the alarms are called, by their metrics.
ALARMS = {"Errors": "errors", "Throttles": "throttles", "Failures": "failures", "Rotations": "renewal"}
# What belongs to one of them alone. A CDK app limits roles as a whole, and its pipeline's action grants what it needs.
TERRAFORMS_OWN = {"package", "tags"}
FACTS = ["function", "events", "log", "trust", "boundary", "rights", "attached", "entry", "rules", "first renewal",
         "permissions", "alarms", "dashboard", "topic", "what nothing compares"]
# The kinds of resources that these facts are taken from. One of another kind could grant what nobody sees.
COMPARED = {
    "AWS::Lambda::Function", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission", "AWS::Logs::LogGroup",
    "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::EKS::AccessEntry", "AWS::Events::Rule", "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy",
    "aws_lambda_function", "aws_lambda_function_event_invoke_config", "aws_lambda_permission", "aws_lambda_invocation",
    "aws_cloudwatch_log_group", "aws_iam_role", "aws_iam_role_policy", "aws_eks_access_entry",
    "aws_cloudwatch_event_rule", "aws_cloudwatch_event_target", "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_dashboard", "aws_sns_topic", "aws_sns_topic_policy",
}
PIPELINE = "the pipeline's rights"


def main(way, folder):
    source = validate.translation(yaml_parse(Path("template.yaml").read_text()), "s3://packages/function.zip")
    used = {name for setup in SETUPS.values() for name in setup["template"]}
    faults = [f"no set-up has the parameter {name}" for name in sorted(set(source["Parameters"]) - used)]
    made = {"cdk": of_cdk, "terraform": of_terraform}[way](Path(folder))
    for name, setup in SETUPS.items():
        expected, found = facts(Template(source, setup["template"])), made[name]
        for fact in [*FACTS, *([PIPELINE] if way == "terraform" else [])]:
            faults += [f"{name}: {one}" for one in difference(fact, expected[fact], found[fact])]
    if faults:
        sys.exit(f"{way} does not create what template.yaml does:\n  " + "\n  ".join(faults))
    print(f"{way}: {len(SETUPS)} set-ups are alike in {len(FACTS)} points")


def difference(fact, expected, found):
    """What differs, in words. The order of a list says nothing."""
    if isinstance(expected, (list, set)):
        expected, found = ({json.dumps(one, sort_keys=True) for one in side} for side in (expected, found))
        for words, rest in [("lacks", expected - found), ("has besides", found - expected)]:
            yield from (f"{fact}: {words} {one}" for one in sorted(rest))
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(set(expected) | set(found)):
            yield from difference(f"{fact}, {name}", expected.get(name), found.get(name))
    elif expected != found:
        yield f"{fact}: {found!r} instead of {expected!r}"


class Template:
    """A CloudFormation template with these parameters, and names that depend on no stack."""

    def __init__(self, source, parameters=()):
        self.source = source
        declared = source.get("Parameters", {})
        self.parameters = {name: str(one.get("Default", "")) for name, one in declared.items()} | dict(parameters)
        self.pseudo = {
            "AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackId": "the stack", "AWS::NoValue": None,
        }

    def of(self, kind):
        """The resources of a kind whose condition holds."""
        return [self.value(one["Properties"]) for one in self.source["Resources"].values()
                if one["Type"] == kind and self.holds(one.get("Condition"))]

    def kinds(self):
        """All that are made."""
        return {one["Type"] for one in self.source["Resources"].values() if self.holds(one.get("Condition"))}

    def holds(self, name):
        return name is None or self.value(self.source["Conditions"][name])

    def value(self, given):
        if isinstance(given, list):
            return [one for one in map(self.value, given) if one is not None]
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            (name, inner), = given.items()
            if name in ("Ref", "Condition") and isinstance(inner, str):
                return self.ref(inner) if name == "Ref" else self.holds(inner)
            if name.startswith("Fn::"):
                return getattr(self, name.removeprefix("Fn::").lower())(inner)
        made = {name: self.value(one) for name, one in given.items()}
        return {name: one for name, one in made.items() if one is not None}

    def ref(self, name):
        if name in self.pseudo:
            return self.pseudo[name]
        return self.parameters[name] if name in self.parameters else self.name(name)

    def getatt(self, given):
        name, attribute = given.split(".") if isinstance(given, str) else given
        assert attribute == "Arn" or attribute == "TopicArn", given
        return arn(self.source["Resources"][name]["Type"], self.name(name))

    def name(self, resource):
        one = self.source["Resources"][resource]
        kind, its = one["Type"], one["Properties"]
        if kind == "AWS::SNS::Topic":
            return arn(kind, "landfall-chat")
        if kind == "AWS::CloudWatch::Alarm":
            return f"landfall-{ALARMS[its['MetricName']]}"
        if kind == "AWS::Events::Rule":
            return rule_name(its)
        return "/aws/lambda/landfall" if kind == "AWS::Logs::LogGroup" else "landfall"

    # The intrinsic functions, by their names.
    def sub(self, given):
        text, own = (given, {}) if isinstance(given, str) else given
        own = {name: self.value(one) for name, one in own.items()}

        def held(found):
            name = found[1]
            if name in own:
                return own[name]
            return self.getatt(name) if name.endswith(".Arn") else self.ref(name)
        return re.sub(r"\$\{([A-Za-z:.]+)\}", lambda found: str(held(found)), text)

    def join(self, given):
        return given[0].join(map(str, self.value(given[1])))

    def split(self, given):
        return self.value(given[1]).split(given[0])

    def select(self, given):
        return self.value(given[1])[int(given[0])]

    def equals(self, given):
        return self.value(given[0]) == self.value(given[1])

    def _not(self, given):
        return not self.value(given[0])

    def _and(self, given):
        return all(map(self.value, given))

    def _or(self, given):
        return any(map(self.value, given))

    def _if(self, given):
        return self.value(given[1] if self.holds(given[0]) else given[2])


# Words of Python.
for _word in ["not", "and", "or", "if"]:
    setattr(Template, _word, getattr(Template, f"_{_word}"))


def arn(kind, name):
    return {
        "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{name}:*",
        "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{name}",
        "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{name}",
        "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{HERE}:alarm:{name}",
    }[kind]


def rule_name(rule):
    if "ScheduleExpression" in rule:
        return "landfall-renewal"
    if rule["EventPattern"]["source"] == ["aws.cloudformation"]:
        return "landfall-first-renewal"
    silent = rule["EventPattern"]["detail"]["execution-result"]["external-execution-summary"] == [{"exists": False}]
    return f"landfall-chat-{'silent' if silent else 'message'}"


def facts(template):
    """What a template creates."""
    function, = template.of("AWS::Lambda::Function")
    events, = template.of("AWS::Lambda::EventInvokeConfig")
    log, = template.of("AWS::Logs::LogGroup")
    role, = template.of("AWS::IAM::Role")
    policies = [(one["Roles"], one["PolicyDocument"]) for one in template.of("AWS::IAM::Policy")]
    own = [document for roles, document in policies if roles == ["landfall"]]
    own += [one["PolicyDocument"] for one in role.get("Policies", [])]
    network = function.get("VpcConfig", {})
    rules = {rule_name(one): one for one in template.of("AWS::Events::Rule")}
    first = rules.pop("landfall-first-renewal", None)
    permissions = [[one["Principal"], one["Action"], one.get("SourceArn")]
                   for one in template.of("AWS::Lambda::Permission")]
    boards = [json.loads(one["DashboardBody"]) for one in template.of("AWS::CloudWatch::Dashboard")]
    return {
        "function": {
            "described": function["Description"], "handler": function["Handler"], "runtime": function["Runtime"],
            "processor": function["Architectures"], "memory": int(function["MemorySize"]),
            "seconds": int(function["Timeout"]), "reserved": int(function.get("ReservedConcurrentExecutions", -1)),
            "environment": function.get("Environment", {}).get("Variables", {}),
            "log": [function["LoggingConfig"][name] for name in ("LogFormat", "ApplicationLogLevel", "LogGroup")],
            "network": {name: network[name] for name in ("SubnetIds", "SecurityGroupIds")} if network else None,
        },
        "events": {"retries": events["MaximumRetryAttempts"], "seconds": events["MaximumEventAgeInSeconds"]},
        "log": int(log["RetentionInDays"]),
        "trust": rights([role["AssumeRolePolicyDocument"]]),
        "boundary": role.get("PermissionsBoundary"),
        "rights": rights(own),
        "attached": role.get("ManagedPolicyArns", []),
        PIPELINE: rights(document for roles, document in policies if roles != ["landfall"]),
        "entry": [[one["ClusterName"], one["PrincipalArn"], one["KubernetesGroups"]]
                  for one in template.of("AWS::EKS::AccessEntry")],
        "rules": {name: rule(one) for name, one in rules.items()},
        "first renewal": json.loads(target(first)["Input"]) if first else None,
        "permissions": [one for one in permissions if not str(one[-1]).endswith("first-renewal")],
        "alarms": {ALARMS[one["MetricName"]]: alarm(one) for one in template.of("AWS::CloudWatch::Alarm")},
        "dashboard": board(*boards) if boards else None,
        "topic": rights(one["PolicyDocument"] for one in template.of("AWS::SNS::TopicPolicy")),
        "what nothing compares": sorted(template.kinds() - COMPARED),
    }


def rights(documents):
    """Each single right: how rights are grouped into statements says nothing."""
    found = []
    for statement in (one for document in documents for one in document["Statement"]):
        conditions = {test: {name: listed(value) for name, value in keys.items()}
                      for test, keys in statement.get("Condition", {}).items()}
        for action in listed(statement["Action"]):
            for resource in listed(statement.get("Resource", "")):
                found.append([statement["Effect"], statement.get("Principal"), action, resource, conditions])
    return found


def listed(value):
    return sorted(value) if isinstance(value, list) else [value]


def rule(one):
    to = target(one)
    return {
        "schedule": one.get("ScheduleExpression"), "pattern": one.get("EventPattern"), "to": to["Arn"],
        "input": json.loads(to["Input"]) if "Input" in to else None,
        "transformed": {name: value for name, value in to.get("InputTransformer", {}).items()} or None,
    }


def target(one):
    only, = one["Targets"]
    return only


def alarm(one):
    return {name: one.get(name, []) for name in [
        "AlarmDescription", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods",
        "ComparisonOperator", "Threshold", "TreatMissingData", "AlarmActions", "InsufficientDataActions", "OKActions"]}


def board(body):
    shown, = [one for one in body["widgets"] if one["type"] == "alarm"]
    return {"alarms": shown["properties"].pop("alarms"), "rest": body}


def of_cdk(folder):
    made = {path.name.removesuffix(".template.json"): path for path in folder.glob("*.template.json")}
    if set(made) != set(SETUPS):
        sys.exit(f"the CDK's set-ups are others: {sorted(set(made) ^ set(SETUPS))}")
    return {name: facts(Template(json.loads(path.read_text()))) for name, path in made.items()}


def of_terraform(folder):
    declared = set(re.findall(r'^variable "(\w+)"', (folder / "variables.tf").read_text(), re.M))
    used = {name for setup in SETUPS.values() for name in setup["terraform"]}
    if declared - used - TERRAFORMS_OWN:
        sys.exit(f"no set-up has the variables {sorted(declared - used - TERRAFORMS_OWN)}")
    mocks, *_ = (folder / "tests/landfall.tftest.hcl").read_text().partition('\nrun "')
    runs = ["".join([f'\nrun "{name}" {{\n  variables {{\n', *(
        f"    {variable} = {json.dumps(value)}\n" for variable, value in setup["terraform"].items()), "  }\n}\n"])
        for name, setup in SETUPS.items()]
    Path(folder, "tests/alike.tftest.hcl").write_text(mocks + "".join(runs))
    done = subprocess.run(["terraform", "test", "-json", "-verbose", "-filter=tests/alike.tftest.hcl"], cwd=folder,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"terraform test failed:\n{done.stdout}{done.stderr}")
    lines = map(json.loads, done.stdout.splitlines())
    states = {line["@testrun"]: line["test_state"] for line in lines if line["type"] == "test_state"}
    return {name: facts_of(state["root_module"]["resources"]) for name, state in states.items()}


def facts_of(resources):
    """What a state of Terraform has."""
    def of(kind, name=None):
        return [one["values"] for one in resources
                if one["mode"] == "managed" and one["type"] == kind and name in (None, one["name"])]
    function, = of("aws_lambda_function")
    events, = of("aws_lambda_function_event_invoke_config")
    log, = of("aws_cloudwatch_log_group")
    role, = of("aws_iam_role")
    logging, network = function["logging_config"][0], (function["vpc_config"] or [None])[0]
    named = {one["arn"]: arn("AWS::CloudWatch::Alarm", one["alarm_name"]) for one in of("aws_cloudwatch_metric_alarm")}
    boards = [json.loads(one["dashboard_body"]) for one in of("aws_cloudwatch_dashboard")]
    for one in boards:
        shown = one["widgets"][0]["properties"]
        shown["alarms"] = [named[alarm] for alarm in shown["alarms"]]
    rules = {one["name"]: one for one in of("aws_cloudwatch_event_rule")}
    return {
        "function": {
            "described": function["description"], "handler": function["handler"], "runtime": function["runtime"],
            "processor": function["architectures"], "memory": function["memory_size"], "seconds": function["timeout"],
            "reserved": function["reserved_concurrent_executions"],
            "environment": function["environment"][0]["variables"],
            "log": [logging[name] for name in ("log_format", "application_log_level", "log_group")],
            "network": network and {"SubnetIds": network["subnet_ids"], "SecurityGroupIds": network["security_group_ids"]},
        },
        "events": {"retries": events["maximum_retry_attempts"], "seconds": events["maximum_event_age_in_seconds"]},
        "log": log["retention_in_days"],
        "trust": rights([json.loads(role["assume_role_policy"])]),
        "boundary": role["permissions_boundary"],
        "rights": rights(json.loads(one["policy"]) for one in of("aws_iam_role_policy", "this")),
        "attached": [*(role["managed_policy_arns"] or []), *(role["inline_policy"] or [])],
        PIPELINE: rights(json.loads(one["policy"]) for one in of("aws_iam_role_policy", "pipeline")),
        "entry": [[one["cluster_name"], one["principal_arn"], one["kubernetes_groups"]]
                  for one in of("aws_eks_access_entry")],
        "rules": {one["rule"]: triggered(rules[one["rule"]], one) for one in of("aws_cloudwatch_event_target")},
        "first renewal": next((json.loads(one["input"]) for one in of("aws_lambda_invocation")), None),
        "permissions": [[one["principal"], one["action"], one["source_arn"]] for one in of("aws_lambda_permission")],
        "alarms": {one["alarm_name"].removeprefix("landfall-"): rings(one) for one in of("aws_cloudwatch_metric_alarm")},
        "dashboard": board(*boards) if boards else None,
        "topic": rights(json.loads(one["policy"]) for one in of("aws_sns_topic_policy")),
        "what nothing compares": sorted({one["type"] for one in resources if one["mode"] == "managed"} - COMPARED),
    }


def triggered(one, to):
    transformed = to["input_transformer"] or None
    return {
        "schedule": one["schedule_expression"], "pattern": one["event_pattern"] and json.loads(one["event_pattern"]),
        "to": to["arn"], "input": to["input"] and json.loads(to["input"]),
        "transformed": transformed and {"InputPathsMap": transformed[0]["input_paths"],
                                        "InputTemplate": transformed[0]["input_template"]},
    }


def rings(one):
    return {
        "AlarmDescription": one["alarm_description"], "Namespace": one["namespace"], "MetricName": one["metric_name"],
        "Dimensions": [{"Name": name, "Value": value} for name, value in one["dimensions"].items()],
        "Statistic": one["statistic"], "Period": one["period"], "EvaluationPeriods": one["evaluation_periods"],
        "ComparisonOperator": one["comparison_operator"], "Threshold": one["threshold"],
        "TreatMissingData": one["treat_missing_data"], "AlarmActions": one["alarm_actions"] or [],
        "InsufficientDataActions": one["insufficient_data_actions"] or [], "OKActions": one["ok_actions"] or [],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
