"""How does the page's offer get its answer? By the backend, or, with *direct* signalling, by the page itself.

Directly, the backend gives a short-lived key, which is good for opening calls and nothing else, and the
page posts its offer with it: one hop less, and it works where only the browser can reach the service. The
key lives in one local variable for one request. The page's policy names the service's origin then; with
relay signalling it names none.

That pages of any origin may post there is known of Azure's answer (`access-control-allow-origin: *` in a
recording of 2026-07). Its answer to the browser's question beforehand (`OPTIONS`) was not recorded.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from voicepilot.bridge.messages import DIRECT, MAX_SDP, CallKey, CallOpened, OpenCall
from voicepilot.page import seam
from voicepilot.page.backend_link import BackendLink
from voicepilot.page.refusals import Trouble
from voicepilot.protocol.call_names import call_name
from voicepilot.protocol.problems import Problem, problem

_PATIENCE_MS: Final = 15_000


async def open_call(link: BackendLink, call: OpenCall) -> CallOpened:
    """Open a call with this offer, as the backend has said that it is done. Raises `Trouble`."""
    await link.greeted()
    if link.welcome is not None and link.welcome.signalling == DIRECT:
        return await _open_directly(link, call)
    return await link.open_call(call)


async def _open_directly(link: BackendLink, call: OpenCall) -> CallOpened:
    for fresh in (False, True):
        given = await link.call_key(CallKey(call.attempt, fresh))
        headers = {"Authorization": f"Bearer {given.key}", "Content-Type": "application/sdp"}
        status, text, location = await seam.post_elsewhere(
            given.url, headers, call.sdp, _PATIENCE_MS
        )
        del headers
        if status != HTTPStatus.UNAUTHORIZED:
            break
    if not 200 <= status < 300:
        raise Trouble(_refusal(status))
    if not text.startswith("v=0") or len(text) > MAX_SDP:
        raise Trouble(problem("bad-answer"))
    return CallOpened(text, call_name(location), given.expires_at, given.dialect)


def _refusal(status: int) -> Problem:
    remark = f"(status {status})"
    match status:
        case 0:
            return problem("direct-unreachable")
        case 400:
            return problem("offer-refused", detail=remark)
        case 401:
            return problem("call-key-refused", detail=remark)
        case 429:
            return problem("service-busy")
        case _ if status >= 500:
            return problem("service-failed", detail=f"it reports an error {remark}.")
    return problem("service-refused", detail=f"it does not take this request {remark}.")
