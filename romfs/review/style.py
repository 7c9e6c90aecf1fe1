"""What a style sheet names: url(), @import, image-set()."""
import tinycss2

from .found import Reference

IGNORED = {"namespace", "charset"}      # URLs there are names, nothing is loaded


def of_sheet(data):
    """References of a file: bytes, encoded as they say."""
    rules, _ = tinycss2.parse_stylesheet_bytes(data, skip_comments=True,
                                               skip_whitespace=True)
    return list(references(rules, 1))


def of_text(text, line):
    """References of a <style> element that begins on this line."""
    rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return list(references(rules, line))


def of_attribute(text, line):
    """References of a style="" attribute."""
    return list(references(tinycss2.parse_component_value_list(text), line))


def references(nodes, first_line):
    """Walk without recursion: how deep a sheet nests is its author's choice."""
    stack = [(node, "image", False) for node in reversed(nodes)]
    while stack:
        node, role, strings = stack.pop()
        line = first_line + node.source_line - 1
        if node.type == "at-rule":
            keyword = node.lower_at_keyword
            if keyword in IGNORED:
                continue
            role = {"import": "style", "font-face": "font"}.get(keyword, "image")
            inner = [(n, role, role == "style") for n in node.prelude] + \
                [(n, role, False) for n in node.content or ()]
        elif node.type == "qualified-rule":
            inner = [(n, role, False) for n in node.content]
        elif node.type == "url" or (node.type == "string" and strings):
            yield Reference(line, role, node.value,
                            "@import" if role == "style" else "url()")
            continue
        elif node.type == "function":
            name = node.lower_name
            set_of = name in ("image-set", "-webkit-image-set")
            inner = [(n, role, set_of or name == "url") for n in node.arguments]
        else:
            inner = [(n, role, False) for n in getattr(node, "content", None) or ()]
        stack.extend(reversed(inner))
