"""Creates the stack in moto's CloudFormation, with its parameters set and unset, and looks at what is there.

Usage: stack.py TEMPLATE, as validate.py translated it
"""

import functools
import html
import io
import json
import logging
import os
import re
import sys
import tomllib
import unittest
import zipfile
from pathlib import Path

os.environ.update(AWS_DEFAULT_REGION="eu-central-1", AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")

import boto3
import yaml
from botocore.validate import ParamValidator
from moto import mock_aws
from moto.cloudformation.models import cloudformation_backends
from moto.cloudformation.parsing import clean_json
from moto.events.models import EventPattern
from samcli.yamlhelper import yaml_parse

# It takes alarms and the like for unsupported, and says so each time; properties() sees to these.
logging.disable(logging.WARNING)
# One session reads the descriptions of the services once.
client = functools.cache(boto3.Session().client)
TEMPLATE = json.loads(Path(sys.argv.pop(1)).read_text())
VERSION = tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["package"]["version"]
REGION, ACCOUNT = "eu-central-1", "123456789012"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms"
CA = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"
# CodePipeline waits so long for an answer. https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
ACTION_SECONDS = 20 * 60
CLUSTER = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
ROLE = "arn:aws:iam::210987654321:role/landfall/deploy"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/deploys"
REFERENCE = "/aws/reference/secretsmanager/"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
# What must be known of a cluster, for each way in.
PLAIN = {"ClusterUrl": "https://10.0.0.1:6443"}
EKS = {"EksCluster": "prod"}
OTHER_ACCOUNT = {"EksCluster": "arn:aws:eks:us-east-1:210987654321:cluster/prod", "EksRoleArn": ROLE}
KUBECONFIG = {"KubeconfigParameter": "/k8s/config"}
ALL = PLAIN | {
    "TokenParameter": "/k8s/token", "CaParameter": "k8s-ca", "KeyArn": KEY, "RotateToken": "yes",
    "SubnetIds": "subnet-0a1b2c3d,subnet-0a1b2c3e", "SecurityGroupIds": "sg-0a1b2c3d",
    "AlarmTopicArn": TOPIC, "ReservedConcurrency": "3", "Alarms": "yes", "ChatPipelines": "shop,web",
    "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary", "EventBusArn": BUS,
}


class Stack:
    """A stack of these parameters, in an AWS of its own. The pipeline's role is there before."""

    def __init__(self, parameters):
        self.mock = mock_aws()
        self.parameters = parameters

    def __enter__(self):
        self.mock.start()
        try:
            self.create()
        except BaseException:
            # Or every stack after it fails, too.
            self.mock.stop()
            raise
        return self

    def create(self):
        s3 = client("s3")
        s3.create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
        if role := self.parameters.get("PipelineRoleName"):
            client("iam").create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("bootstrap", "")
        s3.put_object(Bucket="packages", Key="function.zip", Body=package.getvalue())
        if "CodeBucket" in TEMPLATE["Parameters"]:
            # The template of a release, and the package under its own name.
            s3.put_object(Bucket="packages", Key=f"landfall-{VERSION}-x86_64.zip", Body=package.getvalue())
            self.parameters = {"CodeBucket": "packages"} | self.parameters
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]
        client("cloudformation").create_stack(
            StackName="landfall", TemplateBody=json.dumps(TEMPLATE), Parameters=given,
            Capabilities=["CAPABILITY_IAM"])
        stacks = cloudformation_backends[ACCOUNT][REGION].stacks.values()
        self.map = next(iter(stacks)).resource_map

    def __exit__(self, *_):
        self.mock.stop()

    def allows(self):
        """The statements of the role's policy, by their names."""
        role, = self.properties("AWS::IAM::Role").values()
        policy, = [one["PolicyDocument"] for one in role["Policies"]]
        # It is looked at more closely here than where a stack brings it.
        client("iam").create_policy(PolicyName="deploy", PolicyDocument=json.dumps(policy))
        return {statement.pop("Sid"): statement for statement in policy["Statement"]}

    def function(self):
        return client("lambda").get_function_configuration(FunctionName="landfall")

    def properties(self, kind):
        """The properties of the resources of a kind whose condition holds, resolved."""
        resources = TEMPLATE["Resources"].items()
        return {name: without_none(clean_json(one["Properties"], self.map)) for name, one in resources
                if one["Type"] == kind and self.map.lazy_condition_map.get(one.get("Condition"), True)}


def without_none(value):
    """What is left where AWS::NoValue stood."""
    if isinstance(value, dict):
        return {name: without_none(one) for name, one in value.items() if one is not None}
    return [without_none(one) for one in value if one is not None] if isinstance(value, list) else value


def holds(rule, parameters):
    """What a function of CloudFormation's rules says of these parameters."""
    (name, value), = rule.items()
    if name == "Ref":
        return parameters.get(value, TEMPLATE["Parameters"][value].get("Default"))
    values = [holds(one, parameters) if isinstance(one, dict) else one for one in value]
    return {"Fn::Equals": lambda: values[0] == values[1], "Fn::Not": lambda: not values[0],
            "Fn::Or": lambda: any(values), "Fn::And": lambda: all(values)}[name]()


def allow(action, resource):
    return {"Effect": "Allow", "Action": action, "Resource": resource}


# What every function may do.
EVER = {
    "ReportToCodePipeline": allow(["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"], "*"),
    "WriteLog": allow(["logs:CreateLogStream", "logs:PutLogEvents"],
                      f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/landfall"),
}


class WaysIn(unittest.TestCase):
    """The rights, the variables and the access entry of each way into a cluster: these, and no others."""

    def check(self, parameters, rights, variables):
        with self.subTest(parameters), Stack(parameters) as stack:
            self.assertEqual(stack.allows(), EVER | rights)
            self.assertEqual(stack.function()["Environment"]["Variables"], variables)
            self.assertEqual(stack.properties("AWS::EKS::AccessEntry"), {}, "it was not asked for")
            self.assertEqual(client("events").list_rules()["Rules"], [], "only a token is renewed")

    def test_token(self):
        self.check(PLAIN, {"ReadTokenAndCa": allow("ssm:GetParameters", [f"{PARAMETER}/k8s-bear-token"])},
                   {"K8S_CLUSTER": "https://10.0.0.1:6443", "K8S_TOKEN_PARAMETER": "k8s-bear-token"})

    def test_eks(self):
        abroad = OTHER_ACCOUNT["EksCluster"]
        for given, arn in [("prod", CLUSTER), (CLUSTER, CLUSTER), (abroad, abroad), ("arn", CLUSTER[:-4] + "arn")]:
            self.check({"EksCluster": given}, {"DescribeCluster": allow("eks:DescribeCluster", arn)},
                       {"EKS_CLUSTER": given})

    def test_eks_takes_nothing_of_the_tokens_way(self):
        # What CloudFormation keeps from before, without its rules.
        more = {"RotateToken": "yes", "KeyArn": KEY, "EksExternalId": "id"}
        self.check(EKS | more, {"DescribeCluster": allow("eks:DescribeCluster", CLUSTER)}, {"EKS_CLUSTER": "prod"})

    def test_access_entry(self):
        for given, cluster in [
            ("prod", "prod"), (CLUSTER, "prod"),
            # EKS refuses an ARN in the place of a name, and no entry is made in the `prod` of this region.
            (OTHER_ACCOUNT["EksCluster"], OTHER_ACCOUNT["EksCluster"]),
            (CLUSTER.replace(REGION, "us-east-1"), CLUSTER.replace(REGION, "us-east-1")),
        ]:
            with self.subTest(given), Stack({"EksCluster": given, "CreateAccessEntry": "yes"}) as stack:
                entry, = stack.properties("AWS::EKS::AccessEntry").values()
                role = stack.function()["Role"]
                self.assertEqual(entry, {"ClusterName": cluster, "PrincipalArn": role, "KubernetesGroups": ["landfall"]})
                model = client("eks").meta.service_model.operation_model("CreateAccessEntry")
                asked = {name[0].lower() + name[1:]: value for name, value in entry.items()}
                report = ParamValidator().validate(asked, model.input_shape)
                self.assertFalse(report.has_errors(), report.generate_report())

    def test_the_entrys_group_is_the_one_that_the_roles_are_bound_to(self):
        groups = set(TEMPLATE["Resources"]["AccessEntry"]["Properties"]["KubernetesGroups"])
        for file in ["rbac", "rbac-switching"]:
            documents = yaml.safe_load_all(Path(f"deploy/{file}.yaml").read_text())
            subjects = [one for document in documents for one in document.get("subjects", [])]
            self.assertEqual({one["name"] for one in subjects if one["kind"] == "Group"}, groups)

    def test_eks_of_another_account(self):
        rights = {"AssumeClusterRole": allow("sts:AssumeRole", ROLE)}
        variables = {"EKS_CLUSTER": OTHER_ACCOUNT["EksCluster"], "EKS_ROLE": ROLE}
        self.check(OTHER_ACCOUNT, rights, variables)
        self.check(OTHER_ACCOUNT | {"EksExternalId": "shop-1"}, rights, variables | {"EKS_EXTERNAL_ID": "shop-1"})
        self.assertTrue(TEMPLATE["Parameters"]["EksExternalId"]["NoEcho"])

    def test_kubeconfig_in_a_parameter(self):
        through = {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}
        of = "kms:EncryptionContext:PARAMETER_ARN"
        for given, path in [("config", "/config"), ("/k8s/config:3", "/k8s/config"), ("config:live", "/config")]:
            read = {"ReadKubeconfig": allow("ssm:GetParameters", PARAMETER + path)}
            self.check({"KubeconfigParameter": given}, read, {"KUBECONFIG_PARAMETER": given})
            decrypt = allow("kms:Decrypt", KEY) | {"Condition": {"StringEquals": through | {of: PARAMETER + path}}}
            self.check({"KubeconfigParameter": given, "KeyArn": KEY}, read | {"DecryptKubeconfig": decrypt},
                       {"KUBECONFIG_PARAMETER": given})

    def test_kubeconfig_in_a_secret(self):
        through = {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}
        for given, name in [("config", "config"), ("k8s/config@1", "k8s/config@1"), ("k8s/config:AWSPREVIOUS", "k8s/config")]:
            variables = {"KUBECONFIG_PARAMETER": REFERENCE + given}
            secret = f"{SECRET}{name}-??????"
            read = {"ReadKubeconfig": allow("ssm:GetParameters", PARAMETER + REFERENCE + name),
                    "ReadSecretOfKubeconfig": allow("secretsmanager:GetSecretValue", secret)}
            self.check({"KubeconfigParameter": REFERENCE + given}, read, variables)
            decrypt = allow("kms:Decrypt", KEY) | {"Condition": {
                "StringEquals": through, "StringLike": {"kms:EncryptionContext:SecretARN": secret}}}
            self.check({"KubeconfigParameter": REFERENCE + given, "KeyArn": KEY}, read | {"DecryptKubeconfig": decrypt},
                       variables)

    def test_kubeconfig_whose_users_assume_roles(self):
        roles = [ROLE, ROLE + "2"]
        self.check(KUBECONFIG | {"KubeconfigRoleArns": ",".join(roles)},
                   {"ReadKubeconfig": allow("ssm:GetParameters", f"{PARAMETER}/k8s/config"),
                    "AssumeKubeconfigRoles": allow("sts:AssumeRole", roles)},
                   {"KUBECONFIG_PARAMETER": "/k8s/config"})


class Least(unittest.TestCase):
    """What is there, and no more than that, where nothing but the cluster is named."""

    def test_nobody_but_lambda_takes_the_role(self):
        for parameters in [PLAIN, ALL, EKS, OTHER_ACCOUNT, KUBECONFIG]:
            with Stack(parameters) as stack:
                role, = stack.properties("AWS::IAM::Role").values()
                self.assertEqual(role["AssumeRolePolicyDocument"], {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]})
                self.assertNotIn("ManagedPolicyArns", role, "a right that is not written out")

    def test_function(self):
        with Stack(PLAIN) as stack:
            function = stack.function()
            self.assertNotIn("VpcConfig", function)
            self.assertEqual((function["Runtime"], function["Handler"], function["PackageType"]),
                             ("provided.al2023", "bootstrap", "Zip"))
            concurrency = client("lambda").get_function_concurrency(FunctionName="landfall")
            self.assertNotIn("ReservedConcurrentExecutions", concurrency)
            self.assertEqual(client("events").list_rules()["Rules"], [])
            group, = client("logs").describe_log_groups()["logGroups"]
            self.assertEqual((group["logGroupName"], group["retentionInDays"]), ("/aws/lambda/landfall", 90))

    def test_log_and_processor(self):
        with Stack(PLAIN) as stack:
            function, = stack.properties("AWS::Lambda::Function").values()
            self.assertEqual(function["Architectures"], ["x86_64"])
            self.assertEqual(function["LoggingConfig"], {
                "LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": "/aws/lambda/landfall"})

    def test_no_event_is_repeated_or_comes_when_nobody_waits(self):
        with Stack(PLAIN) as stack:
            events, = stack.properties("AWS::Lambda::EventInvokeConfig").values()
            events.pop("Qualifier")
            self.assertFalse(events.pop("DestinationConfig"), "the event has credentials in it")
            kept = client("lambda").put_function_event_invoke_config(**events)
            self.assertEqual(kept["MaximumRetryAttempts"], 0)
            self.assertLess(kept["MaximumEventAgeInSeconds"], ACTION_SECONDS)


class Everything(unittest.TestCase):
    """What each parameter adds."""

    def test_role(self):
        through = {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}
        token, ca = f"{PARAMETER}/k8s/token", f"{PARAMETER}/k8s-ca"
        of = "kms:EncryptionContext:PARAMETER_ARN"
        with Stack(ALL) as stack:
            allows = stack.allows()
            self.assertEqual(allows["ReadTokenAndCa"]["Resource"], [token, ca])
            self.assertEqual(allows["DecryptTokenAndCa"], {
                "Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY,
                "Condition": {"StringEquals": through | {of: [token, ca]}}})
            self.assertEqual(allows["StoreRenewedToken"], {
                "Effect": "Allow", "Action": ["ssm:GetParameterHistory", "ssm:PutParameter"], "Resource": token})
            self.assertEqual(allows["EncryptRenewedToken"], {
                "Effect": "Allow", "Action": ["kms:Encrypt", "kms:GenerateDataKey"], "Resource": KEY,
                "Condition": {"StringEquals": through | {of: token}}})
            self.assertEqual(allows["NetworkIsForLambdaAlone"], {
                "Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": {"ArnEquals": {
                    "lambda:SourceFunctionArn": stack.function()["FunctionArn"]}}})
            wide = [name for name, one in allows.items() if one["Resource"] == "*" and one["Effect"] == "Allow"]
            self.assertEqual(wide, ["ReportToCodePipeline", "ReadAlarms", "ConnectToVpc"])

    def test_each_right_comes_with_its_parameter_alone(self):
        least = {"ReadTokenAndCa", "ReportToCodePipeline", "WriteLog"}
        network = {"SubnetIds": "subnet-0a1b2c3d", "SecurityGroupIds": "sg-0a1b2c3d"}
        for more, expected in [
            ({"KeyArn": KEY}, {"DecryptTokenAndCa"}),
            ({"RotateToken": "yes"}, {"StoreRenewedToken"}),
            ({"RotateToken": "yes", "KeyArn": KEY},
             {"DecryptTokenAndCa", "StoreRenewedToken", "EncryptRenewedToken"}),
            ({"Alarms": "yes"}, {"ReadAlarms"}),
            ({"EventBusArn": BUS}, {"SendEvents"}),
            ({"ArtifactBucket": "releases"}, {"ReadArtifactsOfCalls"}),
            ({"ArtifactBucket": "releases", "ArtifactKeyArn": KEY},
             {"ReadArtifactsOfCalls", "DecryptArtifactsOfCalls"}),
            ({"ArtifactKeyArn": KEY}, set()),
            (network, {"ConnectToVpc", "NetworkIsForLambdaAlone"}),
            ({"ClusterCa": CA}, set()),
            ({"AlarmTopicArn": TOPIC}, set()),
        ]:
            with self.subTest(more), Stack(PLAIN | more) as stack:
                self.assertEqual(set(stack.allows()) - least, expected)

    def test_artifacts_of_calls(self):
        bucket = "arn:aws:s3:::releases"
        with Stack(PLAIN | {"ArtifactBucket": "releases", "ArtifactKeyArn": KEY}) as stack:
            allows = stack.allows()
            # Whoever makes a bucket of this name in another account cannot hand anything in.
            self.assertEqual(allows["ReadArtifactsOfCalls"], allow("s3:GetObject", f"{bucket}/*") | {
                "Condition": {"StringEquals": {"aws:ResourceAccount": ACCOUNT}}})
            self.assertEqual(allows["DecryptArtifactsOfCalls"], allow("kms:Decrypt", KEY) | {
                "Condition": {"StringLike": {"kms:ViaService": "s3.*.amazonaws.com",
                                             "kms:EncryptionContext:aws:s3:arn": [bucket, f"{bucket}/*"]}}})
            self.assertEqual(stack.function()["Environment"]["Variables"]["ARTIFACT_BUCKET"], "releases")

    def test_events(self):
        with Stack(PLAIN | {"EventBusArn": BUS}) as stack:
            self.assertEqual(stack.allows()["SendEvents"], allow("events:PutEvents", BUS) | {
                "Condition": {"StringEquals": {"events:source": "landfall"}}})
            self.assertEqual(stack.function()["Environment"]["Variables"]["EVENT_BUS"], BUS)

    def test_names_of_parameters(self):
        for given, expected in [
            ("k8s-bear-token", "/k8s-bear-token"),
            ("k8s-bear-token:3", "/k8s-bear-token"),
            ("k8s-bear-token:current", "/k8s-bear-token"),
            ("/k8s/prod/token", "/k8s/prod/token"),
            ("/token:12", "/token"),
        ]:
            more = {"TokenParameter": given, "CaParameter": given + "-ca", "KeyArn": KEY, "RotateToken": "yes"}
            with self.subTest(given), Stack(PLAIN | more) as stack:
                allows = stack.allows()
                ca = expected if ":" in given else expected + "-ca"
                both = [PARAMETER + expected, PARAMETER + ca]
                self.assertEqual(allows["ReadTokenAndCa"]["Resource"], both)
                for name in ["DecryptTokenAndCa", "EncryptRenewedToken"]:
                    context = allows[name]["Condition"]["StringEquals"]["kms:EncryptionContext:PARAMETER_ARN"]
                    self.assertEqual(context, both if name.startswith("Decrypt") else both[0])
                self.assertEqual(allows["StoreRenewedToken"]["Resource"], both[0])
                self.assertEqual(stack.function()["Environment"]["Variables"]["K8S_TOKEN_PARAMETER"], given)

    def test_function(self):
        with Stack(ALL) as stack:
            function = stack.function()
            self.assertEqual(function["Environment"]["Variables"], {
                "K8S_CLUSTER": PLAIN["ClusterUrl"], "K8S_TOKEN_PARAMETER": "/k8s/token",
                "K8S_CA_PARAMETER": "k8s-ca", "EVENT_BUS": BUS})
            self.assertEqual(function["VpcConfig"]["SubnetIds"], ["subnet-0a1b2c3d", "subnet-0a1b2c3e"])
            self.assertEqual(function["VpcConfig"]["SecurityGroupIds"], ["sg-0a1b2c3d"])
            concurrency = client("lambda").get_function_concurrency(FunctionName="landfall")
            self.assertEqual(concurrency["ReservedConcurrentExecutions"], 3)
        with Stack(PLAIN | {"ClusterCa": CA}) as stack:
            self.assertEqual(stack.function()["Environment"]["Variables"]["K8S_CA"], CA)

    def test_rotation(self):
        with Stack(ALL) as stack:
            events = client("events")
            rules = [rule for rule in events.list_rules()["Rules"] if "Chat" not in rule["Name"]]
            self.assertEqual(sorted(rule.get("ScheduleExpression", "") for rule in rules), ["", "rate(8 hours)"])
            for rule in rules:
                self.assertEqual(rule["State"], "ENABLED")
                target, = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
                self.assertEqual(json.loads(target["Input"]), {"rotate": True})
                self.assertEqual(target["Arn"], stack.function()["FunctionArn"])
            policy = json.loads(client("lambda").get_policy(FunctionName="landfall")["Policy"])
            callers = [one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in policy["Statement"]]
            self.assertEqual(sorted(callers), sorted(rule["Arn"] for rule in rules))
            first, = [rule for rule in rules if "ScheduleExpression" not in rule]
            pattern = EventPattern.load(first["EventPattern"])
            stack_id = client("cloudformation").describe_stacks(StackName="landfall")["Stacks"][0]["StackId"]
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/event-detail-stack-status-change.html
        for of, status, expected in [
            (stack_id, "CREATE_COMPLETE", True), (stack_id, "UPDATE_COMPLETE", True),
            (stack_id, "CREATE_IN_PROGRESS", False), (stack_id, "DELETE_COMPLETE", False),
            (stack_id + "2", "CREATE_COMPLETE", False),
        ]:
            event = {"source": "aws.cloudformation", "detail-type": "CloudFormation Stack Status Change",
                     "detail": {"stack-id": of, "status-details": {"status": status, "status-reason": ""}}}
            self.assertEqual(pattern.matches_event(event), expected, (of, status))
        # Three runs within the token's 24 hours, and one within the 12 that the alarm waits.
        schedules = TEMPLATE["Parameters"]["RotationSchedule"]
        self.assertIn(schedules["Default"], schedules["AllowedValues"])
        for schedule in schedules["AllowedValues"]:
            hours = re.fullmatch(r"rate\((\d+) hours?\)", schedule)
            self.assertIsNotNone(hours, schedule)
            self.assertLessEqual(int(hours[1]) * 3, 24, schedule)


class Seen(unittest.TestCase):
    """Alarms, dashboard, outputs."""

    def test_alarms(self):
        # Statistic, what rings, period in seconds, what no data is.
        above = ("Sum", "GreaterThanThreshold", 0, 300, 1, "notBreaching")
        ever = {("AWS/Lambda", "Errors"): above, ("AWS/Lambda", "Throttles"): above, ("Landfall", "Failures"): above}
        # Short periods: CloudWatch looks back a few more of them than it is told to.
        renewal = {("Landfall", "Rotations"): ("Sum", "LessThanThreshold", 1, 60 * 60, 12, "missing")}
        for parameters, expected, actions in [
            (PLAIN, ever, []), (ALL, ever | renewal, [TOPIC]), (PLAIN | {"RotateToken": "yes"}, ever | renewal, []),
            (EKS, ever, []), (KUBECONFIG, ever, []), (EKS | {"RotateToken": "yes"}, ever, [])]:
            with Stack(parameters) as stack:
                cloudwatch = client("cloudwatch")
                for properties in stack.properties("AWS::CloudWatch::Alarm").values():
                    cloudwatch.put_metric_alarm(**properties)
                alarms = cloudwatch.describe_alarms()["MetricAlarms"]
                found = {(one["Namespace"], one["MetricName"]): tuple(one[name] for name in (
                    "Statistic", "ComparisonOperator", "Threshold", "Period", "EvaluationPeriods", "TreatMissingData"))
                    for one in alarms}
                self.assertEqual(found, expected)
                for alarm in alarms:
                    self.assertEqual(alarm["Dimensions"], [{"Name": "FunctionName", "Value": "landfall"}])
                    # A renewal that did not come is data that is not there. A new alarm has none either, and
                    # only a change of its state notifies: none rings from the first minute.
                    absent = alarm["MetricName"] == "Rotations"
                    self.assertEqual(alarm["AlarmActions"], [] if absent else actions)
                    self.assertEqual(alarm["InsufficientDataActions"], actions if absent else [])
                    self.assertNotEqual(alarm["TreatMissingData"], "breaching")

    def test_dashboard(self):
        for parameters in [ALL, PLAIN]:
            with Stack(parameters) as stack:
                cloudwatch = client("cloudwatch")
                body = json.loads(cloudwatch.get_dashboard(DashboardName=f"landfall-{REGION}")["DashboardBody"])
                shown, = [one["properties"]["alarms"] for one in body["widgets"] if one["type"] == "alarm"]
                made = [one["AlarmName"] for one in stack.properties("AWS::CloudWatch::Alarm").values()]
                prefix = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
                self.assertEqual(sorted(shown), sorted(prefix + name for name in made))
        log, = [one["properties"]["query"] for one in body["widgets"] if one["type"] == "log"]
        self.assertTrue(log.startswith("SOURCE '/aws/lambda/landfall' | fields "), log)
        # What the function writes of a failure (src/handler.rs).
        line = re.search(r"tracing::error!\(([^)]*), \"(reporting failure)\"\)", Path("src/handler.rs").read_text())
        self.assertIn(f"filter message = '{line[2]}'", log)
        for field in ["cause", "kind", "topic"]:
            self.assertIn(field, line[1].split(", "))
            self.assertRegex(log, rf"fields [^|]*\b{field}\b")
        metrics = [metric for widget in body["widgets"] for metric in widget["properties"].get("metrics", [])]
        searches = [metric[0]["expression"] for metric in metrics if "SEARCH" in str(metric[0])]
        by = "{Landfall,FunctionName,Namespace,Deployment}"
        self.assertEqual([re.search(r'MetricName="(\w+)"', one)[1] for one in searches if by in one],
                         ["Deploys", "Failures"])
        named = [metric for metric in metrics if isinstance(metric[0], str)]
        self.assertEqual({tuple(metric[2:4]) for metric in named}, {("FunctionName", "landfall")})
        ours = {metric[1] for metric in named if metric[0] == "Landfall"}
        self.assertEqual(ours, {"Deploys", "Failures", "Duration", "LeadTime", "ApiCalls", "ApiBytes"})
        places = [(one["x"], one["y"], one["width"], one["height"]) for one in body["widgets"]]
        self.assertEqual(len(set(places)), len(places), "two lie upon each other")
        with Stack(PLAIN | {"Dashboard": "no"}):
            self.assertEqual(client("cloudwatch").list_dashboards()["DashboardEntries"], [])

    def test_outputs(self):
        with Stack(PLAIN) as stack:
            described = client("cloudformation").describe_stacks(StackName="landfall")["Stacks"][0]
            outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
            self.assertEqual(outputs["FunctionName"], "landfall")
            policy = json.loads(outputs["PipelinePolicy"])
            client("iam").create_policy(PolicyName="pipeline", PolicyDocument=json.dumps(policy))
            rights = {one["Action"]: one["Resource"] for one in policy["Statement"]}
            self.assertEqual(rights, {"lambda:InvokeFunction": stack.function()["FunctionArn"],
                                      "lambda:ListFunctions": "*"})


class Asked(unittest.TestCase):
    """What some accounts demand, or what saves a step by hand."""

    def test_the_pipelines_role_gets_what_the_output_says(self):
        with Stack(PLAIN | {"PipelineRoleName": "shop"}) as stack:
            name, = client("iam").list_role_policies(RoleName="shop")["PolicyNames"]
            policy = client("iam").get_role_policy(RoleName="shop", PolicyName=name)
            described = client("cloudformation").describe_stacks(StackName="landfall")["Stacks"][0]
            output, = [one["OutputValue"] for one in described["Outputs"] if one["OutputKey"] == "PipelinePolicy"]
            self.assertEqual(policy["PolicyDocument"], json.loads(output))
        for parameters in [PLAIN, ALL]:
            with Stack(parameters) as stack:
                self.assertEqual(stack.properties("AWS::IAM::Policy"), {})

    def test_boundary(self):
        for parameters in [PLAIN, ALL]:
            with Stack(parameters) as stack:
                roles = stack.properties("AWS::IAM::Role").values()
                self.assertEqual([role.get("PermissionsBoundary") for role in roles],
                                 [parameters.get("PermissionsBoundary")])


class Application(unittest.TestCase):
    """What the Serverless Application Repository takes, by its own description."""

    def test_metadata(self):
        given = yaml_parse(Path("template.yaml").read_text())["Metadata"]["AWS::ServerlessRepo::Application"]
        shape = client("serverlessrepo").meta.service_model.operation_model("CreateApplication").input_shape
        # `sam publish` uploads these files, and names the place of the template itself.
        self.assertLessEqual(set(given), set(shape.members))
        self.assertLessEqual({"Author", "Description", "Name", "SpdxLicenseId"} | set(shape.required_members), set(given))
        checked = 0
        for name, value in given.items():
            told = html.unescape(re.sub(r"<[^>]*>", "", shape.members[name].documentation))
            least, most = re.search(r"Minimum length=(\d+)", told), re.search(r"Maximum length=(\d+)", told)
            pattern, many = re.search(r'[Pp]attern:? "(.*?)"', told), re.search(r"number of labels: (\d+)", told)
            for one in value if isinstance(value, list) else [value]:
                self.assertGreaterEqual(len(one), int(least[1]) if least else 1, name)
                self.assertLessEqual(len(one), int(most[1]) if most else len(one), name)
                if pattern:
                    self.assertRegex(one, f"^(?:{pattern[1].encode().decode('unicode_escape')})$", name)
                    checked += 1
            self.assertLessEqual(len(value) if many else 0, int(many[1]) if many else 0, name)
        self.assertGreaterEqual(checked, 3, "name, author, and the labels have patterns")
        for file in ["LicenseUrl", "ReadmeUrl"]:
            self.assertLess(Path(given[file]).stat().st_size, 5_000_000)
        # https://semver.org
        self.assertRegex(given["SemanticVersion"], r"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$")


class Refused(unittest.TestCase):
    """What CloudFormation does not take, before it makes anything."""

    def test_patterns(self):
        for name, good, bad in [
            ("ClusterUrl", ["https://c", "https://10.0.0.1:6443", "https://A1.gr7.eu-central-1.eks.amazonaws.com/"],
             ["http://c", "c", "https://", "https://c/api", "https://u:p@c", "https://c?x", "https://c d"]),
            ("EksCluster", ["", "prod", "A_b-1", "1a", CLUSTER, CLUSTER.replace("aws", "aws-us-gov", 1)],
             ["-prod", "a b", "a.b", "https://c", "a" * 101, ROLE, CLUSTER.replace("cluster/", "cluster:")]),
            ("EksRoleArn", ["", ROLE, ROLE.replace("aws", "aws-cn", 1)],
             ["landfall", "arn:aws:iam::1:role/a", "arn:aws:sts::210987654321:assumed-role/a/b", f"{ROLE} "]),
            ("EksExternalId", ["", "id", "a:b/c@d=e,f+g.h_i-j"], ["i", "a b", "a" * 1225]),
            ("KubeconfigParameter", ["", "c", "/k8s/c:2", REFERENCE + "c", REFERENCE + "k8s/c@1:AWSCURRENT"],
             ["/", "k8s/c", f"{PARAMETER}/c", f"{SECRET}c-123456", "c@1", REFERENCE, "c:1:2"]),
            ("KubeconfigRoleArns", ["", ROLE, f"{ROLE},{ROLE}"], [f"{ROLE}, {ROLE}", f"{ROLE},", ",", "role"]),
            ("FunctionName", ["landfall", "A_b-1"], ["", "a b", "a.b", "a" * 65]),
            ("TokenParameter", ["t", "t:3", "t:good", "/a/b", "/a/b:1", "a.b_c-d"],
             ["", "a/b", "/", "/a/", "t:", "t:1:2", "t x", f"{PARAMETER}/t"]),
            ("CaParameter", ["", "ca", "/a/ca:2"], ["a/b", f"{PARAMETER}/ca"]),
            ("ClusterCa", ["", CA, f"{CA[:20]}\n{CA[20:]}\n", "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"],
             ["x", "/k8s/ca", "-----BEGIN PRIVATE KEY-----", "LS0t"]),
            ("KeyArn", ["", KEY, "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1"],
             ["0a1b", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/k8s", "alias/k8s"]),
            ("ArtifactBucket", ["", "releases", "a.b-c1"], ["s3://releases", "releases/web", "a", "Releases", "*"]),
            ("ArtifactKeyArn", ["", KEY], ["alias/k8s", "0a1b"]),
            ("SubnetIds", ["", "subnet-0a1b2c3d", ALL["SubnetIds"]], ["subnet-0a, subnet-0b", "sg-0a", ","]),
            ("SecurityGroupIds", ["", "sg-0a1b2c3d", "sg-0a,sg-0b"], ["sg-0a, sg-0b", "subnet-0a"]),
            ("ReservedConcurrency", ["", "1", "100"], ["0", "-1", "many", "12345"]),
            ("PipelineRoleName", ["", "AWSCodePipelineServiceRole-eu-central-1-shop", "a+=,.@-_b"],
             ["arn:aws:iam::123456789012:role/a", "service-role/a", "a b", "a" * 65]),
            ("PermissionsBoundary", ["", ALL["PermissionsBoundary"], "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"],
             ["boundary", ROLE, "arn:aws:iam::1:policy/a"]),
            ("CodeBucket", ["packages", "my.bucket-1"], ["", "s3://packages", "Packages", "packages/"]),
            ("CodeKey", ["", "landfall.zip", "a/b.zip"], ["/a.zip", " "]),
            ("ChatPipelines", ["", "shop", "shop,web.2@_-"], ["shop, web", "shop,", ",", "a" * 101]),
            ("AlarmTopicArn", ["", TOPIC, TOPIC + ".fifo"], ["alarms", KEY]),
        ]:
            parameter = TEMPLATE["Parameters"].get(name)
            if name.startswith("Code") and not parameter:
                continue
            self.assertTrue(parameter["ConstraintDescription"])
            for value in good:
                self.assertRegex(value, re.compile(parameter["AllowedPattern"]), name)
            for value in bad:
                self.assertNotRegex(value, re.compile(parameter["AllowedPattern"]), name)
        # The words are for these alone: where there is a choice or a range, CloudFormation lists it.
        for name, parameter in TEMPLATE["Parameters"].items():
            self.assertTrue({"AllowedPattern", "AllowedValues", "MaxValue"} & set(parameter), name)

    def test_rules(self):
        subnets, groups = {"SubnetIds": "subnet-0a"}, {"SecurityGroupIds": "sg-0a"}
        for parameters, broken in [
            (PLAIN, []), (ALL, []), (PLAIN | subnets | groups, []), (PLAIN | {"ClusterCa": CA}, []),
            (PLAIN | {"CaParameter": "ca"}, []), (EKS, []), (EKS | {"CreateAccessEntry": "yes"}, []),
            (OTHER_ACCOUNT, []), (OTHER_ACCOUNT | {"EksExternalId": "id"}, []), (KUBECONFIG, []),
            (KUBECONFIG | {"KubeconfigRoleArns": ROLE}, []),
            ({}, ["OneCluster"]), (PLAIN | EKS, ["OneCluster"]), (PLAIN | KUBECONFIG, ["OneCluster"]),
            (EKS | KUBECONFIG, ["OneCluster"]), (PLAIN | EKS | KUBECONFIG, ["OneCluster"]),
            (EKS | {"CaParameter": "ca"}, ["CaBelongsToUrl"]), (KUBECONFIG | {"ClusterCa": CA}, ["CaBelongsToUrl"]),
            (EKS | {"RotateToken": "yes"}, ["RotationNeedsToken"]),
            (KUBECONFIG | {"RotateToken": "yes"}, ["RotationNeedsToken"]),
            (PLAIN | {"EksRoleArn": ROLE}, ["RoleBelongsToEks"]),
            (KUBECONFIG | {"EksRoleArn": ROLE}, ["RoleBelongsToEks"]),
            (EKS | {"EksExternalId": "id"}, ["ExternalIdNeedsRole"]),
            (PLAIN | {"CreateAccessEntry": "yes"}, ["AccessEntryIsForThisRole"]),
            (OTHER_ACCOUNT | {"CreateAccessEntry": "yes"}, ["AccessEntryIsForThisRole"]),
            (EKS | {"KubeconfigRoleArns": ROLE}, ["RolesBelongToKubeconfig"]),
            (EKS | {"ArtifactBucket": "b", "ArtifactKeyArn": KEY}, []),
            (EKS | {"ArtifactKeyArn": KEY}, ["ArtifactKeyNeedsBucket"]),
            (PLAIN | {"ClusterCa": CA, "CaParameter": "ca"}, ["OneCa"]),
            (PLAIN | subnets, ["SubnetsHaveSecurityGroups"]),
            (PLAIN | groups, ["SecurityGroupsHaveSubnets"]),
        ]:
            found = [name for name, rule in TEMPLATE["Rules"].items()
                     if holds(rule.get("RuleCondition", {"Fn::Equals": [1, 1]}), parameters)
                     and not all(holds(one["Assert"], parameters) for one in rule["Assertions"])]
            self.assertEqual(found, broken, parameters)

    def test_every_parameter_is_explained_and_used(self):
        rest = json.dumps({name: value for name, value in TEMPLATE.items() if name not in ("Parameters", "Metadata")})
        grouped = [name for group in TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
                   for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(TEMPLATE["Parameters"]))
        for name, parameter in TEMPLATE["Parameters"].items():
            self.assertTrue(parameter["Description"], name)
            self.assertRegex(rest, f'"{name}"|\\$\\{{{name}\\}}')


if __name__ == "__main__":
    unittest.main()
