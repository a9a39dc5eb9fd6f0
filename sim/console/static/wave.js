// A clip as it looks: peaks of its samples on a canvas, and where it is being played.

const HEADER = 44;

export class Wave {
  constructor(canvas) {
    this.canvas = canvas;
    this.samples = new Int16Array(0);
    this.share = 0;
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  show(wav) {
    this.samples = wav ? new Int16Array(wav, HEADER) : new Int16Array(0);
    this.share = 0;
    this.draw();
  }

  at(share) {
    this.share = share;
    this.draw();
  }

  draw() {
    const { canvas, samples } = this;
    const scale = devicePixelRatio || 1;
    const width = Math.max(1, Math.round(canvas.clientWidth * scale));
    const height = Math.max(1, Math.round(canvas.clientHeight * scale));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    pen.clearRect(0, 0, width, height);
    const middle = height / 2;
    const loudest = this.loudest();
    const heard = Math.round(this.share * width);
    for (let x = 0; x < width; x += 1) {
      const from = Math.floor((x * samples.length) / width);
      const to = Math.max(from + 1, Math.floor(((x + 1) * samples.length) / width));
      let low = 0;
      let high = 0;
      for (let k = from; k < to && k < samples.length; k += 1) {
        if (samples[k] < low) low = samples[k];
        if (samples[k] > high) high = samples[k];
      }
      pen.fillStyle = style.getPropertyValue(x < heard ? '--left' : '--wave');
      const top = (high / loudest) * (middle - 4);
      const bottom = (low / loudest) * (middle - 4);
      pen.fillRect(x, middle - top, 1, Math.max(scale, top - bottom));
    }
    pen.fillStyle = style.getPropertyValue('--ink');
    pen.fillRect(Math.min(width - 2 * scale, heard), 0, 2 * scale, height);
  }

  loudest() {
    // Quiet clips are drawn larger, up to eight times.
    let loudest = 32767 / 8;
    for (const sample of this.samples) loudest = Math.max(loudest, Math.abs(sample));
    return loudest;
  }
}
