"""What holds for every request, whatever it asks for?"""

from __future__ import annotations

import logging
import uuid
from typing import TYPE_CHECKING

from aiohttp import web

from voicepilot.emulator.errors import Refused, not_found

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

logger = logging.getLogger(__name__)

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_FOR_PAGES = ("/realtime/calls", "/realtimertc")


@web.middleware
async def identified(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer has the ids by which Azure's support finds it; a WebSocket's handshake is over by then."""
    response = await handler(request)
    response.headers["X-Request-Id"] = response.headers["apim-request-id"] = str(uuid.uuid4())
    return response


@web.middleware
async def cross_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pages of any origin open calls, as the real service does; minting is not for pages."""
    if not any(path in request.path for path in _FOR_PAGES):
        return await handler(request)
    asked = request.headers.get("Access-Control-Request-Headers")
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response: web.StreamResponse = web.Response(status=200)
        response.headers["Access-Control-Allow-Methods"] = "POST, OPTIONS"
        response.headers["Access-Control-Max-Age"] = "600"
        if asked:
            response.headers["Access-Control-Allow-Headers"] = asked
    else:
        response = await handler(request)
        response.headers["Access-Control-Expose-Headers"] = "Location,X-Request-Id"
        response.headers["Timing-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@web.middleware
async def explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal has Azure's body, those of the web framework too."""
    try:
        return await handler(request)
    except Refused as error:
        refused = error
    except web.HTTPNotFound:
        refused = not_found()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        refused = Refused(error.status, str(error.status), error.reason)
    except Exception:
        logger.exception("A request failed.")
        refused = Refused(500, "InternalServerError", "The server had an error.")
    return web.json_response(refused.body(), status=refused.status, headers=refused.headers)


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requests that name another host are refused."""
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if name.lower() not in _LOCAL_NAMES:
        raise Refused(403, "403", "This service answers on this machine only.")
    return await handler(request)


MIDDLEWARE = (identified, cross_origin, explained, local_only)
"""From the outermost to the innermost."""
