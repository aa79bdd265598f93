#!/usr/bin/env bash
# requests.Response.links is how clients of GitHub, Okta and others find the next page. It isn't RFC 8288: what comes
# behind a parameter whose value holds "=" is lost, names of parameters have letter case, and of a link with two
# relations the name is both words together. Each time `links.get("next")` is None, which reads as the last page.
# Seen with requests 2.34.2 (urllib3's and http.cookiejar's readers aren't asked; httpx 0.28.1 does the same):
#   title="a=b" before rel    requests None    httpx None
#   REL="next"                requests None    httpx None
#   rel="next last"           requests None    httpx None
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check requests==2.34.2 httpx==0.28.1
"$folder/venv/bin/python" - <<'PYTHON'
import httpx
import requests

NEXT = "https://example.test/users?after=2"


def told(header: str) -> tuple[str | None, str | None]:
    response = requests.Response()
    response.headers["Link"] = header
    of_httpx = httpx.Response(200, headers={"Link": header})
    return tuple(links.get("next", {}).get("url") for links in (response.links, of_httpx.links))


assert told(f'<{NEXT}>; rel="next"') == (NEXT, NEXT)
for what, header in {
    'title="a=b" before rel': f'<{NEXT}>; title="a=b"; rel="next"',
    'REL="next"': f'<{NEXT}>; REL="next"',
    'rel="next last"': f'<{NEXT}>; rel="next last"',
}.items():
    by_requests, by_httpx = told(header)
    print(f"{what:26}requests {by_requests}    httpx {by_httpx}")
    assert (by_requests, by_httpx) == (None, None), "the behaviour has changed"
PYTHON
