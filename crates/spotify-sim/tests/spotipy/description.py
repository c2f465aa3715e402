"""Holds answers against the published OpenAPI description, minus exceptions that each have a name and a reason.

Stricter than the description asks for: a key that it does not have is an error too, because it hardly requires any, and
a misspelt one would pass unseen.
"""

import re
from collections import Counter

import yaml
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from openapi_schema_validator import OAS30Validator

NULL = r"None (is not of type|for not nullable|is not one of|is of none)"

# Name, where the project's Web API reference says so, why, and what the error looks like: "METHOD template status
# place: what is wrong". The numbers 15.x are the reference's list of what the description has wrong.
EXCEPTIONS = [
    (
        "removed-in-development-mode",
        "15.1",
        "the description is of extended mode; development mode lacks fields that it requires",
        r"'(available_markets|label|popularity|publisher)' is a required property$",
    ),
    (
        "reason-of-a-refusal",
        "15.2",
        "player commands and quotas say why in `reason`, which the description's error does not have",
        r" (403|404|429) error: undescribed key 'reason'$",
    ),
    (
        "not-found-on-player-routes",
        "15.2",
        "no device is 404; the description has no 404 there",
        r"^(PUT|POST) /me/player\S* 404 : undescribed status$",
    ),
    (
        "bad-request",
        "15.2",
        "a limit above the maximum and an identifier that is none are 400; the description has no 400 there",
        r"^GET /(search|tracks/\{id\}) 400 : undescribed status$",
    ),
    (
        "silence-on-currently-playing",
        "15.3",
        "204 while nothing plays, which the description forgot",
        r"^GET /me/player/currently-playing 204 : undescribed status$",
    ),
    (
        "smart-shuffle",
        "15.3",
        "live answers have it",
        r"^GET /me/player 200 : undescribed key 'smart_shuffle'$",
    ),
    (
        "commands-answered-with-200",
        "15.4",
        "200 and an opaque text have been seen for every command",
        r"^(PUT|POST) /me/player\S* 200 : undescribed status$",
    ),
    (
        "disallows-nested",
        "15.5",
        "live answers have actions.disallows, the description has its keys directly under actions",
        r"^GET /me/player\S* 200 actions: undescribed key 'disallows'$",
    ),
    (
        "local-file",
        "6.1",
        "a file of the host's own has no id, no page and no album type",
        r"^GET /me/player 200 item/(id|href|uri|album/\w+|artists/\*/\w+): " + NULL,
    ),
    (
        "nothing-to-show",
        "4.1",
        "an advertisement is no item, and bare tracks, it, and what is unknown have no context; the description says "
        "so in its text alone",
        r"^GET /me/player\S* 200 (item|context): " + NULL,
    ),
    (
        "playlist-without-words-or-picture",
        "8",
        "a description that was never set, and some images, are null; the description says so in its text alone",
        r"^(GET|POST) (/me/playlists|/playlists/\S+|/search) \d+ (\S+/)?(description|images): " + NULL,
    ),
]


class Description:
    """The description, and what was held against it so far."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.root = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        # Fixed words before placeholders, so that /me/playlists is not taken for a playlist.
        self.templates = sorted(self.root["paths"], key=lambda path: path.count("{"))
        self.schemas = {}
        self.errors = []
        self.answers = Counter()
        self.used = Counter()

    def check(self, method, path, answer):
        """Holds one answer against the description. `path` begins after /v1."""
        path = path.removesuffix("/")
        template = next((one for one in self.templates if _matches(one, path)), None)
        if template is None:
            self.errors.append(f"{method} {path}: undescribed path")
            return
        self.answers[f"{method} {template} {answer.status_code}"] += 1
        for error in self._wrong(method, template, answer):
            self._note(f"{method} {template} {answer.status_code} {error}")

    def unused(self):
        """The exceptions that nothing needed."""
        return [name for name, *_ in EXCEPTIONS if not self.used[name]]

    def _note(self, error):
        for name, _, _, pattern in EXCEPTIONS:
            if re.search(pattern, error):
                self.used[name] += 1
                return
        self.errors.append(error)

    def _wrong(self, method, template, answer):
        described = self.root["paths"][template].get(method.lower(), {}).get("responses", {})
        response = described.get(str(answer.status_code))
        undescribed = response is None
        if undescribed:
            yield ": undescribed status"
            if answer.status_code < 400:
                return
            # Whatever the status, a refusal looks like the refusals that are described.
            response = described["403"]
        schema = self._schema(response)
        if schema is None:
            if answer.content:
                yield ": a body where none is described"
            return
        if answer.headers.get("content-type") != "application/json; charset=utf-8":
            yield f": {answer.headers.get('content-type')} is not JSON"
            return
        for error in Strict(schema).iter_errors(answer.json()):
            place = ("*" if isinstance(part, int) else part for part in error.absolute_path)
            yield f"{'/'.join(place)}: {error.message}"

    def _schema(self, response):
        key = str(response)
        if key not in self.schemas:
            content = self._inlined(response).get("content", {})
            self.schemas[key] = content.get("application/json", {}).get("schema")
        return self.schemas[key]

    def _inlined(self, node):
        """Without references and `allOf`, so that it is known which keys there are."""
        if isinstance(node, list):
            return [self._inlined(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            return self._inlined(target)
        made = {key: self._inlined(value) for key, value in node.items() if key != "allOf"}
        for part in map(self._inlined, node.get("allOf", [])):
            for key, value in part.items():
                if key == "properties":
                    made[key] = value | made.get(key, {})
                elif key == "required":
                    made[key] = value + made.get(key, [])
                else:
                    made.setdefault(key, value)
        return made


def _matches(template, path):
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


def _only_described(validator, properties, instance, schema):
    if not validator.is_type(instance, "object"):
        return
    for key in instance.keys() - properties.keys():
        yield _error(f"undescribed key '{key}'")
    yield from OAS30Validator.VALIDATORS["properties"](validator, properties, instance, schema)


def _by_type(validator, branches, instance, schema):
    """Goes into the branch that the instance says it is, so that an error names its place in there."""
    kind = instance.get("type") if isinstance(instance, dict) else None
    for branch in branches:
        if kind in branch.get("properties", {}).get("type", {}).get("enum", []):
            yield from validator.descend(instance, branch)
            return
    yield _error(f"{instance!r:.60} is of none of the described types")


def _error(message):
    return ValidationError(message)


Strict = extend(OAS30Validator, {"properties": _only_described, "oneOf": _by_type})
