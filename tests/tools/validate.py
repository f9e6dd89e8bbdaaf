"""Checks every YAML and JSON text of the tree, every CloudFormation template in it, and the links between
the documents.

Usage: validate.py FOLDER

The templates that SAM is needed for are put into FOLDER as CloudFormation gets them. Nothing here asks AWS.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

HERE = Path(sys.executable).parent
# What is built, fetched or not ours; and the site's table of contents, whose links `site.py` follows.
PASSED_OVER = {"target", "dist", "site", ".git", "node_modules", ".aws-sam", ".terraform", ".venv"}
# What CloudFormation takes of a template that is not in a bucket.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_LIMIT = 51_200
# Any region that has every kind of resource; none is asked.
REGION = {"AWS_DEFAULT_REGION": "eu-central-1", "SAM_CLI_TELEMETRY": "0"}
os.environ.update(REGION)
FENCED = re.compile(r"^( *)```(json|yaml|yml)\n(.*?)^\1```", re.M | re.S)
# A fence of any kind: what looks like a link or a heading in it is neither.
ANY_FENCE = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def main(folder):
    faults = []
    texts = 0
    for path in files(".json", ".yaml", ".yml", ".md"):
        for place, kind, text in texts_of(path):
            texts += 1
            faults += [f"{place}: {fault}" for fault in faults_of(kind, text)]
    faults += dangling()
    if faults or not texts:
        sys.exit("\n".join(faults) or "there is nothing to check: run it at the top of the tree")
    print(f"{texts} texts in YAML and JSON can be read, and every link between the documents leads somewhere")
    templates = [path for path in files(".yaml", ".yml", ".json") if is_template(path.read_text())]
    check("cfn-lint", *templates)
    for template in templates:
        if "AWS::Serverless-" in template.read_text():
            check("sam", "validate", "--lint", "--template", template)
            check("cfn-lint", translate(template, Path(folder)))
    release = Path(folder) / "packaged.json"
    release.write_text(packaged(version()))
    check("cfn-lint", release)


def files(*endings):
    """The files of the tree with such endings."""
    for folder, folders, names in os.walk("."):
        folders[:] = sorted(set(folders) - PASSED_OVER)
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(endings))


def texts_of(path):
    """What a file has to be read: itself, or what is fenced in it."""
    text = path.read_text()
    if path.suffix != ".md":
        yield path, path.suffix[1:], text
        return
    for found in FENCED.finditer(text):
        indent, kind, block = found.groups()
        line = text.count("\n", 0, found.start()) + 1
        yield f"{path}:{line}", kind, re.sub(f"^{indent}", "", block, flags=re.M)


def faults_of(kind, text):
    try:
        if kind == "json":
            json.loads(text, object_pairs_hook=once)
        elif is_template(text):
            yaml_parse(text)
        else:
            for _ in yaml.load_all(text, Once):
                pass
    except (ValueError, yaml.YAMLError) as error:
        yield error


def dangling():
    """The links of the documents that lead to no file, or to no heading of it."""
    prose = {path.resolve(): ANY_FENCE.sub("", path.read_text()) for path in files(".md")}
    for path, text in prose.items():
        for link in LINK.findall(text):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, heading = link.partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.exists() or heading and heading not in anchors(prose.get(target, "")):
                yield f"{path.relative_to(Path.cwd())}: {link} leads nowhere"


def anchors(text):
    """The names that GitHub gives to the headings of a document."""
    for line in re.findall(r"^#+ (.*)$", text, re.M):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line).lower()
        yield re.sub(r"[^\w -]", "", words).strip().replace(" ", "-")


def is_template(text):
    return re.search(r"^ *\"?(AWSTemplateFormatVersion|Transform)\"?:", text, re.M) is not None


def once(pairs):
    """The pairs as an object, unless a key stands twice, of which the parsers drop one in silence."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"`{key}` stands twice")
    return dict(pairs)


class Once(yaml.SafeLoader):
    """Reads YAML, and no key twice."""

    def construct_mapping(self, node, deep=False):
        once([(key.value, None) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"])
        return super().construct_mapping(node, deep)


def check(program, *arguments):
    """Runs a program of this folder, which must have nothing to say against it."""
    arguments = [str(one) for one in arguments]
    done = subprocess.run([HERE / program, *arguments], capture_output=True, text=True)
    if done.returncode or "warning" in (done.stdout + done.stderr).lower():
        sys.exit(f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    print(f"{program}: {' '.join(arguments)}: nothing to say against it")


def translate(template, folder):
    """What CloudFormation gets of it, as a file."""
    translated = folder / "-".join(template.with_suffix(".json").parts)
    folder.mkdir(parents=True, exist_ok=True)
    result = translation(yaml_parse(template.read_text()), "s3://packages/function.zip")
    translated.write_text(json.dumps(result, indent=1, sort_keys=True))
    return translated


def translation(source, code):
    """What CloudFormation gets of it. No AWS managed policy is known, as nothing of ours takes one."""
    known = type("NoPolicies", (), {"load": dict})
    for resource in source["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            # `sam package` puts the place of the built package there.
            resource["Properties"]["CodeUri"] = code
    return transform(source, {}, known())


def version():
    return tomllib.loads(Path("Cargo.toml").read_text())["workspace"]["package"]["version"]


def packaged(version):
    """The template of a release: CloudFormation takes it without SAM, and the package from a bucket of the user's."""
    source = yaml_parse(Path("template.yaml").read_text())
    parameters = {
        "CodeBucket": {
            "Type": "String",
            "Description": "Bucket in this region with the function's package.",
            "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
            "ConstraintDescription": "the name of a bucket.",
        },
        "CodeKey": {
            "Type": "String",
            "Default": "",
            "Description": f"Key of the package in it. Empty: landfall-{version}-ARCHITECTURE.zip.",
            "AllowedPattern": "^([^/ ].{0,1023})?$",
            "ConstraintDescription": "the key of an object; or empty.",
        },
    }
    source["Parameters"] = parameters | source["Parameters"]
    source["Conditions"]["HasCodeKey"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CodeKey"}, ""]}]}
    groups = source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    groups.insert(0, {"Label": {"default": "Package"}, "Parameters": list(parameters)})
    del source["Metadata"]["AWS::ServerlessRepo::Application"]
    key = {"Fn::If": ["HasCodeKey", {"Ref": "CodeKey"}, {"Fn::Sub": f"landfall-{version}-${{Architecture}}.zip"}]}
    template = json.dumps(translation(source, {"Bucket": {"Ref": "CodeBucket"}, "Key": key}), separators=(",", ":"))
    if len(template.encode()) > TEMPLATE_LIMIT:
        sys.exit(f"the template has {len(template)} bytes; without a bucket CloudFormation takes {TEMPLATE_LIMIT}")
    return template + "\n"


if __name__ == "__main__":
    main(*sys.argv[1:])
