"""AWS's rules of requests, worked out from the newest botocore: what breaks a service model's constraints, and in which words.

A second implementation of what the server does, for tests of bad input.
"""

import base64
import copy
import re

import service_model


def python_pattern(pattern: str) -> str:
    # Of the letters, numbers and separators of every script only those of ASCII are sent here.
    return pattern.replace(r"\p{ASCII}", r"[\x00-\x7f]").replace(r"\p{L}\p{Z}\p{N}", "A-Za-z 0-9")


class Alone(str):
    """What is told by itself, once all constraints hold."""


def broken(shape: dict, value: str) -> list[str]:
    """The constraints that a string breaks."""
    found = []
    if "enum" in shape:
        return [] if value in shape["enum"] else [f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"]
    if len(value) < shape.get("min", 0):
        found.append(f"Member must have length greater than or equal to {shape['min']}")
    if len(value) > shape.get("max", len(value)):
        found.append(f"Member must have length less than or equal to {shape['max']}")
    if "pattern" in shape and not re.fullmatch(python_pattern(shape["pattern"]), value, re.ASCII):
        found.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
    return found


def of_items(shape: dict) -> str:
    """All constraints of a list's texts: AWS names them all if one is broken."""
    if "enum" in shape:
        return f"Member must satisfy constraint: [Member must satisfy enum value set: [{', '.join(shape['enum'])}]]"
    all_of_them = [f"Member must have length less than or equal to {shape['max']}"] if "max" in shape else []
    if "max" in shape or "min" in shape:
        all_of_them.append(f"Member must have length greater than or equal to {shape.get('min', 0)}")
    if "pattern" in shape:
        all_of_them.append(f"Member must satisfy regular expression pattern: {shape['pattern']}")
    return f"Member must satisfy constraint: [{', '.join(all_of_them)}]"


def put(request: dict, place: tuple, value) -> dict:
    request = copy.deepcopy(request)
    inside = request
    for step in place[:-1]:
        inside = inside[step]
    if value is None:
        inside[place[-1]] = None
    else:
        inside[place[-1]] = value
    return request


class Rules:
    """Those of one service. `texts` has a good value of each shape whose pattern or length asks for more than a letter."""

    def __init__(self, service: str, texts: dict[str, str]):
        self.model = service_model.model(service)
        self.shapes = self.model["shapes"]
        self.requests = service_model.requests(self.model)
        self.texts = texts

    def good(self, name: str):
        """A value that keeps the shape's constraints."""
        shape = self.shapes[name]
        match shape["type"]:
            case "structure":
                return {member: self.good(shape["members"][member]["shape"]) for member in shape.get("required", [])}
            case "list":
                return [self.good(shape["member"]["shape"])]
            case "map":
                return {"name": "value"}
            case "blob":
                return base64.b64encode(b"x" * max(shape.get("min", 0), 1)).decode()
            case "integer":
                return shape["min"]
            case "boolean":
                return False
            case "timestamp":
                return 2_000_000_000
            case "string":
                return self.texts.get(name) or shape.get("enum", ["a"])[0]
        raise ValueError(shape["type"])

    def violations(self, name: str, value, path: str) -> list[str]:
        """Everything that is wrong with a value, in the model's order."""
        shape = self.shapes[name]

        def told(shown: str, constraints: list[str]) -> list[str]:
            shown = "Value" if shape["sensitive"] or shape["type"] == "blob" else f"Value '{shown}'"
            return [f"{shown} at '{path}' failed to satisfy constraint: {constraint}" for constraint in constraints]

        def sized(length: int) -> list[str]:
            found = [f"greater than or equal to {shape['min']}"] if length < shape.get("min", 0) else []
            found += [f"less than or equal to {shape['max']}"] if length > shape.get("max", length) else []
            return [f"Member must have length {bound}" for bound in found]

        match shape["type"]:
            case "structure":
                found = []
                for member, of in shape["members"].items():
                    place = f"{path}.{member[0].lower()}{member[1:]}" if path else member[0].lower() + member[1:]
                    if value.get(member) is not None:
                        found += self.violations(of["shape"], value[member], place)
                    elif member in shape.get("required", []):
                        shown = "Value" if self.shapes[of["shape"]]["sensitive"] else "Value null"
                        found.append(f"{shown} at '{place}' failed to satisfy constraint: Member must not be null")
                return found
            case "list":
                item = self.shapes[shape["member"]["shape"]]
                if item["type"] == "structure":
                    whole = [f"Value at '{path}' failed to satisfy constraint: {constraint}" for constraint in sized(len(value))]
                    return whole + [text for n, it in enumerate(value, 1) for text in self.violations(shape["member"]["shape"], it, f"{path}.{n}.member")]
                constraints = sized(len(value)) + ([of_items(item)] if any(broken(item, it) for it in value) else [])
                if item["sensitive"]:
                    return [f"Value at '{path}' failed to satisfy constraint: {constraint}" for constraint in constraints]
                return told(f"[{', '.join(value)}]", constraints)
            case "string":
                found = broken(shape, value)
                if "told" in shape and found and "pattern" in found[-1]:
                    return told(value, found[:-1]) + [Alone(f"The specified value for {path} is invalid. {shape['told']}")]
                return told(value, found)
            case "blob":
                return told("", sized(len(base64.b64decode(value))))
            case "integer":
                found = [f"greater than or equal to {shape['min']}"] if value < shape["min"] else []
                found += [f"less than or equal to {shape['max']}"] if value > shape["max"] else []
                return told(str(value), [f"Member must have value {bound}" for bound in found])
        return []

    def message(self, name: str, value: dict) -> str | None:
        """What is told of a request; nothing if nothing is wrong with it."""
        found = self.violations(name, value, "")
        listed = [text for text in found if not isinstance(text, Alone)][:10]
        if listed:
            return f"{len(listed)} validation error{'s' * (len(listed) > 1)} detected: {'; '.join(listed)}"
        return found[0] if found else None

    def places(self, name: str, value: dict, path: tuple = ()):
        """Every member of a structure and of those inside it: where it is, its shape, and the request around it made good."""
        for member, of in self.shapes[name]["members"].items():
            whole = value | {member: self.good(of["shape"])}
            yield path + (member,), of["shape"], whole
            inner = self.shapes[of["shape"]]
            if inner["type"] == "structure":
                for place, shape, inside in self.places(of["shape"], whole[member]):
                    yield path + (member, *place), shape, whole | {member: inside}
            if inner["type"] == "list" and self.shapes[inner["member"]["shape"]]["type"] == "structure":
                for place, shape, inside in self.places(inner["member"]["shape"], whole[member][0]):
                    yield path + (member, 0, *place), shape, whole | {member: [inside]}

    def bad_values(self, name: str):
        """Values of the right type that break one constraint or another."""
        shape = self.shapes[name]
        match shape["type"]:
            case "string":
                if "enum" in shape:
                    yield from ("", "NONE", shape["enum"][0].lower())
                if shape.get("min", 0) > 0:
                    yield (self.good(name) * 3)[: shape["min"] - 1]
                if "max" in shape:
                    yield (self.good(name) * (shape["max"] + 1))[: shape["max"] + 1]
                if "pattern" in shape:
                    yield "\N{LOCK}" * max(shape.get("min", 1), 1)
            case "blob":
                yield ""
                if "max" in shape:
                    yield base64.b64encode(bytes(shape["max"] + 1)).decode()
            case "integer":
                yield from (shape["min"] - 1, -1, shape["max"] + 1, 2**40)
            case "list":
                item = shape["member"]["shape"]
                if shape.get("min", 0) > 0:
                    yield []
                if "max" in shape:
                    yield [self.good(item)] * (shape["max"] + 1)
                if self.shapes[item]["type"] == "string":
                    yield from ([self.good(item), value] for value in self.bad_values(item))
