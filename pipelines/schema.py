"""The JSON Schema of pipeline files, made for editors: it completes words, knows the built-in checks and explains both."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pydantic import BaseModel
from pydantic.alias_generators import to_snake

from pipelines.builtins import BUILTINS
from pipelines.spec import Pipeline

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = r"\$\{var\.[A-Za-z_]"
"""What a text with a form of its own may be as well: filled in when the file is loaded."""
_REF = "#/$defs/"

Schema = dict[str, Any]


def json_schema() -> Schema:
    """JSON Schema, draft 2020-12, of a pipeline file; a new one each time.

    Words of rollouts are offered as Argo Rollouts spells them (setWeight); set_weight is accepted as well, as the loader does.
    """
    schema = Pipeline.model_json_schema(by_alias=True)
    definitions = schema.setdefault("$defs", {})
    for definition in list(definitions.values()):
        _accept_snake_case(definition)
    _require_strategy(definitions)
    _know_builtins(definitions)
    _tidy(schema)
    title = "Switchyard pipeline"
    return {"$schema": DIALECT, "$id": "https://switchyard.dev/pipeline.schema.json", **schema, "title": title}


def _accept_snake_case(definition: Schema) -> None:
    """Patterns are accepted but not offered, so that completion shows one spelling."""
    properties = definition.get("properties", {})
    other = {f"^{to_snake(word)}$": rule for word, rule in properties.items() if to_snake(word) != word}
    if "with" in properties:
        other["^options$"] = properties["with"]
    if other:
        definition["patternProperties"] = other


def _require_strategy(definitions: Schema) -> None:
    for definition in definitions.values():
        if "const" in definition.get("properties", {}).get("strategy", {}):
            definition["required"] = sorted({*definition.get("required", []), "strategy"})


def _know_builtins(definitions: Schema) -> None:
    """`uses` is one of the checks, and `with` has the options of that one."""
    step = definitions["Step"]
    step["properties"]["uses"] = {
        "title": "Uses",
        "description": "a built-in check",
        "oneOf": [{"const": name, "description": check.description} for name, check in BUILTINS.items()],
    }
    step["oneOf"] = [{"required": ["run"]}, {"required": ["uses"]}]
    step["allOf"] = []
    for name, check in BUILTINS.items():
        options = check.options.model_json_schema(by_alias=True, ref_template=f"{_REF}{{model}}")
        definitions.update(options.pop("$defs", {}))
        definitions[check.options.__name__] = options
        uses = {"properties": {"uses": {"const": name}}, "required": ["uses"]}
        given = {"$ref": f"{_REF}{check.options.__name__}"}
        step["allOf"].append({"if": uses, "then": {"properties": {"with": given, "options": given}}})


def _tidy(node: Any) -> None:
    """Keys must match their pattern; pydantic's made-up titles, and bounds that only it understands, go."""
    if isinstance(node, list):
        for item in node:
            _tidy(item)
    if not isinstance(node, dict):
        return
    if "pattern" in node and node.get("type") == "string":
        node["pattern"] = f"{node['pattern']}|{_VARIABLE}"
    if "patternProperties" in node and "properties" not in node:
        node["additionalProperties"] = False
    for word in ("title", "gt", "ge", "discriminator"):
        if not isinstance(node.get(word), dict) or word == "discriminator":
            node.pop(word, None)
    for item in node.values():
        _tidy(item)


@lru_cache(maxsize=64)
def _shared(model: type[BaseModel]) -> Schema:
    return json_schema() if model is Pipeline else model.model_json_schema(by_alias=True)


def words_at(path: tuple[str | int, ...], data: Any, model: type[BaseModel] = Pipeline) -> list[str]:
    """The words that the language knows at a place of a definition; [] where any key may stand.

    `data` is what is to be a `model`.
    """
    schema = _shared(model)
    node = schema
    for part in path:
        node = _below(_chosen(node, data, schema), part)
        data = _item(data, part)
    return list(_chosen(node, data, schema).get("properties", {}))


def _item(data: Any, part: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(part)
    return data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None


def _below(node: Schema, part: str | int) -> Schema:
    if isinstance(part, int):
        found = node.get("items", {})
    else:
        patterns = node.get("patternProperties", {})
        matching = [rule for pattern, rule in patterns.items() if re.search(pattern, part)]
        found = node.get("properties", {}).get(part) or next(iter(matching), None) or node.get("additionalProperties", {})
    return found if isinstance(found, dict) else {}


def _chosen(node: Schema, data: Any, schema: Schema) -> Schema:
    """References followed; of alternatives the one that the data's strategy names, else the first that has words or items."""
    if "$ref" in node:
        return _chosen(schema["$defs"][node["$ref"].removeprefix(_REF)], data, schema)
    members = node.get("anyOf") or (node.get("oneOf") if "properties" not in node else None)
    if not members:
        return node
    followed = [_chosen(member, data, schema) for member in members]
    strategy = data.get("strategy") if isinstance(data, dict) else None
    named = [each for each in followed if each.get("properties", {}).get("strategy", {}).get("const") == strategy]
    useful = [each for each in followed if each.keys() & {"properties", "items", "patternProperties", "additionalProperties"}]
    return (named if strategy else useful or named or followed or [{}])[0] if followed else {}
