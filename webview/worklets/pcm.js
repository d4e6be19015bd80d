// The sound of a call over WebSocket, both ways: base64 of 16-bit samples, mono, at the rate of the context
// that this runs in (24 kHz). It is turned into numbers and back here, on the audio thread.
//
// pcm-capture posts the microphone's next frame as a text.
// pcm-player takes {item, index, audio} and plays one after the other, or {flush: true} and stops at once.
// It posts {item, index, ms}: how much of this sound it has rendered, when the sound begins, about twenty
// times a second, and when nothing more of it is there.

const FRAME = 512;              // 21 ms
const HEAD_START_SECONDS = 0.08;  // waited for before playing, at the beginning and after a gap
const REPORTS_PER_SECOND = 20;

registerProcessor("pcm-capture", class extends AudioWorkletProcessor {
  frame = new Int16Array(FRAME);
  filled = 0;

  process([[channel]]) {
    for (const sample of channel ?? []) {
      this.frame[this.filled] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      this.filled += 1;
      if (this.filled === FRAME) {
        this.port.postMessage(new Uint8Array(this.frame.buffer).toBase64());
        this.filled = 0;
      }
    }
    return true;
  }
});

registerProcessor("pcm-player", class extends AudioWorkletProcessor {
  sounds = [];                  // {item, index, samples}, the first is being played
  at = 0;                       // samples of the first that were played
  rendered = new Map();         // item and index: samples rendered so far
  playing = false;
  since = 0;                    // when the first sound after a gap came
  unreported = 0;
  fade = null;                  // the samples that would have come, played out softly

  constructor() {
    super();
    this.port.onmessage = ({ data }) => (data.flush ? this.flush() : this.take(data));
  }

  take({ item, index, audio }) {
    const bytes = Uint8Array.fromBase64(audio);
    const samples = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    if (this.sounds.length === 0) this.since = currentTime;
    if (samples.length > 0) this.sounds.push({ item, index, samples });
  }

  flush() {
    this.fade = this.playing && this.sounds.length > 0
      ? this.sounds[0].samples.subarray(this.at, this.at + 128) : null;
    this.sounds = [];
    this.at = 0;
    this.playing = false;
    this.rendered.clear();
  }

  process(_, [[channel]]) {
    if (this.fade) {
      this.fade.forEach((sample, i) => { channel[i] = (sample / 32768) * (1 - i / 128); });
      this.fade = null;
      return true;
    }
    if (!this.playing && this.sounds.length > 0) {
      const waiting = this.sounds.reduce((sum, { samples }) => sum + samples.length, 0);
      this.playing = waiting >= HEAD_START_SECONDS * sampleRate
        || currentTime - this.since >= HEAD_START_SECONDS;
    }
    if (this.playing) this.render(channel);
    return true;
  }

  render(channel) {
    let filled = 0;
    while (filled < channel.length && this.sounds.length > 0) {
      const { item, index, samples } = this.sounds[0];
      const length = Math.min(channel.length - filled, samples.length - this.at);
      for (let i = 0; i < length; i += 1) channel[filled + i] = samples[this.at + i] / 32768;
      filled += length;
      this.at += length;
      this.unreported += length;
      const key = `${item} ${index}`;
      const before = this.rendered.get(key) ?? 0;
      this.rendered.set(key, before + length);
      const next = this.sounds[1];
      const ended = this.at === samples.length && (next?.item !== item || next?.index !== index);
      if (before === 0 || ended || this.unreported >= sampleRate / REPORTS_PER_SECOND) {
        this.unreported = 0;
        this.port.postMessage({ item, index, ms: ((before + length) / sampleRate) * 1000 });
      }
      if (this.at === samples.length) {
        this.sounds.shift();
        this.at = 0;
      }
    }
    if (this.sounds.length === 0) this.playing = false;
  }
});
