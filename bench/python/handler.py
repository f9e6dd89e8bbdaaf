"""What one writes in Python: boto3, requests, and the report that must not be missing."""

import json
import os
import tempfile
import time

import boto3
import requests

NAMESPACE = "default"
TIMEOUT = 10  # seconds, of one call
PATIENCE = 900  # seconds, of a rollout

ssm = boto3.client("ssm")
codepipeline = boto3.client("codepipeline")
cluster = requests.Session()
with tempfile.NamedTemporaryFile("w", suffix=".pem", delete=False) as ca:
    ca.write(os.environ["K8S_CA"])
    cluster.verify = ca.name
# Else a variable such as REQUESTS_CA_BUNDLE would be trusted instead.
cluster.trust_env = False


def handler(event, context):
    job = event["CodePipeline.job"]
    try:
        configuration = job["data"]["actionConfiguration"]["configuration"]
        request = json.loads(configuration["UserParameters"])
        revision = deploy(request["deployment"], request["images"])
        codepipeline.put_job_success_result(
            jobId=job["id"],
            executionDetails={
                "summary": f"{request['deployment']} runs revision {revision}",
                "percentComplete": 100,
            },
        )
    except Exception as error:
        codepipeline.put_job_failure_result(
            jobId=job["id"],
            failureDetails={"type": "JobFailed", "message": str(error)[:5000]},
        )


def deploy(name, images):
    parameter = ssm.get_parameter(Name="k8s-bear-token", WithDecryption=True)
    cluster.headers["Authorization"] = "Bearer " + parameter["Parameter"]["Value"]
    collection = os.environ["K8S_CLUSTER"] + f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
    containers = [{"name": container, "image": image} for container, image in images.items()]
    answer = cluster.patch(
        f"{collection}/{name}",
        data=json.dumps({"spec": {"template": {"spec": {"containers": containers}}}}),
        headers={"Content-Type": "application/strategic-merge-patch+json"},
        timeout=TIMEOUT,
    )
    answer.raise_for_status()
    generation = answer.json()["metadata"]["generation"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        answer = cluster.get(f"{collection}/{name}", timeout=TIMEOUT)
        answer.raise_for_status()
        deployment = answer.json()
        if complete(deployment, generation):
            return revision(deployment)
        version = deployment["metadata"]["resourceVersion"]
        for deployment in changes(collection, name, version, deadline):
            if complete(deployment, generation):
                return revision(deployment)
    raise TimeoutError(f"{name} was not rolled out in {PATIENCE} s")


def changes(collection, name, version, deadline):
    """The Deployment each time that it changes, until the server or the time ends that."""
    left = max(1, int(deadline - time.monotonic()))
    query = {
        "watch": "true",
        "fieldSelector": f"metadata.name={name}",
        "resourceVersion": version,
        "timeoutSeconds": left,
    }
    with cluster.get(collection, params=query, stream=True, timeout=(TIMEOUT, left)) as answer:
        answer.raise_for_status()
        # As soon as a line is there: the default waits for 512 bytes.
        for line in answer.iter_lines(chunk_size=None):
            event = json.loads(line)
            if event["type"] not in ("ADDED", "MODIFIED"):
                return
            yield event["object"]


def complete(deployment, generation):
    """As `kubectl rollout status` has it."""
    wanted = deployment["spec"].get("replicas", 1)
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < generation:
        return False
    for condition in status.get("conditions", []):
        if condition.get("reason") == "ProgressDeadlineExceeded":
            raise RuntimeError(condition["message"])
    updated = status.get("updatedReplicas", 0)
    return (
        updated >= wanted
        and status.get("replicas", 0) <= updated
        and status.get("availableReplicas", 0) >= updated
    )


def revision(deployment):
    return deployment["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision")
