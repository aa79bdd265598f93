"""The header Link (RFC 8288), by which APIs say where the next page is: a link that is misread is a page that is lost.

`requests.Response.links` loses `rel` behind a parameter with `=` in its value, and knows neither `REL=` nor
`rel="next last"`.
"""

from __future__ import annotations

import re
from typing import Final

_LINK: Final = re.compile(r"<([^<>]*)>((?:[^\",]|\"(?:[^\"\\]|\\.)*\")*)")
_PARAMETER: Final = re.compile(r";\s*([\w!#$%&'*+.^`|~-]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\";,]*)))?")


def links(header: str) -> dict[str, str]:
    """The target of each relation, by its name in lower case; of a relation with several targets, the first."""
    found: dict[str, str] = {}
    for target, parameters in _LINK.findall(header):
        for name, quoted, plain in _PARAMETER.findall(parameters):
            if name.lower() == "rel":
                for relation in (quoted or plain).lower().split():
                    found.setdefault(relation, target.strip())
                break  # the first counts, says the RFC
    return found
