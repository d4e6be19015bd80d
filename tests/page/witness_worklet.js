
// Appended to the page's worklet by the tests: how loud is the reply, every 5 ms?

class Witness extends AudioWorkletProcessor {
  constructor() {
    super();
    this.squares = 0;
    this.samples = 0;
    this.readings = [];
  }

  process([[channel]]) {
    for (const sample of channel ?? []) this.squares += sample * sample;
    this.samples += 128;
    if (this.samples >= sampleRate / 200) {
      this.readings.push([Date.now(), Math.sqrt(this.squares / this.samples)]);
      this.squares = 0;
      this.samples = 0;
    }
    if (this.readings.length >= 20) {
      this.port.postMessage(this.readings);
      this.readings = [];
    }
    return true;
  }
}

registerProcessor("witness", Witness);
