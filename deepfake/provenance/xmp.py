"""An XMP packet -> the properties in it that say something of a file's origin.

Reference:
    ISO 16684-1 (XMP); IPTC Photo Metadata Standard 2025.1; GB 45438-2025, which labels what AI made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_PACKET = 1_000_000
"""Longer packets, in bytes, are not read: most have some thousands."""
PROPERTIES = frozenset({
    "AIGC", "AISystemUsed", "CreateDate", "CreatorTool", "Credit", "DateCreated", "DateTimeOriginal",
    "DigitalSourceType", "Make", "Model", "ModifyDate", "Software",
})  # fmt: skip
"""Names of the properties, whatever their namespace."""
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"


def properties_of(packet: bytes) -> list[tuple[str, str]]:
    """Names and texts of the packet's own `PROPERTIES`, in its order; what it says of other files is left out.

    Args:
        packet: The packet as it stands in the file.

    Raises:
        ValueError: If it is too long, is no XML, or defines entities, which may grow without end.

    Example:

    >>> properties_of(b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    ...               b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Editor 1"/></rdf:RDF>')
    [('CreatorTool', 'Editor 1')]
    """
    if len(packet) > MAX_PACKET:
        raise ValueError(f"An XMP packet may have {MAX_PACKET} bytes. Received: {len(packet)}.")
    try:
        root = fromstring(packet.strip(b"\0 \r\n\t"), forbid_dtd=True)
    except SyntaxError as error:  # `ParseError` is one.
        raise ValueError(f"An XMP packet must be XML: {error}.") from error
    return [
        (name, text)
        for graph in root.iter(f"{_RDF}RDF")
        for description in graph.findall(f"{_RDF}Description")
        for name, text in _stated(description)
        if name in PROPERTIES and text
    ]


def _stated(description: Element) -> Iterator[tuple[str, str]]:
    """The properties of a resource: its attributes, and its elements with a text, an address or a list."""
    for name, text in description.attrib.items():
        yield name.rpartition("}")[2], text.strip()
    for element in description:
        item = element.find(f"*/{_RDF}li")
        text = element.get(f"{_RDF}resource") or (element if item is None else item).text or ""
        yield element.tag.rpartition("}")[2], text.strip()
