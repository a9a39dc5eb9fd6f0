// Sound: what the microphone heard, or a clip, from any place; the cursor goes with it.

const player = {
  at: 0,
  device: run.devices[0], // whose microphone is heard
  playing: null,
  until: Infinity, // where to stop, if only a stretch was asked for
  sources: [],
  onMove: [],

  /** A stretch of a device's stream that can be heard; `card` is the clip's, if it is one. */
  add(audio, begin, end, device, card = null) {
    const source = { audio, begin, end, device, card };
    audio.controls = false;
    audio.addEventListener("ended", () => this.playing === source && this.stop());
    audio.addEventListener("error", () => {
      if (this.playing === source) this.stop();
      say("This sound cannot be played: it is damaged, or the file that belongs beside this page is not there.");
    });
    this.sources.push(source);
    return source;
  },

  /** What can be heard at a sample, else the first after it: the home before a clip, `device` before the others. */
  sourceAt(sample, device = this.device) {
    const own = this.sources.filter((source) => source.device === device);
    const there = (source) => source.begin <= sample && sample < source.end;
    const later = (source) => source.begin >= sample;
    return own.find(there) ?? this.sources.find(there) ?? own.find(later) ?? this.sources.find(later);
  },

  play(sample = this.at, source = this.sourceAt(sample), until = Infinity) {
    this.stop();
    if (!source) return;
    this.until = until;
    this.device = source.device;
    this.at = clamp(sample, source.begin, source.end - 1);
    this.playing = source;
    source.audio.currentTime = (this.at - source.begin) / run.rate;
    source.audio.play().catch((error) => {
      if (error.name !== "AbortError" && this.playing === source) this.stop();
    });
    this.move();
    this.follow();
  },

  stop() {
    if (!this.playing) return;
    const { audio } = this.playing;
    this.playing = null;
    audio.pause();
    this.move();
  },

  /** From here, or from the begin of what is in sight where the end is reached. */
  toggle() {
    if (this.playing) this.stop();
    else this.play(this.at >= run.length - run.rate / 10 ? view.from : this.at);
  },

  seek(sample) {
    const to = clamp(sample, 0, run.length);
    if (this.playing && to < run.length) {
      const { playing } = this;
      this.play(to, playing.begin <= to && to < playing.end ? playing : undefined);
    } else {
      this.stop();
      this.at = to;
      this.move();
    }
    this.show();
  },

  follow() {
    const { playing } = this;
    if (!playing) return;
    if (!playing.audio.seeking) {
      this.at = clamp(playing.begin + playing.audio.currentTime * run.rate, playing.begin, playing.end);
      if (this.at >= this.until) {
        this.at = this.until;
        this.stop();
      }
      this.show();
      this.move();
    }
    requestAnimationFrame(() => this.playing === playing && this.follow());
  },

  /** Turn the page where the cursor has left it. */
  show() {
    if (this.at < view.from || this.at > view.to) view.show(this.at - view.span / 20, this.at + (view.span * 19) / 20);
  },

  move() {
    for (const listener of this.onMove) listener();
  },
};

/** Say something once, among the remarks. */
function say(text) {
  const remarks = document.getElementById("remarks");
  if (![...remarks.children].some((remark) => remark.textContent === text)) remarks.append(element("li", "bad", text));
}
