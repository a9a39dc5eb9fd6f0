// Plays one clip from memory: whole, from where somebody points, slower in the same pitch.

import { Wave } from './wave.js';

const SPEEDS = [1, 0.75, 0.5];

export class Player {
  constructor(audio, canvas, at) {
    Object.assign(this, { audio, canvas, at, wave: new Wave(canvas), speed: 0, address: null });
    audio.preservesPitch = true;
    audio.addEventListener('timeupdate', () => this.tell());
    audio.addEventListener('loadedmetadata', () => this.tell());
    audio.addEventListener('ended', () => this.tell());
    canvas.addEventListener('click', (event) => {
      const { left, width } = canvas.getBoundingClientRect();
      this.go(((event.clientX - left) / width) * this.length);
    });
  }

  get length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : 0;
  }

  load(wav) {
    this.audio.pause();
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = wav && URL.createObjectURL(new Blob([wav], { type: 'audio/wav' }));
    if (wav) this.audio.src = this.address;
    else this.audio.removeAttribute('src');
    this.audio.defaultPlaybackRate = SPEEDS[this.speed];
    this.audio.playbackRate = SPEEDS[this.speed];
    this.wave.show(wav);
    this.tell();
  }

  // Play or pause; whether it began at the beginning.
  toggle() {
    if (!this.audio.paused) {
      this.audio.pause();
      return false;
    }
    const anew = this.audio.currentTime === 0 || this.audio.ended;
    this.audio.play().catch(() => {}); // a browser that wants a key or a click first gets one soon
    requestAnimationFrame(() => this.run());
    return anew;
  }

  run() {
    this.tell();
    if (!this.audio.paused) requestAnimationFrame(() => this.run());
  }

  pause() {
    this.audio.pause();
  }

  stop() {
    this.audio.pause();
    this.go(0);
  }

  move(seconds) {
    this.go(this.audio.currentTime + seconds);
  }

  go(second) {
    if (this.address) this.audio.currentTime = Math.min(Math.max(0, second), this.length);
    this.tell();
  }

  slower(button, text) {
    this.speed = (this.speed + 1) % SPEEDS.length;
    this.audio.playbackRate = this.audio.defaultPlaybackRate = SPEEDS[this.speed];
    button.setAttribute('aria-pressed', String(this.speed > 0));
    text.textContent = `${SPEEDS[this.speed]}×`;
  }

  tell() {
    const { currentTime } = this.audio;
    this.wave.at(this.length ? currentTime / this.length : 0);
    this.at.textContent = `${currentTime.toFixed(1)} / ${this.length.toFixed(1)} s`;
    this.canvas.setAttribute('aria-valuemax', this.length.toFixed(1));
    this.canvas.setAttribute('aria-valuenow', currentTime.toFixed(1));
    this.canvas.setAttribute('aria-valuetext', `${currentTime.toFixed(1)} of ${this.length.toFixed(1)} seconds`);
  }
}
