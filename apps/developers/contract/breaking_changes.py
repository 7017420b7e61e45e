"""What of an OpenAPI file a later one breaks. Pure: two files in, sentences out.

What is sent may become freer and what is answered may become more, never the other way round: a client written against the old
file must work on. So: nothing that was there is gone; of what is sent nothing new is required and nothing is narrower; of what
is answered nothing is missing and nothing may suddenly be null. A choice that a reply gains is no break (read what you know and
pass over the rest); one that it loses is. A name that is absent only where a new query parameter is sent (`x-absent-with`) is no
break either: a client of the old file does not send the parameter. Nor is one that is optional only because `fields` can take it
out (`x-required-without-fields`): a reply without `fields` has it as before.
"""

from collections.abc import Iterator, Mapping
from typing import Any

METHODS = ("get", "put", "post", "patch", "delete")
_LEAST = ("minimum", "minLength", "minItems")
_NULL = {"enum": [None]}
_WITHOUT_FIELDS = "x-required-without-fields"
_MOST = ("maximum", "maxLength", "maxItems")

Node = Mapping[str, Any]


def breaks(old: Node, new: Node) -> list[str]:
    """Returns every change that breaks clients of the old file; empty if the new file only adds."""
    return list(dict.fromkeys(_Comparison(old, new).paths()))


class _Comparison:
    """Two files side by side. `sent` tells a request's schema from a reply's."""

    def __init__(self, old: Node, new: Node) -> None:
        self.old, self.new = old, new
        self.seen: set[tuple[str, str, bool]] = set()
        self.added: set[str] = set()  # query parameters that the operation at hand did not have

    def paths(self) -> Iterator[str]:
        for path, methods in self.old["paths"].items():
            now = self.new["paths"].get(path)
            if now is None:
                yield f"{path} was removed"
                continue
            for method in METHODS:
                if method in methods:
                    yield from self.operation(f"{method.upper()} {path}", methods[method], now.get(method))
        yield from self.codes()

    def codes(self) -> Iterator[str]:
        """Error codes stand in the shared envelope, whichever operation points there."""
        where = "ErrorCode"
        schemas = [file.get("components", {}).get("schemas", {}) for file in (self.old, self.new)]
        if where in schemas[0]:
            yield from self.schema(where, schemas[0][where], schemas[1].get(where, {}), sent=False)

    def operation(self, at: str, old: Node, new: Node | None) -> Iterator[str]:
        if new is None:
            yield f"{at} was removed"
            return
        if old.get("operationId") != new.get("operationId"):
            yield f"{at}: operationId {old.get('operationId')} became {new.get('operationId')}"
        if not old.get("security") and new.get("security"):
            yield f"{at}: now requires authentication"
        yield from self.parameters(at, old, new)
        yield from self.body(f"{at} body", self._of(self.old, old.get("requestBody")), self._of(self.new, new.get("requestBody")))
        for status, reply in old.get("responses", {}).items():
            if status.startswith("2"):
                yield from self.reply(
                    f"{at} {status}", self._of(self.old, reply), self._of(self.new, new["responses"].get(status))
                )

    def parameters(self, at: str, old: Node, new: Node) -> Iterator[str]:
        before = {(one["in"], one["name"]): one for one in old.get("parameters", [])}
        now = {(one["in"], one["name"]): one for one in new.get("parameters", [])}
        for key, one in before.items():
            where = f"{at} {key[0]} parameter {key[1]}"
            if key not in now:
                yield f"{where} was removed"
            else:
                yield from self.schema(where, one.get("schema", {}), now[key].get("schema", {}), sent=True)
        self.added = {name for place, name in now.keys() - before.keys() if place == "query"}
        for key, one in now.items():
            if one.get("required") and not before.get(key, {}).get("required"):
                yield f"{at} {key[0]} parameter {key[1]} is now required"

    def body(self, at: str, old: Node, new: Node) -> Iterator[str]:
        if new.get("required") and not old.get("required"):
            yield f"{at} is now required"
        yield from self.media(at, old, new, sent=True)

    def reply(self, at: str, old: Node, new: Node) -> Iterator[str]:
        if not new:
            yield f"{at} was removed"
            return
        yield from (f"{at}: header {name} was removed" for name in old.get("headers", {}) if name not in new.get("headers", {}))
        yield from self.media(at, old, new, sent=False)

    def media(self, at: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        for kind, media in old.get("content", {}).items():
            if kind not in new.get("content", {}):
                yield f"{at}: {kind} was removed"
            else:
                yield from self.schema(at, media.get("schema", {}), new["content"][kind].get("schema", {}), sent=sent)

    def schema(self, at: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        pair = (str(old.get("$ref")), str(new.get("$ref")), sent)
        if "$ref" in old and pair in self.seen:  # said already, or a shape within itself
            return
        self.seen.add(pair)
        old, new = self._flat(self.old, old), self._flat(self.new, new)
        if not self._type_fits(old, new, sent=sent):
            yield f"{at}: type {old.get('type')} became {new.get('type')}"
            return
        if old.get("format") != new.get("format") and (new.get("format") or not sent):
            yield f"{at}: format {old.get('format')} became {new.get('format')}"
        if old.get("nullable", False) != new.get("nullable", False) and bool(new.get("nullable")) != sent:
            yield f"{at}: {'may no longer' if sent else 'may now'} be null"
        yield from self.choices(at, old, new, sent=sent)
        if sent:
            yield from _narrowed_limits(at, old, new)
        yield from self.properties(at, old, new, sent=sent)
        if "items" in old:
            yield from self.schema(f"{at}[]", old["items"], new.get("items", {}), sent=sent)

    def choices(self, at: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        if sent and "enum" in new and "enum" not in old:
            yield f"{at}: is now one of {new['enum']}"
        if "enum" in new:
            yield from (f"{at}: choice {choice!r} was removed" for choice in old.get("enum", []) if choice not in new["enum"])
        elif "enum" in old and not sent:
            yield f"{at}: is no longer one of {old['enum']}"
        for word in ("oneOf", "anyOf"):
            before, now = (
                [self._flat(file, one) for one in node.get(word, [])] for file, node in ((self.old, old), (self.new, new))
            )
            if [one for one in before if not any(_is_still_offered(one, other) for other in now)]:
                yield f"{at}: a variant of {word} was removed"

    def properties(self, at: str, old: Node, new: Node, *, sent: bool) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in now:
                yield f"{at}.{name} was removed"
            else:
                yield from self.schema(f"{at}.{name}", schema, now[name], sent=sent)
        must, must_now = (set(node.get("required", [])) | set(node.get(_WITHOUT_FIELDS, [])) for node in (old, new))
        if sent:
            yield from (f"{at}.{name} is now required" for name in sorted(must_now - must))
        else:
            missing = (name for name in (must - must_now) & set(now) if now[name].get("x-absent-with") not in self.added)
            yield from (f"{at}.{name} may now be missing" for name in sorted(missing))
        if sent and new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{at}: no longer accepts other fields"

    def _flat(self, file: Node, node: Node) -> dict[str, Any]:
        """The schema itself: references followed, what `allOf` joins laid together, and `nullable` for null as one of two."""
        node = _null_named(self._of(file, node))
        parts = [self._flat(file, part) for part in node.get("allOf", [])]
        flat: dict[str, Any] = {}
        for part in [*parts, {name: value for name, value in node.items() if name != "allOf"}]:
            for name, value in part.items():
                if name == "properties":
                    flat[name] = {**flat.get(name, {}), **value}
                elif name in ("required", _WITHOUT_FIELDS) and isinstance(value, list):
                    flat[name] = [*flat.get(name, []), *value]
                else:
                    flat[name] = value
        return flat

    def _of(self, file: Node, node: Node | None) -> Node:
        while node and "$ref" in node:
            target: Any = file
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target.get(name, {})
            node = target
        return node or {}

    def _type_fits(self, old: Node, new: Node, *, sent: bool) -> bool:
        was, now = old.get("type"), new.get("type")
        wider, narrower = (now, was) if sent else (was, now)
        return was == now or (sent and now is None) or (wider, narrower) == ("number", "integer")


def _null_named(node: Node) -> Node:
    """The part that may be null, which OpenAPI 3.0 can write in two ways, in the way of `nullable`."""
    if _NULL not in node.get("anyOf", ()):
        return node
    rest = {name: value for name, value in node.items() if name != "anyOf"}
    return {**rest, "allOf": [part for part in node["anyOf"] if part != _NULL], "nullable": True}


def _is_still_offered(old: Node, new: Node) -> bool:
    """Whether a form of a choice is there still: the same, or the same with further words to choose from."""
    rest = [{name: value for name, value in form.items() if name not in ("enum", "description")} for form in (old, new)]
    words, words_now = old.get("enum"), new.get("enum")
    more = words == words_now or bool(words and words_now and all(word in words_now for word in words))
    return rest[0] == rest[1] and more


def _narrowed_limits(at: str, old: Node, new: Node) -> Iterator[str]:
    """What is sent and would now be refused for its size or shape."""
    for name in _MOST:
        if name in new and (name not in old or new[name] < old[name]):
            yield f"{at}: {name} became {new[name]}"
    for name in _LEAST:
        if new.get(name, 0) > old.get(name, 0) or (name == "minimum" and name in new and name not in old):
            yield f"{at}: {name} became {new[name]}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{at}: pattern became {new['pattern']}"
