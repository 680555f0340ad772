"""XML that cannot harm: no DOCTYPE, no entities, one element at a time."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from pocgeo.ground.errors import UnreadableSource

__all__ = ["document", "elements", "local_name", "refuse_doctype", "refuse_large"]

GREATEST_BYTES = 256 << 20
"""House limit of an XML file: its tree takes ten times as much memory."""


class PrologRead(Exception):
    """The first element began: nothing dangerous can follow."""


def elements(path: Path, text: bytes) -> Iterator[tuple[str, ElementTree.Element]]:
    """Walk a document, yielding ("start" | "end", element) as ElementTree does.

    Raises
    ------
    UnreadableSource
        It is not well-formed XML, or declares a document type (the way to entity bombs).
    """
    refuse_doctype(path, text)
    try:
        yield from ElementTree.iterparse(BytesIO(text), events=("start", "end"))
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise UnreadableSource(path, f"is broken XML ({error}). Export it again.") from error


def document(path: Path, text: bytes) -> ElementTree.Element:
    """Read a whole document; the errors are those of `elements`."""
    refuse_doctype(path, text)
    try:
        return ElementTree.parse(BytesIO(text)).getroot()
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise UnreadableSource(path, f"is broken XML ({error}). Export it again.") from error


def refuse_doctype(path: Path, text: bytes, *, whole: bool = True) -> None:
    """Read up to the first element; refuse a DOCTYPE before it.

    `whole` says that the text is the document, not its beginning.
    """

    def doctype(*_: object) -> None:
        raise UnreadableSource(path, "declares a DOCTYPE, which pocgeo does not read. Remove it.")

    def element(*_: object) -> None:
        raise PrologRead

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        parser.Parse(text, whole)
    except PrologRead:
        return
    except UnreadableSource:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise UnreadableSource(path, f"is not XML ({error}). Check the file.") from error


def refuse_large(path: Path, size: int) -> None:
    """Refuse an XML file whose tree would fill the memory."""
    if size > GREATEST_BYTES:
        raise UnreadableSource(path, f"holds more than {GREATEST_BYTES >> 20} MB of XML. Split it.")


def local_name(element: ElementTree.Element) -> str:
    """Name an element without its namespace."""
    return str(element.tag).rpartition("}")[2]
