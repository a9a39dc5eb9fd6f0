"""The JSON schema of scenarios, for editors: ``python -m sim.scenario.schema`` writes configs/scenarios/schema.json."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from sim.scenario.scenario import Scenario


def schema_path() -> Path:
    """Where the schema is kept."""
    return Path(str(files("configs") / "scenarios" / "schema.json"))


def schema_text() -> str:
    """The schema as it should be kept."""
    schema = Scenario.model_json_schema()
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A misheard scenario"}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    schema_path().write_text(schema_text(), encoding="utf-8")
