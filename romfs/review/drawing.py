"""What an SVG file names.  It is XML, so an XML parser reads it."""
from lxml import etree

from . import style
from .found import Finding, LINK, Reference
from .page import XLINK

SVG = "{http://www.w3.org/2000/svg}"


def read(file, data):
    """(references, anchors, findings)"""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True,
                             huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        return [], set(), [Finding(file, 0, "broken SVG", str(error))]
    if root is None:
        return [], set(), [Finding(file, 0, "broken SVG", "holds no XML element")]
    references, anchors = [], set()
    for element in root.iter(etree.Element):
        line = element.sourceline or 0
        if element.get("id"):
            anchors.add(element.get("id"))
        tag = element.tag.removeprefix(SVG)
        role = {"a": LINK, "script": "script"}.get(tag, "image")
        if tag in ("a", "image", "use", "script", "feImage"):
            for name in "href", XLINK:
                if element.get(name) is not None:
                    references.append(Reference(line, role, element.get(name), tag))
        if element.get("style"):
            references += style.of_attribute(element.get("style"), line)
        if tag == "style" and element.text:
            references += style.of_text(element.text, line)
    return references, anchors, []
