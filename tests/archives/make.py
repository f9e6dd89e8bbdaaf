#!/usr/bin/env python3
"""Makes the archives beside this file, by Python's zipfile and Info-ZIP's zip.

    tests/archives/make.py

They are kept in the repository, so that the tests need neither.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
MANIFEST = HERE / "deployment.yaml"
IMAGES = b'[{"name": "app", "imageUri": "registry.example.com/demo-app:2.0.0"}]\n'
TIME = (2026, 1, 1, 0, 0, 0)
# A release: what the demo's Deployment needs, and itself.
RELEASE = {
    "k8s/settings.yaml": b"""apiVersion: v1
kind: ConfigMap
metadata:
  name: demo-app
data:
  COMMIT: ${COMMIT}
""",
    "k8s/service.yaml": b"""apiVersion: v1
kind: Service
metadata:
  name: demo-app
spec:
  selector:
    app: demo-app
  ports:
    - port: 80
      targetPort: 8080
""",
    "k8s/deployment.yaml": b"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: demo-app
spec:
  replicas: 2
  selector:
    matchLabels:
      app: demo-app
  template:
    metadata:
      labels:
        app: demo-app
    spec:
      containers:
        - name: app
          image: registry.example.com/demo-app:1.0.0
          envFrom:
            - configMapRef:
                name: demo-app
""",
}


def python(name, method, zip64=False, comment=b"", prefix=b"", extra=()):
    path = HERE / name
    path.write_bytes(prefix)
    with zipfile.ZipFile(path, "a" if prefix else "w", method) as archive:
        archive.comment = comment
        folder = zipfile.ZipInfo("k8s/", TIME)
        archive.writestr(folder, b"")
        for member, content in [
            ("README.md", b"# A demo\n"),
            ("k8s/deployment.yaml", MANIFEST.read_bytes()),
            ("imagedefinitions.json", IMAGES),
            *extra,
        ]:
            info = zipfile.ZipInfo(member, TIME)
            info.compress_type = method
            with archive.open(info, "w", force_zip64=zip64) as file:
                file.write(content)


def infozip(name, *options, stream=False, symlink=False):
    path = HERE / name
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "k8s").mkdir()
        shutil.copy(MANIFEST, root / "k8s")
        (root / "README.md").write_text("# A demo\n")
        (root / "imagedefinitions.json").write_bytes(IMAGES)
        if symlink:
            os.symlink("deployment.yaml", root / "k8s" / "link.yaml")
        for file in root.rglob("*"):
            if not file.is_symlink():
                os.utime(file, (1767225600, 1767225600))
        if stream:
            # Into a pipe it cannot go back, so that sizes follow the data.
            made = subprocess.run(
                ["zip", "-q", "-r", *options, "-", "."], cwd=root, check=True, stdout=subprocess.PIPE
            )
            path.write_bytes(made.stdout)
        else:
            subprocess.run(["zip", "-q", "-r", *options, path, "."], cwd=root, check=True)


with zipfile.ZipFile(HERE / "release.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for member, content in RELEASE.items():
        info = zipfile.ZipInfo(member, TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, content)
python("python-stored.zip", zipfile.ZIP_STORED)
python("python-deflated.zip", zipfile.ZIP_DEFLATED)
python("python-zip64.zip", zipfile.ZIP_DEFLATED, zip64=True)
python("python-comment.zip", zipfile.ZIP_DEFLATED, comment=b"PK\x05\x06 is no end record here")
python("python-prefix.zip", zipfile.ZIP_DEFLATED, prefix=b"#!/bin/sh\necho a stub\n")
python("python-unicode.zip", zipfile.ZIP_DEFLATED, extra=[("k8s/größe.yaml", b"a: 1\n")])
python("python-bzip2.zip", zipfile.ZIP_BZIP2)
with zipfile.ZipFile(HERE / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    info = zipfile.ZipInfo("app.yaml", TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, b"a" * (32 << 20))
infozip("infozip-deflated.zip")
infozip("infozip-stored.zip", "-0")
infozip("infozip-zip64.zip", "-fz")
infozip("infozip-descriptors.zip", "-fd")
infozip("infozip-stream.zip", stream=True)
infozip("infozip-encrypted.zip", "-P", "password")
infozip("infozip-symlink.zip", "-y", symlink=True)
