"""Makes tokens with the AWS CLI's own code, at a fixed time, without a network.

stdin: a JSON list of {"region", "key", "secret", "session" or null, "cluster", "time", "fips",
"dualStack"}; stdout: the tokens as a JSON list.
"""

import datetime
import json
import os
import sys
from unittest import mock

os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

import awscli.clidriver
import botocore.auth
from awscli.customizations.eks.get_token import STSClientFactory, TokenGenerator


def token(case):
    session = awscli.clidriver.create_clidriver().session
    session.set_credentials(case["key"], case["secret"], case["session"])
    session.set_config_variable("region", case["region"])
    os.environ["AWS_USE_FIPS_ENDPOINT"] = str(case["fips"]).lower()
    os.environ["AWS_USE_DUALSTACK_ENDPOINT"] = str(case["dualStack"]).lower()
    client = STSClientFactory(session).get_sts_client(region_name=case["region"])
    now = datetime.datetime.fromisoformat(case["time"])
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda **_: now):
        return TokenGenerator(client).get_token(case["cluster"])


json.dump([token(case) for case in json.load(sys.stdin)], sys.stdout)
