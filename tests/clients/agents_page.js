// A page as the documentation of @openai/agents-realtime shows one, and what a test asks of it.
// Bundled by the test; nothing of the package is replaced or configured but the service's address.

import { OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession, tool } from "@openai/agents-realtime";
import { z } from "zod";

const asked = [];
const errors = [];
const events = [];

const weather = tool({
  name: "get_weather",
  description: "Look up the weather in a city.",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    asked.push(city);
    return `It is snowing in ${city}.`;
  },
});

const agent = new RealtimeAgent({
  name: "Assistant",
  instructions: "Answer briefly.",
  tools: [weather],
});

let transport;
let session;

// What was played so far by WebRTC's statistics: its energy, which grows only by sound, and seconds.
const played = async () => {
  const report = await transport.connectionState.peerConnection.getStats();
  const audio = [...report.values()].find((s) => s.type === "inbound-rtp" && s.kind === "audio");
  return { energy: audio?.totalAudioEnergy ?? 0, seconds: audio?.totalSamplesDuration ?? 0 };
};

window.client = {
  async connect(address, apiKey) {
    transport = new OpenAIRealtimeWebRTC({ baseUrl: address });
    session = new RealtimeSession(agent, { transport, model: "my-deployment" });
    session.on("error", (error) => errors.push(JSON.stringify(error)));
    transport.on("*", (event) => events.push(event.type));
    await session.connect({ apiKey });
    return transport.callId;
  },
  say: (text) => session.sendMessage(text),
  interrupt: () => session.interrupt(),
  close: () => session.close(),
  state: async () => ({
    status: transport.status,
    history: session.history,
    ...(await played()),
    asked,
    errors,
    events,
  }),
};
