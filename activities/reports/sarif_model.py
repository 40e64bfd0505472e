"""The part of SARIF 2.1.0 that findings are made from, as models: a report of another shape is an error, not a surprise."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)


class Text(_Part):
    text: str = ""
    id: str = ""
    arguments: list[str] = Field(default_factory=list)


class ArtifactLocation(_Part):
    uri: str = ""
    index: int = -1


class Region(_Part):
    start_line: int | None = Field(None, ge=1)
    start_column: int | None = Field(None, ge=1)
    snippet: Text = Text()


class PhysicalLocation(_Part):
    artifact_location: ArtifactLocation = ArtifactLocation()
    region: Region = Region()


class Location(_Part):
    physical_location: PhysicalLocation = PhysicalLocation()


class Suppression(_Part):
    kind: str = ""
    status: Literal["accepted", "underReview", "rejected"] = "accepted"


class Component(_Part):
    index: int = -1


class RuleRef(_Part):
    id: str = ""
    index: int = -1
    tool_component: Component = Component()


class Configuration(_Part):
    level: str = "warning"


class Rule(_Part):
    id: str
    short_description: Text = Text()
    full_description: Text = Text()
    help: Text = Text()
    help_uri: str = ""
    message_strings: dict[str, Text] = Field(default_factory=dict)
    default_configuration: Configuration = Configuration()
    properties: dict[str, Any] = Field(default_factory=dict)


class ToolComponent(_Part):
    name: str
    rules: list[Rule] = Field(default_factory=list)


class Tool(_Part):
    driver: ToolComponent
    extensions: list[ToolComponent] = Field(default_factory=list)


class Notification(_Part):
    level: str = "warning"
    message: Text = Text()
    locations: list[Location] = Field(default_factory=list)


class Invocation(_Part):
    execution_successful: bool = True
    exit_code_description: str = ""
    tool_execution_notifications: list[Notification] = Field(default_factory=list)
    tool_configuration_notifications: list[Notification] = Field(default_factory=list)


class Artifact(_Part):
    location: ArtifactLocation = ArtifactLocation()


class Result(_Part):
    rule_id: str = ""
    rule_index: int = -1
    rule: RuleRef = RuleRef()
    level: str | None = None
    kind: str = "fail"
    message: Text = Text()
    locations: list[Location] = Field(default_factory=list)
    fingerprints: dict[str, str] = Field(default_factory=dict)
    partial_fingerprints: dict[str, str] = Field(default_factory=dict)
    suppressions: list[Suppression] | None = None
    baseline_state: str = "new"
    properties: dict[str, Any] = Field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """SARIF 3.27.23: suppressed when there are suppressions and none of them is under review or rejected."""
        suppressed = bool(self.suppressions) and all(entry.status == "accepted" for entry in self.suppressions or ())
        return not suppressed and self.baseline_state != "absent" and self.kind not in ("pass", "notApplicable")


class Run(_Part):
    """`results` None: the tool did not scan (SARIF 3.14.23)."""

    tool: Tool
    results: list[Result] | None = None
    artifacts: list[Artifact] = Field(default_factory=list)
    invocations: list[Invocation] = Field(default_factory=list)

    def rule_of(self, result: Result) -> Rule | None:
        """The rule by component and index, else by id; a hierarchical id ('A/b') falls back to its parent."""
        component = self._component(result.rule.tool_component.index)
        index = result.rule_index if result.rule_index >= 0 else result.rule.index
        if component and 0 <= index < len(component.rules):
            return component.rules[index]
        by_id = {rule.id: rule for part in (self.tool.driver, *self.tool.extensions) for rule in part.rules}
        name = result.rule_id or result.rule.id
        return by_id.get(name) or by_id.get(name.rpartition("/")[0])

    def _component(self, index: int) -> ToolComponent | None:
        if index < 0:
            return self.tool.driver
        return self.tool.extensions[index] if index < len(self.tool.extensions) else None


class Log(_Part):
    version: Literal["2.1.0"]
    runs: list[Run]
