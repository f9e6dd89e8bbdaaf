"""Starts moto's server, changed where it differs from AWS in what Landfall reads.

- A cluster of EKS is a real one, CLUSTER_ENDPOINT and CLUSTER_CA (PEM) in the environment; moto
  makes up an address, and letters for a CA.
- Who assumes a role gets the keys in ASSUMED (JSON: key, secret, session), which the cluster knows.
- CloudWatch takes RPC v2 with CBOR, which the SDK for Rust speaks, and tells when an alarm's state
  changed.
- SSM names a secret of Secrets Manager as it was asked for, and repeats the secret in SourceResult.
  https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html
"""

import base64
import io
import json
import os
import sys
from unittest import mock

import moto.cloudwatch.models
import moto.eks.models
import moto.sts.models
import moto.ssm.models
from botocore.parsers import JSONParser, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from botocore.session import get_session
from moto.server import DomainDispatcherApplication, main

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


def transitioned(alarm, _):
    alarm.state_transitioned_timestamp = alarm.state_updated_timestamp


def in_json(application):
    """Asks by JSON what is asked by CBOR, and answers by CBOR."""
    model = get_session().get_service_model("cloudwatch")

    def call(self, environ, start_response):
        place, _, operation = environ["PATH_INFO"].partition("/operation/")
        if not operation:
            return application(self, environ, start_response)
        parser = RpcV2CBORParser()
        asked = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        asked = parser.parse_data_item(parser.get_peekable_stream_from_bytes(asked))
        asked = json.dumps(asked).encode()
        environ |= {
            "PATH_INFO": "/",
            "HTTP_X_AMZ_TARGET": f"{place.removeprefix('/service/')}.{operation}",
            "CONTENT_TYPE": "application/x-amz-json-1.0",
            "CONTENT_LENGTH": str(len(asked)),
            "wsgi.input": io.BytesIO(asked),
        }
        told = []
        body = b"".join(application(self, environ, lambda *head: told.extend(head)))
        shape = model.operation_model(operation).output_shape
        answer = {"status_code": int(told[0][:3]), "headers": {}, "body": body}
        answer = JSONParser().parse(answer, shape)
        del answer["ResponseMetadata"]
        encoded = bytearray()
        RpcV2CBORSerializer()._serialize_data_item(encoded, answer, shape)
        head = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        start_response(told[0], head)
        return [bytes(encoded)]

    return call


after(moto.cloudwatch.models.Alarm, "update_state", transitioned)
after(moto.eks.models.Cluster, "__init__", real)
after(moto.sts.models.AssumedRole, "__init__", known)
after(moto.ssm.models.ParameterDict, "_get_secretsmanager_parameter", referred)
DomainDispatcherApplication.__call__ = in_json(DomainDispatcherApplication.__call__)
sys.exit(main())
