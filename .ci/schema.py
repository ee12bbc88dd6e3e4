"""schema.py SCHEMA CONFIG…: the schema is valid, accepts each configuration, and refuses a broken one."""

import json
import sys

import yaml
from jsonschema import validators


class Loader(yaml.SafeLoader):
    """YAML as JSON has it: dates stay strings."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def main():
    schema_path, *configs = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    kind = validators.validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)

    failures = 0
    for path in configs:
        for error in validator.iter_errors(load(path)):
            failures += 1
            print(f"{path}: {error.json_path}: {error.message}")
    broken = load(configs[0]) | {"no_such_section": {}}
    if validator.is_valid(broken):
        failures += 1
        print("the schema accepts an unknown section")
    print(f"schema: {len(configs)} configurations checked, {failures} failures")
    sys.exit(failures > 0)


main()
