// When did what happen in the page? Put before a page's own scripts, in each page that is compared; it
// changes nothing of what the page does. `settings.heed` chooses: "boot", "call" or "events".
//
// Times of one thing are performance.now(); times that are compared with sound are Date.now(), the
// clock that the page shares with an audio worklet.

(settings) => {
  const probe = { arrived: {}, channels: [], loudness: { microphone: [], reply: [] }, tracks: [] };
  globalThis.probe = probe;

  probe.ready = new Promise((ready) => {
    const observer = new MutationObserver(() => {
      const { boot } = document.getElementById("call")?.dataset ?? {};
      if (boot !== "ready" && boot !== "failed") return;
      observer.disconnect();
      ready({ at: performance.now(), how: boot });
    });
    observer.observe(document, { subtree: true, attributeFilter: ["data-boot"] });
  });
  probe.bytes = () => ["navigation", "resource"]
    .flatMap((kind) => performance.getEntriesByType(kind))
    .reduce((sum, { transferSize }) => sum + transferSize, 0);
  if (settings.heed === "boot") return;

  // Every WebAssembly memory is looked into through its buffer at least once.
  const memories = new Set();
  const { get } = Object.getOwnPropertyDescriptor(WebAssembly.Memory.prototype, "buffer");
  Object.defineProperty(WebAssembly.Memory.prototype, "buffer", {
    get() {
      memories.add(this);
      return get.call(this);
    },
  });
  probe.machines = () => [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0);

  // ---- a call's milestones

  const OwnContext = globalThis.AudioContext;
  let pressed;
  let opened;
  let released;
  probe.next = () => {
    opened = new Promise((resolve) => { probe.open = resolve; });
    released = new Promise((resolve) => { probe.release = resolve; });
  };
  probe.next();
  probe.connected = () => opened;
  probe.released = () => released;
  addEventListener("click", ({ target, timeStamp }) => {
    if (target.id === "talk") pressed = timeStamp;
  }, true);

  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await ask(constraints);
    probe.tracks = stream.getTracks();
    return stream;
  };
  const stop = MediaStreamTrack.prototype.stop;
  MediaStreamTrack.prototype.stop = function () {
    stop.call(this);
    if (probe.tracks.includes(this) && probe.tracks.every((track) => track.readyState === "ended")) {
      probe.release(performance.now() - pressed);
    }
  };
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      if (settings.listen) this.addEventListener("track", ({ track }) => { probe.reply = track; });
    }

    createDataChannel(...options) {
      const channel = super.createDataChannel(...options);
      probe.channel = channel;
      channel.addEventListener("open", () => {
        probe.open(performance.now() - pressed);
        if (settings.listen) listen();
      }, { once: true });
      if (settings.heed === "call") {
        channel.addEventListener("message", ({ data }) => {
          const kind = JSON.parse(data).type;
          (probe.arrived[kind] ??= []).push(Date.now());
        });
      }
      return channel;
    }
  };

  // ---- how loud both sides are, every 5 ms

  let ear;
  const openEar = async () => {
    const context = new OwnContext();
    const { worklets } = JSON.parse(document.getElementById("boot").textContent);
    await context.audioWorklet.addModule(worklets["level-meter"]);
    return context;
  };
  const hear = (context, track, readings) => {
    const node = new AudioWorkletNode(context, "witness");
    node.port.onmessage = ({ data }) => readings.push(...data);
    context.createMediaStreamSource(new MediaStream([track])).connect(node);
    node.connect(context.destination);
  };
  const listen = async () => {
    const context = await (ear ??= openEar());
    probe.loudness = { microphone: [], reply: [] };
    hear(context, probe.tracks[0], probe.loudness.microphone);
    hear(context, probe.reply, probe.loudness.reply);
  };

  // ---- what an event costs

  // The page draws in animation frames; the time that it spends there belongs to the events before, and so
  // does the browser's for laying out what was drawn, whether the page waits for that or not.
  const nextFrame = requestAnimationFrame;
  let drawing = 0;
  if (settings.heed === "events") {
    globalThis.requestAnimationFrame = (draw) => nextFrame((at) => {
      const before = performance.now();
      draw(at);
      document.body.getBoundingClientRect();
      drawing += performance.now() - before;
    });
  }
  const drawn = () => new Promise((done) => nextFrame(() => setTimeout(done)));

  // Give the page `texts` as events of its data channel, so many in a frame. Returns the microseconds
  // that each took: its handler, and an equal share of the drawing that followed.
  probe.play = async (texts, inFrame) => {
    const costs = [];
    await drawn();
    for (let start = 0; start < texts.length; start += inFrame) {
      drawing = 0;
      const handled = texts.slice(start, start + inFrame).map((data) => {
        const event = new MessageEvent("message", { data });
        const before = performance.now();
        probe.channel.dispatchEvent(event);
        return performance.now() - before;
      });
      await drawn();
      costs.push(...handled.map((cost) => (cost + drawing / handled.length) * 1000));
    }
    return costs;
  };
}
