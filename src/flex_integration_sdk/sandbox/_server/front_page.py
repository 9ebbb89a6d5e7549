"""What a person sees who opens the sandbox's address in a browser."""

from __future__ import annotations

import html
import shlex

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

# No secret stands in it. Of the request there is the address only, whose host the guard knows.
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>flex-sdk sandbox</title></head>
<body>
<h1>flex-sdk sandbox</h1>
<p>This is a local server that behaves as the Sharetribe Integration API does. It is for tests and
for trying things out: no real marketplace is behind it. Give this address to your program as
<code>base_url</code>, or in <code>FLEX_INTEGRATION_BASE_URL</code>.</p>
<ul>
<li><code>POST /v1/auth/token</code> issues tokens, <code>POST /v1/auth/revoke</code> revokes
them. Client id and client secret are in the line that <code>flex-sdk sandbox</code> printed when it
started. Write them in place of the two words in capitals:
<pre>%CURL%</pre></li>
<li><code>/v1/integration_api/…</code> is the API; each call needs an access token.
<code>flex-sdk call --help</code> lists the endpoints.</li>
<li>It starts with users, listings and transactions: with <code>--seed rich</code>, 250 listings in
every state; with <code>--seed small</code>, a handful.</li>
<li><a href="/_sandbox/stats">/_sandbox/stats</a> counts the requests.</li>
</ul>
<p>The page <code>docs/sandbox.md</code> of flex-integration-sdk says what there is and how it
behaves, and <code>docs/how-to/test-your-program.md</code> how to use it in tests.
<code>flex-sdk sandbox --help</code> lists the options.</p>
</body>
</html>
"""
# One line, which any shell takes.
_CURL = (
    "curl -d grant_type=client_credentials -d scope=integ -d client_id=CLIENT_ID "
    "-d client_secret=CLIENT_SECRET"
)


async def front_page(request: Request) -> Response:
    """Says what this server is, and where to look."""
    url = f"{str(request.base_url).rstrip('/')}/v1/auth/token"
    return HTMLResponse(_PAGE.replace("%CURL%", html.escape(f"{_CURL} {shlex.quote(url)}")))
