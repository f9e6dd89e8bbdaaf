"""Formats, validates and tests the Terraform module, without AWS, and compares it with template.yaml.

Usage: terraform.py MODULE FOLDER

Works in FOLDER, a copy of MODULE. Where Terraform or its AWS provider is not to be had, it says so and
ends well: then nothing was tested.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import alike

PROVIDER = "registry.terraform.io/hashicorp/aws"
# Where machines without a way to the registry keep providers: the folder with the registries' hosts.
MIRRORS = ["/usr/share/terraform/plugins", "/usr/local/share/terraform/plugins", *map(str, Path("/opt").glob("*"))]


def main(module, folder):
    if not shutil.which("terraform"):
        return print("terraform is not installed: the module was not tested (skipped)")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(module, folder, ignore=shutil.ignore_patterns(".terraform*"))
    settings = Path(folder, "terraform.rc")
    settings.write_text(installation() + "disable_checkpoint = true\n")
    run = Terraform(folder, {**os.environ, "TF_CLI_CONFIG_FILE": str(settings.resolve()), "TF_IN_AUTOMATION": "1"})
    run("fmt", "-check", "-recursive", "-diff")
    example = f"-chdir={Path('examples', 'pipeline')}"
    if run.fails("init", "-input=false") or run.fails(example, "init", "-input=false"):
        return print("the AWS provider could not be had: the module was formatted, not tested (skipped)")
    run("validate")
    run(example, "validate")
    run("test")
    os.environ.update(run.environment)
    alike.main("terraform", folder)


def installation():
    """The first mirror that has the provider; without one, Terraform asks its registry."""
    for mirror in MIRRORS:
        if Path(mirror, PROVIDER).is_dir():
            return f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
    return ""


class Terraform:
    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def __call__(self, *arguments):
        if self.fails(*arguments):
            sys.exit(f"terraform {' '.join(arguments)} failed")

    def fails(self, *arguments):
        ended = subprocess.run(["terraform", *arguments], cwd=self.folder, env=self.environment, check=False)
        return ended.returncode != 0


if __name__ == "__main__":
    main(*sys.argv[1:])
