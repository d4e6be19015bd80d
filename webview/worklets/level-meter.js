// How loud is this stream, how long has it been digitally silent, and when did sound begin?
//
// Posts {rms, silence, began} about twenty times a second, and at once when sound begins after a
// pause, so that the beginning is known to one block (128 samples) and not to a twentieth of a second.
//   rms      root mean square since the last post, 1 is full scale
//   silence  seconds since the last sample that was not exactly zero
//   began    true when this post was caused by sound beginning

const POSTS_PER_SECOND = 20;
const AUDIBLE = 0.004;          // about -48 dB: above coding noise, below the quietest speech
const PAUSE_SECONDS = 0.25;     // shorter gaps lie between words

class LevelMeter extends AudioWorkletProcessor {
  constructor() {
    super();
    this.squares = 0;
    this.samples = 0;
    this.zeros = 0;             // samples since the last one that was not zero
    this.quiet = Infinity;      // samples since the last audible block
  }

  process(inputs) {
    const channel = inputs[0][0];
    const length = channel ? channel.length : 128;
    let squares = 0;
    let lastSound = -1;
    if (channel) {
      for (let i = 0; i < length; i += 1) {
        const value = channel[i];
        squares += value * value;
        if (value !== 0) lastSound = i;
      }
    }
    this.zeros = lastSound < 0 ? this.zeros + length : length - 1 - lastSound;
    const audible = Math.sqrt(squares / length) > AUDIBLE;
    const began = audible && this.quiet > PAUSE_SECONDS * sampleRate;
    this.quiet = audible ? 0 : this.quiet + length;
    this.squares += squares;
    this.samples += length;
    if (began || this.samples >= sampleRate / POSTS_PER_SECOND) {
      this.port.postMessage({
        rms: Math.sqrt(this.squares / this.samples), silence: this.zeros / sampleRate, began,
      });
      this.squares = 0;
      this.samples = 0;
    }
    return true;
  }
}

registerProcessor("level-meter", LevelMeter);
