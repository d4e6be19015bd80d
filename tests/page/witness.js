// What does the page really do with the browser? Put before the page's own scripts, this records it:
// microphones asked for and stopped, peers, events, states, the sound of the reply, refused sources.
// It can also stand in for the person: a microphone that speaks on cue, refuses or keeps one waiting.
//
// All times are Date.now(), the one clock that the page and an audio worklet share.

(settings) => {
  const witness = {
    asked: [],         // constraints of each getUserMedia
    changes: [],       // {at, what, value}: sound switched, tracks stopped, buttons pressed
    events: [],        // {at, way, event} on the data channel
    loudness: [],      // [at, rms] of the reply as the page lets it sound, every 5 ms
    states: [],        // {at, state} of <main data-state>
    violations: [],    // what the content security policy refused
    refusal: settings.refusal,   // a DOMException's name: what getUserMedia answers
    gate: undefined,             // a promise that getUserMedia waits for
    made: { peers: 0, contexts: 0, audios: 0 },
  };
  const weakly = (list) => list.map((each) => each.deref()).filter(Boolean);
  const peers = [];
  const microphones = [];
  const sockets = [];
  const note = (what, value) => witness.changes.push({ at: Date.now(), what, value });

  document.addEventListener("securitypolicyviolation", (event) =>
    witness.violations.push(`${event.effectiveDirective} ${event.blockedURI}`));
  document.addEventListener("click", (event) => note("click", event.target.id), true);
  document.addEventListener("keydown", (event) => note("key", event.key), true);
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.id === "call") {
        witness.states.push({ at: Date.now(), state: target.dataset.state });
      }
    }
  }).observe(document, { subtree: true, attributeFilter: ["data-state"] });

  // ---- what is switched and stopped

  const watchProperty = (prototype, name) => {
    const { get, set } = Object.getOwnPropertyDescriptor(prototype, name);
    Object.defineProperty(prototype, name, {
      configurable: true,
      get,
      set(value) {
        set.call(this, value);
        note(name, value);
      },
    });
  };
  watchProperty(HTMLMediaElement.prototype, "muted");
  watchProperty(MediaStreamTrack.prototype, "enabled");
  const stop = MediaStreamTrack.prototype.stop;
  MediaStreamTrack.prototype.stop = function () {
    stop.call(this);
    note("stop", this.label);
  };

  // ---- what is made

  const OwnContext = globalThis.AudioContext;
  globalThis.AudioContext = class extends OwnContext {
    constructor(...options) {
      super(...options);
      witness.made.contexts += 1;
    }
  };
  const instantiate = WebAssembly.instantiate;
  let python;
  WebAssembly.instantiate = async (...options) => {
    const program = await instantiate.apply(WebAssembly, options);
    python ??= Object.values((program.instance ?? program).exports)
      .find((each) => each instanceof WebAssembly.Memory);
    return program;
  };
  const append = Element.prototype.append;
  Element.prototype.append = function (...nodes) {
    witness.made.audios += nodes.filter((node) => node instanceof HTMLAudioElement).length;
    return append.apply(this, nodes);
  };
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      witness.made.peers += 1;
      peers.push(new WeakRef(this));
      if (settings.listen) this.addEventListener("track", ({ track }) => listen(track));
    }

    createDataChannel(...options) {
      const channel = super.createDataChannel(...options);
      channel.addEventListener("message", ({ data }) =>
        witness.events.push({ at: Date.now(), way: "received", event: JSON.parse(data) }));
      const send = channel.send.bind(channel);
      channel.send = (text) => {
        witness.events.push({ at: Date.now(), way: "sent", event: JSON.parse(text) });
        send(text);
      };
      return channel;
    }
  };

  // A call's own socket carries the protocol's events, too; sound in them is only counted.
  const OwnSocket = globalThis.WebSocket;
  globalThis.WebSocket = class extends OwnSocket {
    constructor(url, ...options) {
      super(url, ...options);
      if (new URL(url).pathname !== "/call") return;
      sockets.push(new WeakRef(this));
      const keep = (way, data) => {
        const event = JSON.parse(data);
        for (const sound of ["audio", "delta"]) {
          if (event.type?.includes("audio") && !event.type.includes("transcript") && event[sound]) {
            event.silent = /^A*=*$/.test(event[sound]);
            event[sound] = event[sound].length;
          }
        }
        witness.events.push({ at: Date.now(), way, event });
      };
      this.addEventListener("message", ({ data }) => keep("received", data));
      const send = this.send.bind(this);
      this.send = (text) => {
        keep("sent", text);
        send(text);
      };
    }
  };

  // ---- what is heard

  let ear;
  const openEar = async () => {
    const context = new OwnContext();
    // The one worklet that the policy allows; the test's server has appended ours to it.
    const { worklets } = JSON.parse(document.getElementById("boot").textContent);
    await context.audioWorklet.addModule(worklets["level-meter"]);
    return context;
  };
  const listen = async (track) => {
    ear ??= openEar();
    const context = await ear;
    hear(context, context.createMediaStreamSource(new MediaStream([track])));
  };
  const hear = (context, source) => {
    const node = new OwnNode(context, "witness");
    node.port.onmessage = ({ data }) => witness.loudness.push(...data);
    connect.call(source, node);
    connect.call(node, context.destination);
  };
  // The page's own player is heard where it sounds; the witness came with the page's meter.
  const OwnNode = globalThis.AudioWorkletNode;
  const connect = AudioNode.prototype.connect;
  globalThis.AudioWorkletNode = class extends OwnNode {
    constructor(context, name, ...options) {
      super(context, name, ...options);
      if (settings.listen && name === "pcm-player") hear(context, this);
    }
  };

  // ---- who speaks

  let mouth;
  const openMouth = () => {
    const context = new OwnContext();
    const out = new GainNode(context);
    if (!settings.silent) {
      // As a real microphone has: never exact silence, here at -80 dB.
      const hiss = new AudioBuffer({ length: context.sampleRate, sampleRate: context.sampleRate });
      hiss.getChannelData(0).forEach((_, i, samples) => { samples[i] = (Math.random() - 0.5) * 3e-4; });
      const source = new AudioBufferSourceNode(context, { buffer: hiss, loop: true });
      source.connect(out);
      source.start();
    }
    return { context, out };
  };
  const openMicrophone = () => {
    mouth ??= openMouth();
    const outlet = new MediaStreamAudioDestinationNode(mouth.context, { channelCount: 1 });
    mouth.out.connect(outlet);
    return outlet.stream;
  };
  witness.speak = (base64, rate) => new Promise((spoken) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(mouth.context, { buffer });
    source.connect(mouth.out);
    source.onended = () => spoken(Date.now());
    source.start();
  });
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    witness.asked.push(constraints.audio);
    await witness.gate;
    if (witness.refusal) throw new DOMException("refused by the test", witness.refusal);
    const stream = settings.onCue ? openMicrophone() : await ask(constraints);
    microphones.push(...stream.getTracks().map((track) => new WeakRef(track)));
    return stream;
  };

  // ---- what a test asks

  witness.microphones = () => weakly(microphones).map((track) =>
    ({ label: track.label, state: track.readyState, enabled: track.enabled }));
  witness.livePeers = () =>
    weakly(peers).filter((peer) => peer.connectionState !== "closed").length;
  witness.openSockets = () =>
    weakly(sockets).filter((socket) => socket.readyState !== OwnSocket.CLOSED).length;
  witness.python = () => python.buffer.byteLength;
  witness.peer = () => weakly(peers).at(-1);
  witness.unplug = () => {
    const track = weakly(microphones).at(-1);
    track.stop();
    track.dispatchEvent(new Event("ended"));
  };
  globalThis.witness = witness;
}
