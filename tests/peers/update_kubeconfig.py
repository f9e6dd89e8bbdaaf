"""Writes kubeconfigs by `aws eks update-kubeconfig`, without a network.

stdin: a JSON list of {"arguments", "cluster"}: the options of one call, and the answer of
DescribeCluster. All calls write to the same file, which is printed.
"""

import json
import os
import sys
import tempfile
from unittest import mock

folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "config")
profiles = os.path.join(folder.name, "profiles")
with open(profiles, "w") as file:
    # Otherwise it would fetch what --proxy-url names.
    file.write("[default]\ncli_follow_urlparam = false\n[profile ops]\nregion = eu-west-1\n")
os.environ.update(AWS_CONFIG_FILE=profiles, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"

import awscli.clidriver
from awscli.customizations.eks.update_kubeconfig import EKSClient

for call in json.load(sys.stdin):
    command = ["eks", "update-kubeconfig", "--kubeconfig", path, *call["arguments"]]
    with (
        mock.patch.object(EKSClient, "cluster_description", call["cluster"]),
        open(os.devnull, "w") as nothing,
        mock.patch.object(sys, "stdout", nothing),
    ):
        status = awscli.clidriver.create_clidriver().main(command)
    if status:
        sys.exit(f"{command}: {status}")
with open(path) as file:
    print(file.read(), end="")
