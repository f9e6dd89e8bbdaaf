"""Starts moto's server, changed where it differs from AWS in what Landfall reads.

- A cluster of EKS is a real one, CLUSTER_ENDPOINT and CLUSTER_CA (PEM) in the environment; moto
  makes up an address, and letters for a CA.
- Who assumes a role gets the keys in ASSUMED (JSON: key, secret, session), which the cluster knows.
- SSM names a secret of Secrets Manager as it was asked for, and repeats the secret in SourceResult.
  https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
"""

import base64
import json
import os
import sys
from unittest import mock

import moto.eks.models
import moto.sts.models
import moto.ssm.models
from moto.server import main

REFERENCE = "/aws/reference/secretsmanager/"


def after(owner, name, change):
    """Calls `change` with the object and the result after each call of the method."""
    original = getattr(owner, name)

    def method(self, *arguments, **more):
        result = original(self, *arguments, **more)
        change(self, result)
        return result

    mock.patch.object(owner, name, method).start()


def real(cluster, _):
    ca = os.environ["CLUSTER_CA"].encode()
    cluster.endpoint = os.environ["CLUSTER_ENDPOINT"]
    cluster.certificate_authority = {"data": base64.b64encode(ca).decode()}


def known(role, _):
    keys = json.loads(os.environ["ASSUMED"])
    role.access_key_id = keys["key"]
    role.secret_access_key = keys["secret"]
    role.session_token = keys["session"]


def referred(_, parameters):
    for parameter in parameters:
        parameter.name = REFERENCE + parameter.name
        source = json.loads(parameter.source_result)
        source["SecretString"] = parameter.decrypt(parameter.value)
        parameter.source_result = json.dumps(source)


after(moto.eks.models.Cluster, "__init__", real)
after(moto.sts.models.AssumedRole, "__init__", known)
after(moto.ssm.models.ParameterDict, "_get_secretsmanager_parameter", referred)
sys.exit(main())
