#!/usr/bin/env python3
"""deploy.sh, as the build runs it, beside Landfall: the same rollouts, in turn, on a real cluster.

    landfall-control-plane --programs target/control-plane/bin -- \\
      examples/codebuild/measure.py --function target/release/landfall \\
      --sandbox target/release/landfall-sandbox

Left out, as it cannot be had here: what CodeBuild needs to find a machine and fetch kubectl, what
Lambda needs to find one, and the way to a cluster that is not on this machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
KUBECTL = os.environ["LANDFALL_KUBECTL"]
AUDIT = Path(os.environ["LANDFALL_CLUSTER_AUDIT"])


def kubectl(*arguments, input=None):
    return subprocess.run(
        [KUBECTL, *arguments], input=input, text=True, capture_output=True, check=True
    ).stdout


def account(name, manifest):
    """A ServiceAccount with the rights of a file, and its token."""
    kubectl("apply", "-f", str(manifest))
    if name == "deployer":
        # In EKS it is a group of IAM roles that has the Role; here it is an account.
        kubectl("create", "serviceaccount", name)
        kubectl(
            "create", "rolebinding", "here", f"--role={name}", f"--serviceaccount=default:{name}"
        )
    return kubectl("create", "token", name)


def calls(name):
    """How many requests an account has made so far."""
    lines = AUDIT.read_text().splitlines() if AUDIT.exists() else []
    user = f"system:serviceaccount:default:{name}"
    return sum(json.loads(line)["user"]["username"] == user for line in lines)


def by_kubectl(image, folder, timeout="60s", expected=0, errors=None):
    """Wall time, CPU time, peak memory of deploy.sh and all that it starts."""
    started = time.monotonic()
    environment = {
        **os.environ,
        "KUBECONFIG": str(folder / "kubeconfig"),
        # A build begins without kubectl's cache of what the API server has.
        "HOME": tempfile.mkdtemp(dir=folder),
        "PATH": f"{Path(KUBECTL).parent}:{os.environ['PATH']}",
        "NAMESPACE": "default",
        "DEPLOYMENT": "web",
        "CONTAINER": "web",
        "IMAGE_URI": image,
        "ROLLOUT_TIMEOUT": timeout,
    }
    run = subprocess.Popen(
        [HERE / "deploy.sh"], env=environment, stdout=subprocess.DEVNULL, stderr=errors
    )
    _, status, usage = os.wait4(run.pid, 0)
    assert os.waitstatus_to_exitcode(status) == expected, f"deploy.sh ended with {status}"
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def watch(function, seen):
    """The last that /proc says of the function before it is gone."""
    while not seen.get("over"):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "exe") != str(function):
                    continue
                threads = list((process / "task").glob("*/schedstat"))
                seen["cpu"] = sum(int(one.read_text().split()[0]) for one in threads) / 1e9
                status = (process / "status").read_text()
                seen["memory"] = int(status.split("VmHWM:")[1].split()[0]) / 1024
            except (OSError, IndexError):
                continue
        time.sleep(0.005)


def by_landfall(image, folder, options):
    event = json.loads((HERE.parent.parent / "events" / "image.json").read_text())
    parameters = {"deployment": "web", "images": {"web": image}}
    job = event["CodePipeline.job"]
    # The same job once more would be a repetition, and deploy nothing.
    job["id"] = str(uuid.uuid4())
    job["data"]["actionConfiguration"]["configuration"]["UserParameters"] = json.dumps(parameters)
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    command = [options.sandbox, "invoke", "--plain", "--function", options.function]
    command += ["--event", path, "--cluster", os.environ["LANDFALL_CLUSTER"]]
    command += ["--token-file", folder / "token", "--ca", os.environ["LANDFALL_CLUSTER_CA"]]
    seen = {}
    watcher = threading.Thread(target=watch, args=(Path(options.function).resolve(), seen))
    watcher.start()
    run = subprocess.run(command, text=True, capture_output=True, check=False)
    seen["over"] = True
    watcher.join()
    assert run.returncode == 0, run.stdout + run.stderr
    # The sandbox counts from its start, in tenths of a second: the function's own start is in it.
    (line,) = [one for one in run.stdout.splitlines() if "PutJobSuccessResult" in one]
    wall = float(line.split("s ")[0])
    return wall, seen["cpu"], seen["memory"]


def line(what, rows, requests, rounds):
    wall, cpu, memory = (statistics.median(column) for column in zip(*rows))
    print(
        f"{what:12} {wall:6.2f} s from start to end, {cpu * 1000:5.0f} ms of CPU, "
        f"{memory:5.1f} MiB at the peak, {requests / rounds:4.1f} requests to the cluster"
    )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--function", required=True)
    arguments.add_argument("--sandbox", required=True)
    arguments.add_argument("--rounds", type=int, default=10)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "token").write_text(
            account("landfall", HERE.parent.parent / "deploy" / "rbac.yaml")
        )
        kubeconfig = json.loads(kubectl("config", "view", "--raw", "--output", "json"))
        kubeconfig["users"][0]["user"] = {"token": account("deployer", HERE / "rbac.yaml")}
        (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
        kubectl(
            "create", "deployment", "web", "--image=registry.example.com/web:0", "--replicas=3"
        )
        kubectl("rollout", "status", "deployment/web")
        rows = {"deployer": [], "landfall": []}
        for number in range(1, options.rounds + 1):
            image = f"registry.example.com/web:{number}"
            rows["deployer"].append(by_kubectl(f"{image}-kubectl", folder))
            rows["landfall"].append(by_landfall(f"{image}-landfall", folder, options))
        # What fails is taken back, with the rights of rbac.yaml alone.
        requests = {name: calls(name) for name in rows}
        by_kubectl("registry.example.com/web/crash:1", folder, "5s", 1, subprocess.DEVNULL)
        assert (
            kubectl("get", "deployment", "web", "-o", "jsonpath={..image}") == f"{image}-landfall"
        )
    print(f"Medians of {options.rounds} rollouts of 3 pods that are ready at once:")
    for name, what in {"deployer": "deploy.sh", "landfall": "Landfall"}.items():
        line(what, rows[name], requests[name], options.rounds)
    print("A version that crashes: deploy.sh fails, and the one before serves again.")


if __name__ == "__main__":
    main()
