"""XMP, the place of TIFF, WebP and JPEG 2000 for a provenance; what is in a packet already stays (ISO 16684-1)."""

from __future__ import annotations

import re
from html import escape, unescape  # XML's three are the same; xml.sax.saxutils imports http and ssl

_NAMESPACE = "urn:fsrcnn-np:1/"
_HEAD = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
_HEAD += '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
_TAIL = '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
_OURS = re.compile(
    rf'<rdf:Description rdf:about="[^"]*" xmlns:fsrcnn="{_NAMESPACE}">'
    r"<fsrcnn:provenance>([^<]*)</fsrcnn:provenance></rdf:Description>"
)
_END = "</rdf:RDF>"


def packet(text: str, original: bytes = b"") -> bytes | None:
    """A packet that holds this text beside what the original's holds; None where nothing can be put into that."""
    before = _decoded(original) if original else _HEAD + _TAIL
    if before is None or _END not in before:
        return None
    about = re.search(r'rdf:about="([^"]*)"', before)
    ours = f'<rdf:Description rdf:about="{about[1] if about else ""}" xmlns:fsrcnn="{_NAMESPACE}">'
    ours += f"<fsrcnn:provenance>{escape(text, quote=False)}</fsrcnn:provenance></rdf:Description>"
    start, end, rest = before.rpartition(_END)
    return (start + ours + end + rest).encode()


def text_in(found: bytes | str) -> str | None:
    """The text that `packet` put there."""
    match = _OURS.search(found.decode("utf-8", "replace") if isinstance(found, bytes) else found)
    return unescape(match[1]) if match else None


def without(found: bytes) -> bytes:
    """The packet as it was before `packet`; empty where it held nothing else."""
    if text_in(found) is None:
        return found
    rest = _OURS.sub("", found.decode("utf-8", "replace"))
    return b"" if rest == _HEAD + _TAIL else rest.encode()


def _decoded(found: bytes) -> str | None:
    try:
        return found.decode()
    except UnicodeDecodeError:
        return None
