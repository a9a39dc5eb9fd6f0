// The live device: its light, its level, its scores against the threshold, and what leaves the home.

const MEANS = {
  off: 'it listens for its wake word alone', listening: 'sound leaves the home', thinking: 'the far end answers',
  speaking: 'it says something', muted: 'the microphone is off; no sound is kept',
};
const RATE = 16000;
const HISTORY = 188; // half a minute at two hops
const SHOWN = 40;

class Device {
  constructor(section) {
    this.section = section;
    this.name = section.dataset.device;
    this.history = [];
    this.begin();
    const stream = new EventSource(`/live/${encodeURIComponent(this.name)}/events`);
    stream.onmessage = (message) => this.take(JSON.parse(message.data), stream);
    stream.onerror = () => this.say('the console does not answer; trying again');
  }

  $(selector) {
    return this.section.querySelector(selector);
  }

  begin() {
    this.uploads = new Map();
    this.$('.events').replaceChildren();
    this.light('off');
    this.showUploads();
  }

  take(news, stream) {
    if (news.over) {
      stream.close();
      this.say('the session has ended; log in again');
    } else if (news.begins) this.begin();
    else if (news.event) this.event(news.event);
    else this.now(news.now);
  }

  say(text) {
    if (this.$('.connection').textContent !== text) this.$('.connection').textContent = text;
  }

  light(light) {
    this.section.dataset.light = light;
    this.$('.light').textContent = light;
    this.$('.meaning').textContent = MEANS[light] || '';
    this.$('.ring').setAttribute('aria-label', `Light ring: ${light}`);
  }

  now(now) {
    this.say(now ? `running for ${clock(now.sample)}` : 'not running; this is what was');
    const level = now ? now.dbfs : -100;
    this.$('.level').value = level;
    this.$('.meter output').textContent = now ? `${level.toFixed(0)} dBFS` : '–';
    if (!now) return;
    for (const [word, score] of Object.entries(now.scores)) this.score(word, score, now.thresholds[word]);
    this.history.push({ scores: now.scores, thresholds: now.thresholds });
    if (this.history.length > HISTORY) this.history.shift();
    this.draw();
  }

  score(word, score, threshold) {
    let row = [...this.$('.scores').children].find((each) => each.dataset.word === word);
    if (!row) {
      row = document.createElement('label');
      row.className = 'meter';
      row.dataset.word = word;
      const bar = Object.assign(document.createElement('meter'), { min: 0, max: 1, high: threshold, optimum: 0 });
      row.append(`“${word.replaceAll('_', ' ')}” `, bar, ' ', Object.assign(document.createElement('output'), { className: 'numbers' }));
      this.$('.scores').append(row);
    }
    row.querySelector('meter').value = score;
    row.querySelector('output').textContent = `${score.toFixed(2)} of ${threshold}`;
  }

  draw() {
    const canvas = this.$('.history');
    const scale = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    pen.clearRect(0, 0, width, height);
    const y = (score) => height - 2 - score * (height - 4);
    const { scores, thresholds } = this.history.at(-1);
    Object.keys(scores).forEach((word, number) => {
      pen.strokeStyle = style.getPropertyValue('--bad');
      pen.setLineDash([4 * scale, 4 * scale]);
      pen.beginPath();
      pen.moveTo(0, y(thresholds[word]));
      pen.lineTo(width, y(thresholds[word]));
      pen.stroke();
      pen.strokeStyle = style.getPropertyValue(['--score', '--thinking', '--good', '--left'][number % 4]);
      pen.setLineDash([]);
      pen.lineWidth = 1.5 * scale;
      pen.beginPath();
      this.history.forEach((each, k) => {
        const x = width - ((this.history.length - 1 - k) * width) / (HISTORY - 1);
        pen.lineTo(x, y(each.scores[word] || 0));
      });
      pen.stroke();
    });
  }

  event(event) {
    const { kind } = event;
    if (kind === 'light') this.light(event.light);
    else if (kind === 'capture_begin') this.uploads.set(event.clip, { begin: event.begin, sent: 0, bytes: 0, received: 0, open: true });
    const upload = this.uploads.get(event.clip);
    if (upload) {
      if (kind === 'part_sent') { upload.sent += 1; upload.bytes += event.bytes; }
      if (kind === 'receipt') { upload.received += 1; if (event.complete) this.uploads.delete(event.clip); }
      if (kind === 'capture_end') { upload.open = false; if (!event.parts) this.uploads.delete(event.clip); }
      this.showUploads();
    }
    const told = tell(event);
    if (!told) return;
    const line = document.createElement('li');
    const time = Object.assign(document.createElement('time'), { className: 'numbers soft', textContent: clock(event.sample) });
    line.append(time, ' ', told);
    line.className = kind;
    this.$('.events').prepend(line);
    while (this.$('.events').children.length > SHOWN) this.$('.events').lastChild.remove();
  }

  showUploads() {
    const lines = [...this.uploads.values()].map((each) => {
      const line = document.createElement('li');
      const begun = each.open ? 'Recording since' : 'Recorded from';
      const sent = Math.max(each.sent, each.received); // within one program nothing says that a part is on its way
      const size = each.bytes ? ` (${(each.bytes / 1024).toFixed(0)} KiB)` : '';
      line.textContent = `${begun} ${clock(each.begin)}: ${sent} parts sent${size}, ${each.received} received`;
      line.className = each.open ? 'open' : '';
      return line;
    });
    if (!lines.length) lines.push(Object.assign(document.createElement('li'), { className: 'soft', textContent: 'nothing' }));
    this.$('.uploads').replaceChildren(...lines);
  }
}

function clock(sample) {
  const all = Math.floor(sample / RATE);
  const two = (number) => String(number).padStart(2, '0');
  return `${all >= 3600 ? `${Math.floor(all / 3600)}:` : ''}${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
}

function tell(event) {
  switch (event.kind) {
    case 'wake': return `woke: “${event.word}” scored ${event.score.toFixed(2)} of ${event.threshold}`;
    case 'near_miss': return `almost woke: “${event.word}” scored ${event.score.toFixed(2)} of ${event.threshold}`;
    case 'wake_refused': return `heard “${event.word}” while it was busy`;
    case 'capture_begin': return event.initiator === 'wakeword' ? 'began to record' : 'opened the microphone by itself';
    case 'capture_end': return `stopped recording after ${((event.end - event.begin) / RATE).toFixed(1)} s (${event.reason.replaceAll('_', ' ')})`;
    case 'receipt': return event.complete ? 'the far end has all of it' : '';
    case 'verified': return event.passed ? 'the far end heard the wake word too' : 'the far end did not hear the wake word';
    case 'prompt': return `said “${event.text}”`;
    case 'message': return `sent a message to ${event.to}`;
    case 'deleted': return `deleted ${event.clips.length} recordings`;
    case 'delete_clip': return 'forgot a recording, as it was told';
    case 'mute': return event.muted ? 'the microphone was switched off' : 'the microphone was switched on';
    case 'disconnected': return 'lost the far end';
    case 'connected': return 'reached the far end';
    case 'audio_lost': return `lost ${(event.samples / RATE).toFixed(2)} s of sound`;
    case 'dropped': return 'dropped a recording that could not be sent';
    default: return '';
  }
}

for (const section of document.querySelectorAll('.device')) new Device(section);
