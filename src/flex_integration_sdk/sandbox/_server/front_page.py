"""What a person sees who opens the sandbox's address in a browser."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

# Nothing of the request stands in it, and no secret.
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
started.</li>
<li><code>/v1/integration_api/…</code> is the API; each call needs an access token.
<code>flex-sdk call --help</code> lists the endpoints.</li>
<li><a href="/_sandbox/stats">/_sandbox/stats</a> counts the requests.</li>
</ul>
<p>The pages <code>docs/sandbox.md</code> and <code>docs/how-to/test-your-program.md</code> of
flex-integration-sdk say more, and so does <code>flex-sdk sandbox --help</code>.</p>
</body>
</html>
"""


async def front_page(request: Request) -> Response:
    """Says what this server is, and where to look."""
    return HTMLResponse(_PAGE)
