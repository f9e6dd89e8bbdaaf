"""A template as CloudFormation would carry it out: created in moto, with all its values filled in.

moto's CloudFormation does not know some types. They are taught to it here: each is made by the very
call that CloudFormation would make, so that botocore's model of the service refuses what AWS would.
"""

import json
import logging
import os
from pathlib import Path

os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="eu-central-1",
)

import boto3
from botocore.validate import ParamValidator
from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

REGION, ACCOUNT = "eu-central-1", "123456789012"
# Maps whose keys are ours, and names that differ in more than the first letter.
PLAIN_MAPS = {"Configuration"}
SPELT = {"BuildSpec": "buildspec"}


class Stack:
    """A template with parameters, created: `resources` has what each became, by logical name."""

    def __init__(self, path: Path, parameters: dict[str, str]):
        self.resources: dict[str, dict] = {}
        self.kinds: dict[str, str] = {}
        unpatched = parsing.parse_resource_and_generate_name

        def recorded(logical_id, resource, resources):
            made = unpatched(logical_id, resource, resources)
            assert made, f"{path}: moto does not know {resource['Type']}: teach it in stack.py"
            self.resources[logical_id] = made[1]["Properties"]
            self.kinds[logical_id] = resource["Type"]
            return made

        parsing.parse_resource_and_generate_name = recorded
        try:
            cloudformation = boto3.client("cloudformation")
            cloudformation.create_stack(
                StackName="example",
                TemplateBody=path.read_text(),
                Parameters=[
                    {"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()
                ],
                Capabilities=["CAPABILITY_IAM"],
            )
        finally:
            parsing.parse_resource_and_generate_name = unpatched
        made = cloudformation.describe_stacks(StackName="example")["Stacks"][0]
        assert made["StackStatus"] == "CREATE_COMPLETE", made
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in made.get("Outputs", [])}

    def of(self, kind: str) -> dict[str, dict]:
        """All resources of a type."""
        return {k: v for k, v in self.resources.items() if self.kinds[k] == kind}

    def role(self, arn: str) -> str:
        """The logical name of a role, from its ARN as moto makes it."""
        (name,) = [one for one in self.of("AWS::IAM::Role") if f"/example-{one}-" in arn]
        return name


def as_api(node, key=None):
    """What a template says, as the API takes it: the same names with a small first letter."""
    if isinstance(node, list):
        return [as_api(one) for one in node]
    if isinstance(node, dict):
        if key in PLAIN_MAPS:
            return {name: str(value) for name, value in node.items()}
        return {
            SPELT.get(name, name[0].lower() + name[1:]): as_api(value, name)
            for name, value in node.items()
        }
    # YAML's words for CloudFormation's strings and numbers.
    return node


def checked(service, operation, request):
    """Holds a call against the service's own model: names, types, what is required."""
    model = boto3.client(service).meta.service_model.operation_model(operation)
    report = ParamValidator().validate(request, model.input_shape)
    assert not report.has_errors(), f"{operation}: {report.generate_report()}"


def project(name, properties):
    """moto's CodeBuild wants an address of every source, which one of CodePipeline has not."""
    checked("codebuild", "CreateProject", as_api(properties))
    return {"Arn": f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{name}"}


def pipeline(name, properties):
    boto3.client("codepipeline").create_pipeline(
        pipeline=as_api({k: v for k, v in properties.items() if k != "RestartExecutionOnUpdate"})
    )
    return {}


def bucket_policy(name, properties):
    boto3.client("s3").put_bucket_policy(
        Bucket=properties["Bucket"], Policy=json.dumps(properties["PolicyDocument"])
    )
    return {}


def topic_policy(name, properties):
    for topic in properties["Topics"]:
        boto3.client("sns").set_topic_attributes(
            TopicArn=topic,
            AttributeName="Policy",
            AttributeValue=json.dumps(properties["PolicyDocument"]),
        )
    return {}


def subscription(name, properties):
    boto3.client("sns").subscribe(**properties)
    return {}


def access_entry(name, properties):
    """moto has no access entries at all."""
    entry = as_api(properties)
    for policy in entry.pop("accessPolicies", []):
        whose = {one: entry[one] for one in ("clusterName", "principalArn")}
        checked("eks", "AssociateAccessPolicy", whose | policy)
    checked("eks", "CreateAccessEntry", entry)
    return {}


TAUGHT = {
    "AWS::CodeBuild::Project": ("Name", project),
    "AWS::CodePipeline::Pipeline": ("Name", pipeline),
    "AWS::S3::BucketPolicy": ("", bucket_policy),
    "AWS::SNS::TopicPolicy": ("", topic_policy),
    "AWS::SNS::Subscription": ("", subscription),
    "AWS::EKS::AccessEntry": ("", access_entry),
}


def taught(kind, name_property, make):
    """A class of the form that moto's CloudFormation looks for."""

    class Model(CloudFormationModel):
        # moto files its models by the second part of this.
        __module__ = "landfall.examples"

        def __init__(self, name, attributes):
            self.physical_resource_id = name
            self.attributes = attributes

        cloudformation_type = staticmethod(lambda: kind)
        cloudformation_name_type = staticmethod(lambda: name_property)

        @classmethod
        def has_cfn_attr(cls, attr):
            return attr == "Arn"

        def get_cfn_attribute(self, name):
            return self.attributes[name]

        @classmethod
        def create_from_cloudformation_json(cls, resource_name, resource, account, region, **_):
            return cls(resource_name, make(resource_name, resource["Properties"]))

    return Model


known = {model.cloudformation_type() for model in CloudFormationModel.__subclasses__()}
MODELS = [taught(kind, *how) for kind, how in TAUGHT.items() if kind not in known]
logging.getLogger("moto").setLevel(logging.ERROR)
