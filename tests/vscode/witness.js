// Put before every document's own scripts: what did a policy refuse, and does sound come and play?
(() => {
  const peers = [];
  const audios = new Set();
  const witness = { violations: [] };
  document.addEventListener("securitypolicyviolation", (event) =>
    witness.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
  const Peer = globalThis.RTCPeerConnection;
  if (Peer) {
    globalThis.RTCPeerConnection = class extends Peer {
      constructor(...settings) {
        super(...settings);
        peers.push(this);
      }
    };
  }
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    audios.add(this);
    return play.call(this);
  };
  // The energy of the sound that came, while an element of the page lets it sound; 0 where none does.
  const heard = async () => {
    const audible = [...audios, ...document.querySelectorAll("audio")].some((audio) => !audio.paused && !audio.muted);
    if (!audible) return 0;
    let energy = 0;
    for (const peer of peers) {
      for (const report of (await peer.getStats()).values()) {
        if (report.type === "inbound-rtp") energy += report.totalAudioEnergy ?? 0;
      }
    }
    return energy;
  };
  witness.soon = async (limit) => {
    const end = Date.now() + limit;
    while (Date.now() < end) {
      if (await heard() > 0) return true;
      await new Promise((wake) => setTimeout(wake, 100));
    }
    return false;
  };
  globalThis.vscodeWitness = witness;
})();
