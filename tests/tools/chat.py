"""Sends events of CodePipeline through the rules for a chat, as EventBridge's documentation says what it does, and
holds what comes out against the schema of Amazon Q Developer's custom notifications.

Usage: chat.py TEMPLATE, as validate.py translated it

EventBridge itself is not here. Where its documentation leaves something open, the simulation takes the worse:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

import json
import re
import unittest

import jsonschema
from moto.events.models import EventPattern

from stack import ACCOUNT, ALL, PLAIN, REGION, Stack, client

# Text and lists of text alone; a field that is not named here is dropped with the whole message.
# https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
TEXT, TEXTS = {"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}
SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["version", "source", "content"],
    "properties": {
        "version": {"const": "1.0"}, "source": {"const": "custom"}, "id": TEXT,
        "content": {
            "type": "object", "additionalProperties": False, "required": ["description"],
            "properties": {"textType": {"const": "client-markdown"}, "title": TEXT, "description": TEXT,
                           "nextSteps": TEXTS, "keywords": TEXTS}},
        "metadata": {
            "type": "object", "additionalProperties": False,
            "properties": {"threadId": TEXT, "summary": TEXT, "eventType": TEXT, "relatedResources": TEXTS,
                           "additionalContext": {"type": "object", "additionalProperties": TEXT}}}}}
# CodePipeline's names have no quotes and no line breaks.
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ActionDeclaration.html
NAME = r"[A-Za-z0-9.@\-_]{1,100}"
MESSAGES = {
    "plain": "Deployment `web` in `shop` failed.",
    "quotes": 'it says "no" and \'never\', {"a": "b\\"c"}, and "',
    "line breaks": "The new version does not serve.\n\n2 of 3 pods\r\n\tare ready\n",
    "backslashes": "C:\\new\\table \\u0041 \\",
    "markup": "<script>alert(1)</script> & <summary> <pipeline> *bold* `code` ${X} #{Y}",
    "other alphabets": "Übergröße 漢字 🚀 \u2028 \u0000 \u0007",
    "as long as it gets": "\"\n" * 1024,
    "a space": " ",
}


def transform(transformer, event):
    """What EventBridge makes of an event."""
    paths, template = transformer["InputPathsMap"], transformer["InputTemplate"]
    assert len(paths) <= 100 and len(template) <= 8192
    values = {}
    for name, path in paths.items():
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name) and re.fullmatch(r"\$(\.[A-Za-z0-9_-]+)+", path), path
        value = event
        for key in path.split(".")[1:]:
            value = value.get(key) if isinstance(value, dict) else None
        # A path that the event lacks makes no variable.
        if value is not None:
            values[name] = value
    out, quoted, at = "", False, 0
    for found in re.finditer(r"<([A-Za-z0-9_.-]+)>", template):
        text = template[at:found.start()]
        quoted ^= len(re.findall(r'(?<!\\)"', text)) % 2 == 1
        value = values.get(found[1])
        if value is None:
            shown = ""
        elif quoted:
            # As it is: whether it would be escaped there is not said.
            shown = value if isinstance(value, str) else json.dumps(value)
        else:
            shown = json.dumps(value)
        out, at = out + text + shown, found.end()
    return out + template[at:]


def failed(message=None, **other):
    """The event of a failed action, as CodePipeline sends it."""
    result = {"external-execution-id": "shop/web@3", "error-code": "JobFailed"}
    if message is not None:
        result["external-execution-summary"] = message
    detail = {
        "pipeline": "shop", "execution-id": "01234567-0123-0123-0123-012345678901", "stage": "Deploy",
        "action": "Kubernetes", "state": "FAILED", "region": REGION, "version": 3.0, "execution-result": result,
        "type": {"owner": "AWS", "provider": "Lambda", "category": "Invoke", "version": "1"}}
    return {"version": "0", "id": "1", "source": "aws.codepipeline", "account": ACCOUNT, "region": REGION,
            "detail-type": "CodePipeline Action Execution State Change", "detail": detail | other}


class Chat(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Stack(ALL) as stack:
            cls.rules = {name: one for name, one in stack.properties("AWS::Events::Rule").items() if "Chat" in name}
            cls.topic, = client("sns").list_topics()["Topics"]
            cls.policy, = stack.properties("AWS::SNS::TopicPolicy").values()

    def send(self, event):
        """What the topic gets."""
        sent = []
        for rule in self.rules.values():
            if EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(event):
                target, = rule["Targets"]
                self.assertEqual(target["Arn"], self.topic["TopicArn"])
                sent.append(transform(target["InputTransformer"], event))
        return sent

    def test_every_message_arrives_as_it_is(self):
        for kind, message in MESSAGES.items():
            with self.subTest(kind):
                text, = self.send(failed(message))
                notification = json.loads(text)
                jsonschema.validate(notification, SCHEMA)
                self.assertEqual(notification["content"]["description"], message)
                self.assertEqual(notification["content"]["title"], "shop: Kubernetes failed")
                self.assertLess(len(text.encode()), 256 * 1024, "SNS takes no more")

    def test_an_action_without_a_message_is_told_too(self):
        text, = self.send(failed())
        jsonschema.validate(json.loads(text), SCHEMA)
        self.assertIn("without a message", text)

    def test_other_events_stay_out(self):
        build = {"owner": "AWS", "provider": "CodeBuild", "category": "Build", "version": "1"}
        for other in [{"state": "SUCCEEDED"}, {"state": "STARTED"}, {"type": build}, {"pipeline": "other"}]:
            self.assertEqual(self.send(failed("why", **other)), [], other)
        self.assertEqual(len(self.send(failed("why", pipeline="web"))), 1, "the second pipeline of the parameter")

    def test_only_names_stand_in_quotes(self):
        for rule in self.rules.values():
            transformer = rule["Targets"][0]["InputTransformer"]
            bare = re.sub(r'"[^"]*"', '""', transformer["InputTemplate"])
            self.assertLessEqual(set(re.findall(r"<(\w+)>", bare)), {"summary"})
            names = set(transformer["InputPathsMap"]) - {"summary"}
            self.assertEqual(names, {"pipeline", "stage", "action", "execution", "region"})
            for name in ["pipeline", "stage", "action", "execution-id", "region"]:
                self.assertRegex(failed()["detail"][name], f"^{NAME}$")

    def test_the_simulation_can_fail(self):
        transformer = dict(self.rules["ChatRule"]["Targets"][0]["InputTransformer"])
        transformer["InputTemplate"] = transformer["InputTemplate"].replace("<summary>", '"<summary>"')
        for kind in ["quotes", "line breaks"]:
            with self.assertRaises(ValueError):
                json.loads(transform(transformer, failed(MESSAGES[kind])))
        # The rule for messages, had it taken an event without one.
        with self.assertRaises(ValueError):
            json.loads(transform(self.rules["ChatRule"]["Targets"][0]["InputTransformer"], failed()))

    def test_only_these_rules_may_publish(self):
        statement, = self.policy["PolicyDocument"]["Statement"]
        self.assertEqual(statement["Principal"], {"Service": "events.amazonaws.com"})
        sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        self.assertEqual(len(sources), 2)
        for source in sources:
            self.assertRegex(source, rf"^arn:aws:events:{REGION}:{ACCOUNT}:rule/")

    def test_nothing_of_it_without_the_parameter(self):
        with Stack(PLAIN) as stack:
            self.assertEqual(client("sns").list_topics()["Topics"], [])
            self.assertEqual(stack.properties("AWS::Events::Rule"), {})


if __name__ == "__main__":
    unittest.main()
