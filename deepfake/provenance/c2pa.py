"""A file -> its Content Credentials (C2PA), proved as far as that goes on this machine alone.

The library that reads them is C code at work on what strangers wrote: call it where files are decoded. It is imported
when a file needs it, and told never to use the network: no manifest is fetched from where a file says that one lies, no
certificate is looked up (OCSP), no identity is resolved.

Reference:
    C2PA technical specification 2.2, sections 11 (manifests), 15 (validation) and 18.15 (actions).
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepfake.errors import DeepfakeError
from deepfake.provenance.credentials import MAX_PROBLEMS, AiShare, Credentials, State, text_from
from deepfake.provenance.source_types import Says, said_by_source_type

MAX_MANIFESTS = 32
"""So many are looked at: the file's own, and those of what it was made from."""
MAX_JSON = 8_000_000
"""Longest report of the library in characters; what says more is not looked at."""

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_CHANGED = "the file was changed after it was signed"
_EXPIRED = "the signer's certificate had expired, or was not valid yet"
_REVOKED = "the signer's certificate was revoked"
_DAMAGED = "they are damaged and cannot be read"
_UNKNOWN = "they have a form that this program does not know"
_PROBLEMS = {
    "assertion.dataHash.mismatch": _CHANGED,
    "assertion.bmffHash.mismatch": _CHANGED,
    "assertion.boxesHash.mismatch": _CHANGED,
    "assertion.hashedURI.mismatch": "a statement in them was changed after they were signed",
    "assertion.missing": "a statement is missing from them",
    "claim.hardBindings.missing": "nothing ties them to this file",
    "claimSignature.mismatch": "the signature does not fit what it signs",
    "claimSignature.missing": "they are not signed",
    "claimSignature.outsideValidity": _EXPIRED,
    "signingCredential.expired": _EXPIRED,
    "signingCredential.invalid": "the signer's certificate breaks the rules for certificates",
    "signingCredential.revoked": _REVOKED,
    "signingCredential.ocsp.revoked": _REVOKED,
}
"""What the standard's codes mean, in words."""
_UNTRUSTED = "signingCredential.untrusted"
_SHARES = {Says.AI_MADE: AiShare.WHOLE, Says.AI_PART: AiShare.PART}
"""The claims of a digital source type that mean AI."""


def trust_anchors(path: Path) -> str:
    """The certificates of a trust list, as PEM.

    Args:
        path: A PEM file: certificates of those who vouch for signers.

    Raises:
        DeepfakeError: If it is no file of certificates.
    """
    rule = "A trust list must be a file of certificates in the PEM format."
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DeepfakeError(f"{rule} {path}: {error.strerror}. Correct the path, or give none.") from error
    except UnicodeDecodeError as error:
        raise DeepfakeError(f"{rule} {path} is no text. Convert it, or give none.") from error
    anchors = "\n".join(_CERTIFICATE.findall(text))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=anchors)
    except (ssl.SSLError, ValueError) as error:
        raise DeepfakeError(f"{rule} {path} holds none, or damaged ones. Fetch it again, or give none.") from error
    return anchors


def read_credentials(path: Path | str, anchors: str = "") -> Credentials | None:
    """The Content Credentials that lie in a file; None if none do.

    What is wrong with them makes them `invalid` and is never an exception. If the package `c2pa-python` is missing they
    are `not_checked`: call this for files only that seem to carry some.

    Args:
        path: A picture or a video that was opened before.
        anchors: PEM certificates of those who vouch for signers, see `trust_anchors`; without them nobody does.

    Example:

    >>> read_credentials("examples/portrait.jpg") is None
    True
    """
    try:
        import c2pa
    except ImportError:
        return _not_checked("the package c2pa-python is not installed")
    except (RuntimeError, OSError):  # Its library is for other machines.
        return _not_checked("the package c2pa-python does not work on this machine")
    try:
        with c2pa.Context.from_dict(_settings(anchors)) as context, Path(path).open("rb") as file:
            try:
                with c2pa.Reader(None, file, None, context) as reader:
                    said = reader.json()
            except c2pa.C2paError.ManifestNotFound:
                return None
            except c2pa.C2paError.NotSupported:
                return _not_checked(_UNKNOWN)
            except c2pa.C2paError as error:
                # Credentials that lie elsewhere are not fetched; such an error has no class of its own.
                return None if str(error).startswith("Remote") else Credentials(State.INVALID, (_DAMAGED,))
    except (c2pa.C2paError, OSError):
        return _not_checked("the trust list or the file could not be opened for it")
    if len(said) > MAX_JSON:
        return _not_checked("they are longer than is looked at")
    try:
        return _credentials(json.loads(said), bool(anchors))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _not_checked(_UNKNOWN)


def _not_checked(why: str) -> Credentials:
    return Credentials(State.NOT_CHECKED, (why,))


def _settings(anchors: str) -> dict[str, Any]:
    """How the library is to work. It ignores keys that it does not know, so a test proves that these hold."""
    return {
        "version": 1,
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            # Where nobody vouches for signers, nobody can for time stamps; without them old certificates would seem
            # to have been expired when they signed.
            "verify_timestamp_trust": bool(anchors),
        },
        # An identity may be a document on the web.
        "core": {
            "allowed_network_hosts": [],
            "decode_identity_assertions": False,
            "max_decompressed_manifest_size_in_mb": 16,
        },
        **({"trust": {"user_anchors": anchors}} if anchors else {}),
    }


def _credentials(store: dict[str, Any], checked_trust: bool) -> Credentials:
    """What the library reported, without pictures, and short."""
    own = store["manifests"][store["active_manifest"]]
    results = store["validation_results"]
    passed = {entry["code"] for entry in results["activeManifest"]["success"]}
    valid = store["validation_state"] in ("Valid", "Trusted") and "claimSignature.validated" in passed
    signature = own.get("signature_info") or {}
    signer = text_from(signature.get("issuer")) or text_from(signature.get("common_name"))
    share, agent = _ai(store)
    return Credentials(
        state=State.VALID if valid else State.INVALID,
        problems=() if valid else _problems(results),
        signer=signer if "claimSignature.validated" in passed else None,
        signer_trusted="signingCredential.trusted" in passed if valid and checked_trust else None,
        generator=_generator(own),
        software_agent=agent,
        ai_made=share,
    )


def _problems(results: dict[str, Any]) -> tuple[str, ...]:
    """What failed, in words: in the file's own manifest, then in those of what it was made from."""
    found = [_problem(entry["code"]) for entry in results["activeManifest"]["failure"] if entry["code"] != _UNTRUSTED]
    for delta in results.get("ingredientDeltas") or ():
        failed = (entry["code"] for entry in delta["validationDeltas"]["failure"])
        found += [f"of a file that went into it: {_problem(code)}" for code in failed if code != _UNTRUSTED]
    return tuple(dict.fromkeys(found))[:MAX_PROBLEMS] or ("they could not be proved",)


def _problem(code: str) -> str:
    return _PROBLEMS.get(code) or f"they break a rule of the standard ({text_from(code)})"


def _generator(manifest: dict[str, Any]) -> str | None:
    """The claim generator: a record since version 1.3 of the standard, a text before."""
    entries = manifest.get("claim_generator_info") or [manifest.get("claim_generator")]
    return _program(entries[0])


def _program(entry: object) -> str | None:
    """A program's name and version."""
    if not isinstance(entry, dict):
        return text_from(entry)
    return text_from(" ".join(part for part in (entry.get("name"), entry.get("version")) if isinstance(part, str)))


def _ai(store: dict[str, Any]) -> tuple[AiShare | None, str | None]:
    """How much AI made, as this manifest and those it stems from say, and the software that they name for it."""
    shares, agents = [], []
    for manifest, whole in _lineage(store):
        for action, assertion in _actions(manifest):
            agent = _agent(action, assertion)
            share = _share(str(action.get("digitalSourceType", "")))
            if share:
                # An edit that is all AI's does not make all of the picture so.
                shares.append(share if whole and action.get("action") == "c2pa.created" else AiShare.PART)
            if agent:
                agents.append((share is None, agent))
    first = min(agents, key=lambda pair: pair[0], default=(True, None))[1]
    return min(shares, key=list(AiShare).index, default=None), first


def _share(source_type: str) -> AiShare | None:
    says = said_by_source_type(source_type)
    return _SHARES.get(says) if says else None


def _lineage(store: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """The file's own manifest and those of what went into it; whether all of the file stems from it."""
    queue, seen = [(store["active_manifest"], True)], set[str]()
    while queue and len(seen) < MAX_MANIFESTS:
        label, whole = queue.pop(0)
        manifest = store["manifests"].get(label)
        if label in seen or manifest is None:
            continue
        seen.add(label)
        yield manifest, whole
        for ingredient in (manifest.get("ingredients") or ())[:MAX_MANIFESTS]:
            relation = ingredient.get("relationship")
            if relation in ("parentOf", "componentOf"):
                queue.append((ingredient.get("active_manifest"), whole and relation == "parentOf"))


def _actions(manifest: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each action of a manifest, and the data of its assertion. Metadata that name a source count as an action."""
    for assertion in manifest.get("assertions") or ():
        data = assertion.get("data")
        if not isinstance(data, dict):
            continue
        if str(assertion.get("label")).startswith("c2pa.actions"):
            yield from ((action, data) for action in data.get("actions") or ())
        elif "Iptc4xmpExt:DigitalSourceType" in data:
            yield {"action": "c2pa.created", "digitalSourceType": data["Iptc4xmpExt:DigitalSourceType"]}, data


def _agent(action: dict[str, Any], assertion: dict[str, Any]) -> str | None:
    """The software of an action: named there, or by its place in a list."""
    entry, place = action.get("softwareAgent"), action.get("softwareAgentIndex")
    named = assertion.get("softwareAgents") or ()
    return _program(named[place] if entry is None and isinstance(place, int) and 0 <= place < len(named) else entry)
