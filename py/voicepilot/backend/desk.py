"""Who answers the page about calls, tools and its settings? One desk, whatever service is behind it."""

from __future__ import annotations

from voicepilot.backend import tools
from voicepilot.backend.azure.calls import Calls
from voicepilot.backend.azure.sideband import Sidebands
from voicepilot.backend.configuration import Configuration
from voicepilot.backend.failure import Failure
from voicepilot.backend.feed import Feed
from voicepilot.backend.socket_calls import SocketCalls
from voicepilot.bridge import messages
from voicepilot.protocol.dialects import Dialect


class Desk:
    """Opens calls as the configuration says; tools look at one folder. A `PageDesk` of `bridge_link`.

    `service` is the name of what is behind it, as the page shows it; "" names host and deployment.
    """

    def __init__(
        self,
        build: str,
        calls: Calls,
        configuration: Configuration,
        toolbox: tools.Toolbox,
        *,
        feed: Feed | None = None,
        service: str = "",
        sockets: SocketCalls | None = None,
        sidebands: Sidebands | None = None,
    ) -> None:
        self._build = build
        self._calls = calls
        self._configuration = configuration
        self._toolbox = toolbox
        self._feed = feed or Feed()
        self._service = service
        self._sockets = sockets
        self._sidebands = sidebands

    @property
    def service(self) -> str:
        """What answers a call, as a person knows it."""
        settings = self._configuration.settings
        host = settings.endpoint.partition("://")[2]
        return self._service or f"{settings.deployment} at {host}"

    async def welcome(self, hello: messages.Hello) -> messages.Welcome:
        """Say what is behind this, and get ready: who opens the page wants a call soon."""
        try:
            self._calls.warm_up(self._configuration.session(tools.SPECS))
        except Failure:  # Talk will tell
            self._calls.warm_up()
        infos = tuple(messages.ToolInfo(tool.name, tool.description) for tool in tools.SPECS)
        return messages.Welcome(
            self.service,
            self._dialect,
            infos,
            self._build,
            feed=self._feed.wanted,
            signalling=self._configuration.settings.signalling,
            transport=self._sockets.begins_with if self._sockets else messages.WEBRTC,
        )

    async def open_call(self, call: messages.OpenCall) -> messages.CallOpened:
        """Open a call with the settings of now. Raises Failure."""
        opened = await self._calls.open(self._configuration.session(tools.SPECS), call.sdp)
        wanted = self._configuration.settings.sideband and opened.dialect == "ga"
        if self._sidebands is not None and wanted:
            self._sidebands.attach(await self._calls.target(), opened.call_id)
        return opened

    async def call_key(self, wish: messages.CallKey) -> messages.KeyGiven:
        """Give a key to a page that posts its offer itself. Raises Failure."""
        session = self._configuration.session(tools.SPECS)
        key = await self._calls.key(session, fresh=wish.fresh)
        return messages.KeyGiven(key.url, key.key, key.expires_at, key.dialect)

    async def run_tool(self, call: messages.ToolCall) -> messages.ToolOutput:
        """Run one of the two tools; a wrong call is answered with a sentence."""
        if self._sidebands is not None:
            return await self._sidebands.run(call)
        return messages.ToolOutput(await self._toolbox.run(call.name, call.arguments))

    async def call_closed(self, call: messages.CallClosed) -> None:
        """End it at the service too, which would find out by itself some seconds later."""
        if self._sidebands is not None:
            self._sidebands.leave(call.call_id)
        self._calls.hang_up(call.call_id)

    async def feed(self, inputs: messages.CallFeed) -> messages.FeedTaken:
        """Pass on what the page told its core."""
        return self._feed.take(inputs)

    @property
    def _dialect(self) -> Dialect:
        """What the page shall expect; a call that is opened in the other one says so."""
        return "preview" if self._configuration.settings.dialect == "preview" else "ga"
