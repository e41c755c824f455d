"""Checks a test's answers against service/http/openapi.yaml. Import this module after messages.generate()."""

import importlib
import json
import pathlib
import re

import yaml
from google.protobuf import json_format

_PATH = pathlib.Path(__file__).resolve().parents[2] / "service" / "http" / "openapi.yaml"
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


class Contract:
    """The operations of the HTTP interface by their IDs: `methods` and `paths`. Immutable."""

    def __init__(self):
        self.text = _PATH.read_text()
        self._document = yaml.safe_load(self.text)
        self._operations, self.methods, self.paths = {}, {}, {}
        for path, item in self._document["paths"].items():
            for method in _METHODS:
                if method in item:
                    operation = item[method]
                    name = operation["operationId"]
                    assert name not in self._operations, name
                    self._operations[name] = operation
                    self.methods[name], self.paths[name] = method.upper(), path

    def is_public(self, name):
        """Returns whether the public address has the operation."""
        return "servers" not in self._operations[name]

    def parameters(self, name):
        """Returns the names of the operation's query parameters."""
        found = map(self._resolve, self._operations[name].get("parameters", []))
        return [parameter["name"] for parameter in found if parameter["in"] == "query"]

    def check(self, name, answer):
        """Raises unless the operation may return this answer: its status, its type, and the shape of its JSON."""
        responses = self._operations[name]["responses"]
        response = self._resolve(responses.get(str(answer.status)) or responses["default"])
        content = response.get("content", {})
        if answer.status == 304:
            assert answer.body == b"", answer.body
            return
        assert answer.type in content, f"{name}: {answer.type} is not one of {list(content)}"
        if answer.type == "application/problem+json":
            self._check_problem(answer)
        elif answer.type == "application/json":
            schema = self._resolve(content[answer.type]["schema"])
            if "type" in schema and not schema.get("description", "").startswith("viewcount.v1."):
                self._check_shape(schema, answer.json(), name)
            else:
                self.check_message(schema, answer.json())

    def _check_shape(self, schema, shown, at):
        """Raises unless `shown` has the types, and exactly the properties, that the schema of no message has."""
        types = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
        assert isinstance(shown, types[schema["type"]]), f"{at}: {shown!r} is not of type {schema['type']}"
        if schema["type"] == "array":
            for item in shown:
                self._check_shape(schema["items"], item, at + "[]")
        elif "properties" in schema:
            assert set(schema["required"]) <= set(shown) <= set(schema["properties"]), f"{at}: {shown}"
            for key, value in shown.items():
                self._check_shape(schema["properties"][key], value, f"{at}.{key}")

    def event_schema(self):
        return self._operations["live"]["responses"]["200"]["content"]["text/event-stream"]["schema"]

    def check_message(self, schema, shown):
        """Raises unless `shown` is the schema's message in proto3's JSON mapping, with every number present."""
        name = re.match(r"viewcount\.v1\.(\w+)", self._resolve(schema)["description"])[1]
        if name == "RecordViewsResponse":
            # The route adds it, for pages only.
            assert shown.get("describe", True) is True, shown
            shown = {key: value for key, value in shown.items() if key != "describe"}
        packages = [importlib.import_module(f"viewcount.v1.{file}_pb2") for file in ("query", "ingest", "admin", "pages")]
        package = next(package for package in packages if hasattr(package, name))
        message = json_format.Parse(json.dumps(shown), getattr(package, name)())
        again = json_format.MessageToDict(message, including_default_value_fields=True)
        assert shown == again, f"{name}: {shown} should be {again}"

    def _check_problem(self, answer):
        schema = self._resolve({"$ref": "#/components/schemas/Problem"})
        shown = answer.json()
        types = {"string": str, "integer": int}
        assert set(schema["required"]) <= set(shown), shown
        for key, value in shown.items():
            assert isinstance(value, types[schema["properties"][key]["type"]]), shown
        assert shown["type"] == "about:blank" and shown["status"] == answer.status, shown
        assert re.fullmatch("[A-Z_]+", shown["code"]), shown

    def _resolve(self, part):
        while "$ref" in part:
            found = self._document
            for key in part["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            part = found
        return part
