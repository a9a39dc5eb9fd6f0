// Which samples are in sight. Whoever draws them is told when that changes, once a frame.

const view = {
  from: 0,
  to: run.length,
  width: 1000, // of the lanes in CSS pixels; who draws them measures it first
  shortest: Math.min(run.length, run.rate / 4),
  onChange: [],
  pending: false,

  get span() {
    return this.to - this.from;
  },

  /** Place of a sample in per cent of the width. */
  x(sample) {
    return ((sample - this.from) / this.span) * 100;
  },

  /** Show a stretch; one that is too long, too short or outside is mended. */
  show(from, to) {
    const span = clamp(to - from, this.shortest, run.length);
    this.from = clamp(from + (to - from - span) / 2, 0, run.length - span);
    this.to = this.from + span;
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this.draw();
    });
  },

  draw() {
    for (const listener of this.onChange) listener();
  },

  pan(samples) {
    const from = clamp(this.from + samples, 0, run.length - this.span);
    this.show(from, from + this.span);
  },

  /** Show `factor` times as much, with `sample` staying where it is. */
  zoom(factor, sample = this.from + this.span / 2) {
    const span = clamp(this.span * factor, this.shortest, run.length);
    const from = clamp(sample - ((sample - this.from) / this.span) * span, 0, run.length - span);
    this.show(from, from + span);
  },
};
