"""Prints sandbox/src/world/api/fields/types.txt: the types that server-side apply merges by.

python3 tests/tools/field_types.py INTERNAL_GO SWAGGER where the arguments are
applyconfigurations/internal/internal.go of k8s.io/client-go and
api/openapi-spec/swagger.json of k8s.io/kubernetes (for what client-go does not have), as
`go mod download` leaves them. Needs PyYAML.
"""

import json
import re
import sys

import yaml

# Kinds by their type; what they refer to comes along.
ROOTS = """
apps.v1.Deployment apps.v1.ReplicaSet apps.v1.StatefulSet apps.v1.DaemonSet
apps.v1.ControllerRevision core.v1.Pod core.v1.Service core.v1.Event core.v1.ServiceAccount
core.v1.ConfigMap core.v1.Secret core.v1.Namespace core.v1.PersistentVolumeClaim
core.v1.PersistentVolume core.v1.ResourceQuota core.v1.LimitRange core.v1.Endpoints core.v1.Node
batch.v1.Job batch.v1.CronJob rbac.v1.Role rbac.v1.RoleBinding rbac.v1.ClusterRole
rbac.v1.ClusterRoleBinding networking.v1.Ingress networking.v1.IngressClass
networking.v1.NetworkPolicy storage.v1.StorageClass scheduling.v1.PriorityClass
policy.v1.PodDisruptionBudget autoscaling.v1.HorizontalPodAutoscaler
autoscaling.v2.HorizontalPodAutoscaler discovery.v1.EndpointSlice coordination.v1.Lease
admissionregistration.v1.ValidatingWebhookConfiguration
admissionregistration.v1.MutatingWebhookConfiguration
apiextensions.v1.CustomResourceDefinition apiregistration.v1.APIService
""".split()
SCALARS = {"string": "s", "numeric": "n", "boolean": "b", "untyped": "u"}


def short(name):
    """`io.k8s.api.apps.v1.Deployment` is `apps.v1.Deployment` here."""
    return ".".join(name.split(".")[-3:])


def load(internal, swagger):
    types = {}
    text = re.search(r"YAMLObject\(`(.*?)`\)", open(internal).read(), re.S).group(1)
    for item in yaml.safe_load(text)["types"]:
        types[short(item["name"])] = item
    for name, schema in json.load(open(swagger))["definitions"].items():
        if short(name) not in types:
            types[short(name)] = converted(schema)
    return types


def converted(schema):
    """A schema of OpenAPI in the form of client-go's types."""
    if "$ref" in schema:
        return {"namedType": schema["$ref"].rsplit("/", 1)[1]}
    kind = schema.get("type")
    if kind == "array":
        of = {"elementType": converted(schema["items"]),
              "elementRelationship": "atomic"}
        if schema.get("x-kubernetes-list-type") == "map":
            of.update(elementRelationship="associative", keys=schema["x-kubernetes-list-map-keys"])
        elif schema.get("x-kubernetes-list-type") == "set":
            of.update(elementRelationship="associative")
        return {"list": of}
    if "properties" in schema:
        required = schema.get("required", [])
        fields = [{"name": name, "type": converted(inner),
                   **({"default": ""} if name in required else {})}
                  for name, inner in sorted(schema["properties"].items())]
        return {"map": {"fields": fields}}
    if kind == "object" and "additionalProperties" in schema:
        return {"map": {"elementType": converted(schema["additionalProperties"])}}
    if kind in ("integer", "number"):
        return {"scalar": "numeric"}
    if kind == "boolean":
        return {"scalar": "boolean"}
    if kind == "string":
        return {"scalar": "untyped" if schema.get("format") == "date-time" else "string"}
    return {"namedType": "__untyped_deduced_"}


class Printer:
    def __init__(self, types):
        self.types = types
        self.lines = {}
        self.keys = set()
        for item in types.values():
            for field in item.get("map", {}).get("fields", []):
                kind = field["type"].get("list", {})
                for key in kind.get("keys", []):
                    self.keys.add((short(kind["elementType"].get("namedType", "")), key))

    def shape(self, kind):
        mark = "!" if kind.get("elementRelationship") == "atomic" else ""
        if "namedType" in kind:
            name = short(kind["namedType"])
            if name.startswith("__untyped"):
                return "*!" if "atomic" in name else "*"
            named = self.types[name]
            if "namedType" in named:
                return self.shape(named)
            if not named.get("map", {}).get("fields"):
                return self.shape(named) if named.get("map") != {} else "{*}"
            self.line(name)
            return name + mark
        if "scalar" in kind and "map" in kind:
            atomic = kind["map"].get("elementRelationship") == "atomic"
            return "*!" if atomic else "*"
        if "scalar" in kind:
            return SCALARS[kind["scalar"]]
        if "map" in kind:
            of = kind["map"]
            assert not of.get("fields"), kind
            return "{%s}%s" % (self.shape(of["elementType"]),
                               "!" if of.get("elementRelationship") == "atomic" else "")
        of = kind["list"]
        end = ""
        if of["elementRelationship"] == "associative":
            end = "@" + ",".join(of["keys"]) if of.get("keys") else "="
        return "[%s]%s" % (self.shape(of["elementType"]), end)

    def line(self, name):
        if name in self.lines:
            return
        self.lines[name] = ""
        kind = self.types[name]["map"]
        words = [name + ("!" if kind.get("elementRelationship") == "atomic" else "")]
        for field in kind["fields"]:
            text = "%s:%s" % (field["name"], self.shape(field["type"]))
            if (name, field["name"]) in self.keys and "default" in field:
                text += "=%s" % field["default"]
            words.append(text)
        self.lines[name] = " ".join(words)


def main():
    printer = Printer(load(*sys.argv[1:]))
    for root in ROOTS:
        printer.line(root)
    print("\n".join(sorted(printer.lines.values())))


main()
