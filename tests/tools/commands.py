"""Parses every command of the documents. None is run, and nothing asks AWS.

Usage: commands.py

Each is held against bash's grammar; a call of the AWS CLI against the models of AWS's services, one of make against
the Makefile, one of landfall-access against its help. In the text around them the targets of `make` are looked at.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore import xform_name

from validate import files

FENCED = re.compile(r"^( *)```console\n(.*?)^\1```", re.M | re.S)
# Where a program begins in a line of the shell.
CALL = re.compile(r"(?:^|(?<=[|;&(`]))\s*(?:do |then )?\s*(aws|make|\./landfall-access)(?=\s)", re.M)
IN_TEXT = re.compile(r"`(make [^`]*)`")
# Of the CLI itself: https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html
EVERYWHERE = {"output", "query", "region", "profile", "cli-read-timeout", "cli-binary-format", "endpoint-url",
              "no-sign-request", "no-paginate"}
# What the CLI calls otherwise than its models.
SERVICES = {"s3api": "s3"}
# Commands that are the CLI's own, with what we use of them: their options, and those that each call must have.
# https://awscli.amazonaws.com/v2/documentation/api/latest/reference/
OWN = {
    ("s3", "cp"): (set(), set()),
    ("cloudformation", "deploy"): ({"stack-name", "template-file", "capabilities", "parameter-overrides"},
                                   {"stack-name", "template-file"}),
    ("eks", "update-kubeconfig"): ({"name", "alias", "kubeconfig"}, {"name"}),
    ("eks", "get-token"): ({"cluster-name", "role-arn"}, {"cluster-name"}),
    ("logs", "tail"): ({"since", "format", "follow"}, set()),
}
# The CLI's other forms of an option that has a structure; and what has no option, as the file for an answer.
SHORTER = {
    ("ec2", "authorize-security-group-ingress"): {"protocol", "port", "source-group", "cidr"},
    ("lambda", "create-function"): {"zip-file"},
}
LEFT_OUT = {("lambda", "create-function"): {"code"}}
# Or this program would find nothing.
WRONG = [
    "aws s3 cp 'a b", "aws eks describe-cluster --nam prod", "aws eks describe-cluster", "aws eks describe-clusters",
    "aws eks2 describe-cluster --name prod", "if true; then make tools", "make tool", "make tools STAK=a",
    'make access ARGS="--aply"', "kubectl get pods | aws ssm put-parameter --name a --valu b",
    'echo "$(aws iam get-role --rolename a)"', "./landfall-access --namespaces shop",
]
MAKEFILE = Path("Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M)) | {"package-arm64", "package-x86_64"}
VARIABLES = set(re.findall(r"\$\((?:if |or )?\$?\(?([A-Z_]+)", MAKEFILE))
HELP = set(re.findall(r"(--[a-z-]+)", Path("access/src/main.rs").read_text())) | {"-n"}
AWS = botocore.session.get_session()


def main():
    faults, count = [f"not refused: {command}" for command in WRONG if not list(faults_of(command))], 0
    for path in files(".md"):
        text = path.read_text()
        for found in FENCED.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            for command in commands(re.sub(f"^{found[1]}", "", found[2], flags=re.M)):
                count += 1
                faults += [f"{path}:{line}: {fault}" for fault in faults_of(command)]
        for found in IN_TEXT.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            faults += [f"{path}:{line}: {fault}" for fault in faults_of_make(found[1].split()[1:2])]
    if faults or not count:
        sys.exit("\n".join(faults) or "the documents have no command")
    print(f"{count} commands of the documents can be parsed, and know what they call")


def commands(block):
    """The commands of a console: each begins after `$ ` and ends where bash has all of it."""
    lines = block.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("$ "):
            continue
        command = line[2:]
        for more in lines[number + 1:]:
            if more.startswith("$ ") or is_complete(command):
                break
            command += "\n" + more
        yield command


def is_complete(command):
    return not command.endswith("\\") and not bash(command).stderr


def bash(command):
    """A document whose end is missing is a mere warning to it."""
    return subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True)


def faults_of(command):
    refused = bash(command).stderr
    if refused:
        yield f"{command}\n{refused}"
        return
    joined = command.replace("\\\n", " ")
    for found in CALL.finditer(joined):
        program, *words = shlex.split(simple(joined[found.start(1):]))
        check = {"aws": faults_of_aws, "make": faults_of_make, "./landfall-access": faults_of_access}[program]
        for fault in check(words):
            yield f"{fault}: {command}"


def simple(text):
    """The text up to where its first command ends."""
    quote, depth = "", 0
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and depth == 0 else quote
            depth += (text[at:at + 2] == "$(") - (sign == ")" and depth > 0)
        elif sign in "\"'":
            quote = sign
        elif sign in "|;&)<>\n" or sign == "#" and text[at - 1] == " ":
            return text[:at]
    return text


def faults_of_aws(words):
    service, operation, *rest = words
    given = {word[2:] for word in rest if word.startswith("--")}
    if (service, operation) in OWN:
        known, needed = OWN[service, operation]
    else:
        try:
            model = AWS.get_service_model(SERVICES.get(service, service))
            names = {xform_name(name, "-"): name for name in model.operation_names}
            shape = model.operation_model(names[operation]).input_shape
        except (UnknownServiceError, OperationNotFoundError, KeyError):
            return [f"aws {service} {operation} is not known"]
        known = {xform_name(name, "-") for name in shape.members}
        needed = {xform_name(name, "-") for name in shape.required_members} - LEFT_OUT.get((service, operation), set())
        known |= {f"no-{name}" for name in known} | SHORTER.get((service, operation), set())
    unknown, missing = given - known - EVERYWHERE, needed - given
    return [f"aws {service} {operation} has no --{name}" for name in sorted(unknown)] + \
        [f"aws {service} {operation} needs --{name}" for name in sorted(missing)]


def faults_of_make(words):
    if "-C" in words:
        at = words.index("-C")
        words = words[:at] + words[at + 2:]
    for word in words:
        name, sign, value = word.partition("=")
        if not sign and word not in TARGETS:
            yield f"make has no {word}"
        elif sign and name not in VARIABLES:
            yield f"the Makefile does not know {name}"
        elif name == "ARGS":
            yield from faults_of_access(shlex.split(value))


def faults_of_access(words):
    for word in words:
        if word.startswith("-") and word != "-" and word not in HELP:
            yield f"landfall-access has no {word}"


if __name__ == "__main__":
    main()
