"""Runs the callers of `calls/` against a stand-in for Lambda: the script and the workflow's step by the
AWS CLI, the state machine by an interpreter for what it uses of Amazon States Language.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema
import yaml

HERE = Path(__file__).resolve().parent
CALLS = HERE / "calls"
DOCS = HERE.parent / "docs"
ANSWER = json.loads((DOCS / "answer.schema.json").read_text())
PARAMETERS = json.loads((DOCS / "parameters.schema.json").read_text())

SUCCEEDED = {
    "status": "SUCCEEDED",
    "summary": "Deployment `web` in `shop` runs revision 8.",
    "externalExecutionId": "shop/web@8",
    "outputVariables": {"Revision": "8"},
}
GOES_ON = {
    "status": "IN_PROGRESS",
    "summary": "1 of 2 new pods available",
    "percentComplete": 50,
    "continuation": "landfall-1.e30.0000000000000000",
    "callBackDelay": 30,
}
FAILED = {"errorType": "JobFailed", "errorMessage": "The new version does not serve: it crashes."}
OVERTAKEN = {"errorType": "RevisionOutOfSync", "errorMessage": "Another execution deployed since."}
AWAY = {"errorType": "SystemUnavailable", "errorMessage": "The cluster does not answer."}
# The connection breaks before an answer comes.
LOST = None


class Lambda:
    """Lambda's Invoke, whose function gives these answers, one a call."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.events = []

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.path == "/2015-03-31/functions/landfall/invocations", self.path
                answer = outer.invoke(json.loads(body))
                if answer is LOST:
                    self.close_connection = True
                    return
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                if "errorType" in answer:
                    self.send_header("X-Amz-Function-Error", "Unhandled")
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def invoke(self, event):
        check_event(event)
        self.events.append(event)
        answer = self.answers.pop(0)
        if answer and "errorType" not in answer:
            jsonschema.validate(answer, ANSWER)
        return answer


def check_event(event):
    """The event is a call, and it can be sent again."""
    assert event.keys() <= {"deploy", "continuation", "artifacts"}, event
    jsonschema.validate(event["deploy"], PARAMETERS)
    assert event["deploy"]["execution"], "a call that is sent again would be another deploy"


def check_sequence(events):
    """Each call of one deploy is the same but for what it goes on with."""
    first = events[0]
    assert "continuation" not in first, first
    for event in events[1:]:
        assert {**event, "continuation": None} == {**first, "continuation": None}, event


def run(command, endpoint, folder, more=None):
    """Runs a command of the shell with the CLI against the stand-in."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": folder,
        "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{endpoint.server.server_port}",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "CALL_BACK_DELAY": "0",
        "RETRY_DELAY": "0",
        # What is set on this machine for other programs is not for the CLI.
        "AWS_CONFIG_FILE": f"{folder}/none",
        "NO_PROXY": "127.0.0.1",
        "PYENV_VERSION": os.environ.get("PYENV_VERSION", ""),
        **(more or {}),
    }
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={name: value for name, value in environment.items() if value},
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


def check_script():
    """The status, the output and the number of calls of `deploy.sh`."""
    for answers, status, words in [
        ([SUCCEEDED], 0, "runs revision 8"),
        ([GOES_ON, GOES_ON, SUCCEEDED], 0, "1 of 2 new pods available"),
        ([LOST, SUCCEEDED], 0, "runs revision 8"),
        ([GOES_ON, LOST, FAILED], 1, "JobFailed: The new version does not serve"),
        ([LOST] * 4, 1, ""),
        ([{"status": "new"}], 2, "this is not an answer of Landfall"),
    ]:
        with tempfile.TemporaryDirectory() as folder, Stand(answers) as stand:
            done = run(f"{CALLS}/deploy.sh landfall {CALLS}/call.json", stand, folder)
        told = done.stdout + done.stderr
        assert done.returncode == status, f"{answers}: {done.returncode}: {told}"
        assert words in told, f"{answers}: {told}"
        assert len(stand.events) == len(answers), f"{answers}: {len(stand.events)} calls"
        check_sequence(stand.events)
    with tempfile.TemporaryDirectory() as folder, Stand([]) as stand:
        Path(folder, "call.json").write_text('{"deploy": {"deployment": "web"}}')
        done = run(f"{CALLS}/deploy.sh landfall call.json", stand, folder)
    assert done.returncode == 2 and "execution" in done.stderr, done


class Hostile(Lambda):
    """A stand-in for a function that is called with an image which Landfall would refuse."""

    def invoke(self, event):
        plain = {**event, "deploy": {**event["deploy"], "images": {"web": "web:1"}}}
        answer = super().invoke(plain)
        self.events[-1] = event
        return answer


class Stand(Lambda):
    """A stand-in that does not look at an answer which is not Landfall's."""

    def invoke(self, event):
        check_event(event)
        self.events.append(event)
        return self.answers.pop(0)


def check_workflow():
    """The step of the workflow calls with the image, whatever is in it, and may do no more."""
    workflow = yaml.safe_load((CALLS / "github-actions.yaml").read_text())
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    (step,) = [one for one in workflow["jobs"]["deploy"]["steps"] if "run" in one]
    # What is put into a script by the workflow is run by it.
    assert "${{" not in step["run"], step["run"]
    assert step["env"]["IMAGE"] == "${{ inputs.image }}"
    assert "run_attempt" in step["env"]["EXECUTION"], "a run that is started again tries again"
    image = 'web:1"; exit 0; $(touch pwned)'
    for answers, status in [([GOES_ON, SUCCEEDED], 0), ([FAILED], 1)]:
        with tempfile.TemporaryDirectory() as folder, Hostile(answers) as stand:
            shutil.copy(CALLS / "deploy.sh", folder)
            variables = {"IMAGE": image, "EXECUTION": "github-1-1"}
            done = run(step["run"], stand, folder, variables)
            assert not Path(folder, "pwned").exists()
        assert done.returncode == status, done
        assert stand.events[0]["deploy"]["images"] == {"web": image}
        check_sequence(stand.events)
    return step["run"]


def check_state_machine():
    """Where the state machine ends, by what the function answers."""
    machine = json.loads((CALLS / "state-machine.json").read_text())
    for answers, end, waited in [
        ([SUCCEEDED], "Deployed", []),
        ([GOES_ON, GOES_ON, SUCCEEDED], "Deployed", [30, 30]),
        ([AWAY, GOES_ON, SUCCEEDED], "Deployed", [30, 30]),
        ([GOES_ON, FAILED], "Failed", [30]),
        ([OVERTAKEN], "Overtaken", []),
        ([AWAY] * 4, "Failed", [30, 60, 120]),
    ]:
        stand = Lambda(answers)
        seen = execute(machine, {"image": "registry.example.com/web:2"}, stand.invoke)
        assert (seen["end"], seen["waited"]) == (end, waited), f"{answers}: {seen}"
        assert not stand.answers, seen
        assert stand.events[0]["deploy"]["execution"] == "execution-1"
        check_sequence(stand.events)
        if end == "Deployed":
            assert seen["output"] == SUCCEEDED, seen
        else:
            assert seen["error"] == answers[-1]["errorType"], seen
            assert answers[-1]["errorMessage"] in seen["cause"], seen


# https://states-language.net/spec.html
FIELDS = {
    "Pass": {"Parameters", "Next"},
    "Task": {"Resource", "Parameters", "TimeoutSeconds", "ResultPath", "Retry", "Catch", "Next"},
    "Choice": {"Choices", "Default"},
    "Wait": {"SecondsPath", "Next"},
    "Succeed": {"OutputPath"},
    "Fail": {"ErrorPath", "CausePath"},
}
MOST_STATES = 50


def execute(machine, data, invoke):
    """Runs a state machine; the end, its output or error, and the waits in seconds."""
    name, waited = machine["StartAt"], []
    for _ in range(MOST_STATES):
        state = machine["States"][name]
        assert state.keys() - {"Type", "Comment"} <= FIELDS[state["Type"]], f"{name}: {state}"
        match state["Type"]:
            case "Pass":
                data = filled(state["Parameters"], data)
            case "Task":
                data, caught = task(state, data, invoke, waited)
                if caught:
                    name = caught
                    continue
            case "Choice":
                fits = [
                    one["Next"]
                    for one in state["Choices"]
                    if at(one["Variable"], data) == one["StringEquals"]
                ]
                name = (fits + [state["Default"]])[0]
                continue
            case "Wait":
                waited.append(at(state["SecondsPath"], data))
            case "Succeed":
                return {"end": name, "output": at(state["OutputPath"], data), "waited": waited}
            case "Fail":
                error, cause = at(state["ErrorPath"], data), at(state["CausePath"], data)
                return {"end": name, "error": error, "cause": cause, "waited": waited}
        name = state["Next"]
    raise AssertionError("it does not end")


def task(state, data, invoke, waited):
    """The data after an invocation, and the state that an error leads to."""
    assert state["Resource"] == "arn:aws:states:::lambda:invoke"
    (retry,) = state["Retry"]
    for attempt in range(retry["MaxAttempts"] + 1):
        payload = invoke(filled(state["Parameters"], data)["Payload"])
        error = payload.get("errorType")
        if not error:
            result = {"StatusCode": 200, "Payload": payload}
            return data | {state["ResultPath"][2:]: result}, None
        if error not in retry["ErrorEquals"] or attempt == retry["MaxAttempts"]:
            break
        waited.append(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt)
    for catch in state["Catch"]:
        if error in catch["ErrorEquals"] or "States.ALL" in catch["ErrorEquals"]:
            caught = {"Error": error, "Cause": json.dumps(payload)}
            return data | {catch["ResultPath"][2:]: caught}, catch["Next"]
    raise AssertionError(f"{error} is not caught")


def filled(template, data):
    """A payload template; `$$` is what Step Functions knows of the execution."""
    if not isinstance(template, dict):
        return template
    context = {"Execution": {"Name": "execution-1"}}
    filled_in = {}
    for name, value in template.items():
        if not name.endswith(".$"):
            filled_in[name] = filled(value, data)
        elif value.startswith("$$"):
            filled_in[name[:-2]] = at(value[1:], context)
        else:
            filled_in[name[:-2]] = at(value, data)
    return filled_in


def at(path, data):
    """What a reference path leads to."""
    assert re.fullmatch(r"\$(\.\w+)*", path), path
    for part in path.split(".")[1:]:
        data = data[part]
    return data
