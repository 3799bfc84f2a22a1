"""Checks requests against an OpenAPI 3.1 description: does the path exist, and is the body what it says?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012


class ApiError(AssertionError):
    """The request is none that the description allows; the message says why."""


class ApiDescription:
    """One description file."""

    def __init__(self, file: Path) -> None:
        self._spec: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self._registry: Registry[Any] = Registry().with_resource(
            "spec:api", Resource.from_contents(self._spec, default_specification=DRAFT202012)
        )
        self._paths = [
            (re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))), template)
            for template in self._spec["paths"]
        ]

    def check(
        self, method: str, path: str, query: dict[str, str], body: Any, media: str = "application/json"
    ) -> None:
        """Raise `ApiError` for a request that is not in the description or not as described."""
        template = self._template(method, path)
        item = self._spec["paths"][template]
        operation = item[method.lower()]
        parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
        known = {each["name"] for each in map(self._resolved, parameters) if each["in"] == "query"}
        if strange := set(query) - known:
            raise ApiError(f"{method} {path}: unknown parameters {sorted(strange)}")
        if body is None:
            return
        try:
            operation["requestBody"]["content"][media]
        except KeyError:
            raise ApiError(f"{method} {path}: takes no {media}") from None
        pointer = "/".join(
            part.replace("~", "~0").replace("/", "~1")
            for part in ("paths", template, method.lower(), "requestBody", "content", media, "schema")
        )
        validator = jsonschema.Draft202012Validator({"$ref": f"spec:api#/{pointer}"}, registry=self._registry)
        if error := jsonschema.exceptions.best_match(validator.iter_errors(body)):
            raise ApiError(f"{method} {path}: {error.json_path}: {error.message[:300]}")

    def _template(self, method: str, path: str) -> str:
        fitting: list[str] = [
            template
            for pattern, template in self._paths
            if pattern.fullmatch(path) and method.lower() in self._spec["paths"][template]
        ]
        if not fitting:
            raise ApiError(f"{method} {path}: not in the description")
        # "/users/@me" is meant before "/users/{user_id}".
        best: str = min(fitting, key=lambda template: template.count("{"))
        return best

    def _resolved(self, parameter: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in parameter:
            return parameter
        found: Any = self._spec
        for part in parameter["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        resolved: dict[str, Any] = found
        return resolved
