// The call page's twin: the same minimal call, in JavaScript, for the benchmark to compare with.
// Same bridge to the same backend, same media, same order of steps; captions, barge-in and meters, no more.

const find = (id) => document.getElementById(id);
const boot = JSON.parse(find("boot").textContent);

// ---- the bridge: JSON-RPC 2.0 on a WebSocket

class Bridge {
  #socket;
  #waiting = new Map();
  #last = 0;

  async connect() {
    await fetch("/session");
    this.#socket = new WebSocket(`ws://${location.host}/bridge`);
    this.#socket.onmessage = ({ data }) => {
      const { id, result, error } = JSON.parse(data);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message)); else waiting?.resolve(result);
    };
    await new Promise((opened) => { this.#socket.onopen = opened; });
    return this.ask("hello", { build: boot.build });
  }

  ask(method, params) {
    const id = (this.#last += 1);
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  tell(method, params) {
    this.#socket.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }
}

// ---- the conversation: turns by item id, drawn once a frame

const turns = new Map();
const touched = new Set();

const turn = (id, role) => {
  let found = turns.get(id);
  if (!found) {
    found = { role, status: "in_progress", text: "" };
    turns.set(id, found);
  }
  touched.add(found);
  return found;
};

const tag = (name, style) => {
  const element = document.createElement(name);
  element.className = style;
  return element;
};

// Once a row has grown, and the browser has laid it out, the newest words are shown.
const grown = new ResizeObserver(() => {
  const log = find("transcript");
  log.scrollTop = log.scrollHeight;
});

const drawTurn = (each) => {
  if (!each.row) {
    each.row = tag("div", "turn");
    each.row.dataset.role = each.role;
    each.words = tag("p", "words");
    const speaker = tag("p", "speaker");
    speaker.textContent = each.role === "user" ? "You" : "Assistant";
    each.row.append(speaker, each.words);
    find("transcript").append(each.row);
    grown.observe(each.row);
  }
  each.row.dataset.status = each.status;
  each.words.textContent = each.text;
};

// ---- the state and the levels

const main = find("call");
const NAMES = {
  idle: "Ready", connecting: "Connecting…", listening: "Listening", "user-speaking": "You are speaking",
  thinking: "Thinking…", "assistant-speaking": "Assistant speaking", ended: "Call ended",
  failed: "Call failed",
};
const levels = {
  user: { rms: 0, fill: find("level-user").querySelector(".fill") },
  assistant: { rms: 0, fill: find("level-assistant").querySelector(".fill") },
};
let state = "idle";
let shown;
let frame = 0;

const draw = () => {
  frame = 0;
  if (shown !== state) {
    shown = state;
    main.dataset.state = state;
    find("state-name").textContent = NAMES[state];
    find("talk").textContent = ["idle", "ended", "failed"].includes(state) ? "Talk" : "Stop";
  }
  for (const { rms, fill } of Object.values(levels)) {
    fill.style.transform = `scaleX(${rms > 0 ? Math.max(0, 1 + Math.log10(rms) / 3) : 0})`;
  }
  if (touched.size) {
    touched.forEach(drawTurn);
    touched.clear();
  }
};
const changed = () => { frame ||= requestAnimationFrame(draw); };
const become = (next) => { state = next; changed(); };

// ---- sound: one context and one audio element for the page's life

let context;
let audio;
let metered;

const unlock = () => {
  if (!context) {
    context = new AudioContext({ latencyHint: "interactive" });
    audio = document.createElement("audio");
    audio.autoplay = true;
    audio.hidden = true;
    document.body.append(audio);
  }
  context.resume();
};

const meter = async (call, stream, level) => {
  await (metered ??= context.audioWorklet.addModule(boot.worklets["level-meter"]));
  if (call.over) return;
  const source = context.createMediaStreamSource(stream);
  const node = new AudioWorkletNode(context, "level-meter");
  node.port.onmessage = ({ data }) => { level.rms = data.rms; changed(); };
  source.connect(node).connect(context.destination);
  call.ends.push(() => {
    node.port.postMessage("end");
    node.port.close();
    source.disconnect();
    node.disconnect();
    level.rms = 0;
  });
};

// ---- one call

const bridge = new Bridge();
let call;

const hush = (silent) => {
  if (call?.reply) call.reply.enabled = !silent;
  audio.muted = silent;
};

const handlers = {
  "input_audio_buffer.speech_started"() {
    if (state === "assistant-speaking" || state === "thinking") hush(true);
    become("user-speaking");
  },
  "input_audio_buffer.speech_stopped": () => become("thinking"),
  "input_audio_buffer.committed": ({ item_id: id }) => { turn(id, "user"); changed(); },
  "conversation.item.input_audio_transcription.delta"({ item_id: id, delta }) {
    turn(id, "user").text += delta;
    changed();
  },
  "conversation.item.input_audio_transcription.completed"({ item_id: id, transcript }) {
    Object.assign(turn(id, "user"), { text: transcript, status: "completed" });
    changed();
  },
  "response.created"() { hush(false); become("thinking"); },
  "response.output_item.added"({ item }) {
    if (item.type === "message") { turn(item.id, item.role); changed(); }
  },
  "response.output_audio_transcript.delta"({ item_id: id, delta }) {
    turn(id, "assistant").text += delta;
    changed();
  },
  "response.output_audio_transcript.done"({ item_id: id, transcript }) {
    turn(id, "assistant").text = transcript;
    changed();
  },
  "output_audio_buffer.started"() { hush(false); become("assistant-speaking"); },
  "output_audio_buffer.stopped": () => become("listening"),
  "output_audio_buffer.cleared": () => { if (state !== "user-speaking") become("listening"); },
  "response.done"({ response }) {
    for (const { id, role } of response.output) {
      if (role) turn(id, role).status = response.status === "completed" ? "completed" : "interrupted";
    }
    changed();
  },
};

const talk = async () => {
  unlock();
  const mine = { ends: [], over: false };
  call = mine;
  become("connecting");
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    const [track] = stream.getAudioTracks();
    mine.ends.push(() => track.stop());
    if (mine.over) { track.stop(); return; }
    meter(mine, stream, levels.user);
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    mine.ends.push(() => peer.close());
    peer.addTrack(track, stream);
    peer.ontrack = ({ track: reply }) => {
      mine.reply = reply;
      const heard = new MediaStream([reply]);
      audio.muted = false;
      audio.srcObject = heard;
      meter(mine, heard, levels.assistant);
      audio.play().catch(() => {});   // the stream may be taken away while it starts
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed") end(mine, "failed");
    };
    const channel = peer.createDataChannel("oai-events");
    channel.onopen = () => become("listening");
    channel.onclose = () => end(mine, "failed");
    channel.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      handlers[event.type]?.(event);
    };
    mine.ends.push(() => { channel.onclose = null; channel.close(); });
    await peer.setLocalDescription();
    if (mine.over) return;
    const opened = await bridge.ask("call.open", { attempt: 1, sdp: peer.localDescription.sdp });
    mine.ends.push(() => bridge.tell("call.closed", { call_id: opened.call_id }));
    if (mine.over) { bridge.tell("call.closed", { call_id: opened.call_id }); return; }
    await peer.setRemoteDescription({ type: "answer", sdp: opened.sdp });
  } catch (error) {
    if (!mine.over) {
      console.error(error);
      end(mine, "failed");
    }
  }
};

const end = (which, how) => {
  if (which.over) return;
  which.over = true;
  while (which.ends.length) which.ends.pop()();
  call = undefined;
  audio.pause();
  audio.srcObject = null;
  context.suspend();
  become(how);
};

find("talk").addEventListener("click", () => { if (call) end(call, "ended"); else talk(); });
addEventListener("pagehide", () => { if (call) end(call, "ended"); });
main.dataset.boot = "ready";
become("idle");
find("service").textContent = (await bridge.connect()).service;
