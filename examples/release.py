#!/usr/bin/env python3
"""The Release stage of examples/pipeline for real, short of AWS: the very UserParameters of the
template, the application's folder as the source artifact, a real Kubernetes API.

    landfall-control-plane --programs target/control-plane/bin -- \\
      examples/release.py --function target/debug/landfall --sandbox target/debug/landfall-sandbox

Needs what examples/check.py needs, and moto[server]. The sandbox plays Lambda, SSM and
CodePipeline; moto plays S3.
"""

import argparse
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from moto import mock_aws
from moto.server import ThreadedMotoServer

# No __pycache__ beside the examples.
sys.dont_write_bytecode = True

import check
from stack import ACCOUNT, REGION, Stack, boto3

BUCKET = f"codepipeline-{REGION}-{ACCOUNT}"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/web@sha256:"
KUBECTL = os.environ.get("LANDFALL_KUBECTL", "kubectl")


def kubectl(*arguments, input=None):
    command = [KUBECTL, *arguments]
    run = subprocess.run(command, input=input, text=True, capture_output=True, check=False)
    assert run.returncode == 0, f"kubectl {' '.join(arguments)}: {run.stderr}"
    return run.stdout


@mock_aws
def landfall_parameters():
    """UserParameters of Plan and Deploy, as the template makes them."""
    given = {"ConnectionArn": check.CONNECTION, "RepositoryId": "example/web"}
    made = Stack(check.HERE / "pipeline" / "pipeline.yaml", given)
    return check.check_pipeline(made, "V2", check.PIPELINE_STAGES)


def archive(folder, leave_out=()):
    """A folder as CodePipeline packs it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not set(path.parts) & set(leave_out):
                archive.write(path, path.relative_to(folder))
    return packed.getvalue()


def image_definitions(folder, image):
    """What the image stage hands on, by the command of its own buildspec."""
    buildspec = (check.APPLICATION / "buildspecs" / "image.yaml").read_text()
    (command,) = re.findall(r"- (printf .*)", buildspec)
    subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**os.environ, "IMAGE_URI": image},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return archive(folder)


class Release:
    """Runs actions against the cluster that KUBECONFIG and LANDFALL_CLUSTER name."""

    def __init__(self, options, folder, s3):
        self.options, self.folder = options, folder
        self.s3 = boto3.client("s3", endpoint_url=s3)
        self.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.put("SourceArtifact", archive(check.APPLICATION))
        # The sandbox has an S3 with one artifact of its own; ours are in moto.
        self.function = folder / "function"
        function = Path(options.function).resolve()
        self.function.write_text(f"#!/bin/sh\nAWS_ENDPOINT_URL_S3={s3} exec {function}\n")
        self.function.chmod(0o755)
        self.token = folder / "token"
        self.token.write_text(kubectl("create", "token", "landfall", "--duration", "1h"))
        self.jobs = 0

    def put(self, name, packed):
        self.s3.put_object(Bucket=BUCKET, Key=f"web/{name[:10]}/object", Body=packed)

    def image(self, image):
        folder = self.folder / "build"
        folder.mkdir(exist_ok=True)
        self.put("BuildArtifact", image_definitions(folder, image))

    def act(self, parameters):
        """One action, through all its invocations: whether it succeeded, and its report."""
        self.jobs += 1
        event = json.loads((check.HERE.parent / "events" / "artifact.json").read_text())
        job = event["CodePipeline.job"]
        job["id"] = f"11111111-abcd-1111-abcd-{self.jobs:012}"
        job["data"]["actionConfiguration"]["configuration"]["UserParameters"] = json.dumps(
            parameters
        )
        job["data"]["inputArtifacts"] = [
            {
                "name": name,
                "revision": parameters["variables"]["COMMIT"],
                "location": {
                    "type": "S3",
                    "s3Location": {"bucketName": BUCKET, "objectKey": f"web/{name[:10]}/object"},
                },
            }
            for name in ("SourceArtifact", "BuildArtifact")
        ]
        path = self.folder / "event.json"
        path.write_text(json.dumps(event))
        command = [self.options.sandbox, "invoke", "--plain", "--event", path]
        command += ["--function", self.function, "--cluster", os.environ["LANDFALL_CLUSTER"]]
        command += ["--token-file", self.token, "--ca", os.environ["LANDFALL_CLUSTER_CA"]]
        run = subprocess.run(command, text=True, capture_output=True, timeout=300, check=False)
        assert run.returncode in (0, 1), run.stderr
        return run.returncode == 0, run.stdout


def prepared():
    """What README.md tells to do once, by hand."""
    kubectl("apply", "-f", str(check.HERE.parent / "deploy" / "rbac.yaml"))
    kubectl("apply", "-f", str(check.APPLICATION / "k8s" / "once"))
    url = "--from-literal=url=postgres://web@db/web"
    kubectl("create", "secret", "generic", "web-database", url)


def container():
    (one,) = deployment()["spec"]["template"]["spec"]["containers"]
    return one


def deployment():
    return json.loads(kubectl("get", "deployment", "web", "-o", "json"))


def play(release, parameters):
    plan, deploy = parameters["Plan"], parameters["Deploy"]
    release.image(IMAGE + "1" * 64)
    succeeded, text = release.act(plan)
    assert succeeded and "Plan:" in text, text
    assert "web" not in kubectl("get", "deployments"), "a plan writes nothing"
    check.says("the first plan, of a Deployment that is not there yet, writes nothing")
    succeeded, text = release.act(deploy)
    assert succeeded and "3 of 3 pods available" in text, text
    environment = {one["name"]: one.get("value") for one in container()["env"]}
    assert container()["image"] == IMAGE + "1" * 64
    assert environment["COMMIT"] == check.VARIABLES["CodeStarSourceConnection"]["CommitId"]
    assert environment["COMMITTED_AT"] == "2026-01-01T00:00:00Z"
    notes = deployment()["metadata"]["annotations"]
    assert notes["landfall/execution"] == check.EXECUTION
    check.says("the first deploy makes it, with the build's image and the commit in its pods")

    release.image(IMAGE + "2" * 64)
    succeeded, text = release.act(plan)
    assert succeeded and re.search(r"image: \S*:1{50,}\S* → \S*:2{50,}", text), text
    assert container()["image"] == IMAGE + "1" * 64
    check.says("the second plan names the new image")
    succeeded, text = release.act(deploy)
    assert succeeded and "revision 2" in text, text
    check.says("the second deploy rolls it out")

    release.image("registry.example.com/web/crash:3")
    succeeded, text = release.act(deploy | {"patience": "5s"})
    assert not succeeded and "exits with code 1" in text and "Rolled back" in text, text
    assert container()["image"] == IMAGE + "2" * 64
    check.says("a version that crashes is told, and the second one serves again")
    print(text[text.index("  | Status") :].rstrip())


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--function", required=True)
    arguments.add_argument("--sandbox", required=True)
    options = arguments.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    # Before the server starts: moto forgets everything where a mock begins.
    parameters = landfall_parameters()
    prepared()
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with tempfile.TemporaryDirectory() as folder:
            release = Release(options, Path(folder), f"http://{host}:{port}")
            play(release, parameters)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
