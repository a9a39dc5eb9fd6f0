// Puts it together: pointer, wheel and keys move the view and the player; both draw the page.

const tip = document.getElementById("tip");
const button = (id) => document.getElementById(id);
const fractionAt = (event) => {
  const box = under.getBoundingClientRect();
  return clamp((event.clientX - box.left) / box.width, 0, 1);
};
const sampleAt = (event) => view.from + fractionAt(event) * view.span;

function showPlace() {
  const inSight = player.at >= view.from && player.at <= view.to;
  cursor.hidden = !inSight;
  if (inSight) cursor.style.left = `${view.x(player.at)}%`;
  button("now").textContent = `${clock(player.at)} of ${clock(run.length)}`;
  chart.setAttribute("aria-valuenow", String(Math.round(player.at / run.rate)));
  chart.setAttribute("aria-valuetext", clock(player.at));
  const playing = player.playing;
  mark(button("play"), Boolean(playing), "Play");
  for (const { card, begin, end } of player.sources) {
    if (!card) continue;
    mark(card.querySelector(".play"), playing?.card === card, `Play ${card.querySelector("h3").textContent.toLowerCase()}`);
    const inside = player.at >= begin && player.at < end && (playing?.card === card || player.at > begin);
    const line = card.querySelector(".cursor");
    line.hidden = !inside;
    line.style.left = `${((player.at - begin) / (end - begin)) * 100}%`;
  }
  const stretch = Boolean(playing) && player.until < Infinity;
  for (const hear of hears) mark(hear.button, stretch && hear.button === heard, hear.name);
}

/** The buttons that play a step of the story; `heard` is the last one that was pressed. */
const hears = [...document.querySelectorAll(".hear")].map((made) => ({ button: made, name: made.getAttribute("aria-label") }));
let heard = null;

function listenToStory() {
  for (const { button: made } of hears) {
    const { device, begin, end } = made.dataset;
    made.addEventListener("click", () => {
      const again = heard === made && player.playing;
      heard = again ? null : made;
      if (again) player.stop();
      else player.play(Number(begin), player.sourceAt(Number(begin), device), Number(end));
    });
  }
  for (const made of document.querySelectorAll("#tale .show")) {
    const at = Number(made.dataset.at);
    made.addEventListener("click", () => lookAt(at - 4 * run.rate, at + 6 * run.rate, at));
  }
}

/** Bring a stretch of the timeline into sight, with the cursor at a sample of it. */
function lookAt(from, to, at) {
  player.stop();
  player.at = clamp(at, 0, run.length);
  view.show(from, to);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById("timeline-title").scrollIntoView({ behavior: still ? "instant" : "smooth" });
}

function mark(playButton, playing, name) {
  playButton.textContent = playing ? "❚❚" : "▶";
  playButton.setAttribute("aria-label", playing ? "Pause" : name);
}

/** What there is to know of the place under the pointer. */
function describe(event) {
  const sample = sampleAt(event);
  const lines = [`${clock(sample)}   ${timeOfDay(sample)}`.trim()];
  const span = event.target.closest(".span");
  const lane = event.target.closest(".track")?.lane;
  const word = event.target.closest(".w");
  if (word?.about) lines.push(word.about);
  if (span?.about) lines.push(...span.about);
  else if (lane?.wave) lines.push(level(lane.wave, sample));
  else if (lane?.curve) lines.push(score(lane.curve, sample));
  return lines;
}

function level(wave, sample) {
  const bin = Math.floor(sample / wave.size);
  const peak = Math.max(Math.abs(wave.numbers[2 * bin] ?? 0), Math.abs(wave.numbers[2 * bin + 1] ?? 0));
  const dbfs = (value) => `${(20 * Math.log10((value / 127) * wave.peak)).toFixed(1)} dBFS`;
  return peak ? `peak ${dbfs(peak)}` : `under ${dbfs(0.5)}`;
}

function score(curve, sample) {
  const value = curve.numbers[Math.floor(sample / curve.size)] ?? NaN;
  const threshold = curve.threshold === null ? "" : `, threshold ${curve.threshold}`;
  return Number.isNaN(value) ? "not heard" : `score ${value.toFixed(3)}${threshold}`;
}

function showTip(event) {
  hair.hidden = false;
  hair.style.left = `${fractionAt(event) * 100}%`;
  tip.replaceChildren(...describe(event).map((line) => element("div", "", line)));
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${clamp(event.clientX + 14, 4, Math.max(4, document.documentElement.clientWidth - box.width - 4))}px`;
  const below = event.clientY + 18;
  tip.style.top = `${below + box.height < innerHeight ? below : event.clientY - box.height - 12}px`;
}

function hideTip() {
  tip.hidden = hair.hidden = true;
}

/** One finger or the mouse: a click plays, a drag moves. Two fingers: pinch. */
function listenToPointers() {
  const pointers = new Map();
  let moved = 0;
  let overview = false;
  const isTrack = (event) => event.target.closest(".track");

  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !isTrack(event)) return;
    pointers.set(event.pointerId, event);
    overview = Boolean(event.target.closest(".overview"));
    moved = pointers.size > 1 ? Infinity : 0;
    if (overview) centre(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (isTrack(event) && event.pointerType === "mouse") showTip(event);
      else hideTip();
      return;
    }
    hideTip();
    moved += Math.abs(event.clientX - before.clientX);
    if (overview) centre(event);
    else if (pointers.size === 2) pinch(before, event);
    else if (moved > 4) view.pan(((before.clientX - event.clientX) / view.width) * view.span);
    pointers.set(event.pointerId, event);
  });
  chart.addEventListener("pointerup", (event) => {
    if (pointers.delete(event.pointerId) && moved <= 4 && !overview) playFrom(event);
  });
  function playFrom(event) {
    const sample = sampleAt(event);
    const track = document.elementsFromPoint(event.clientX, event.clientY).find((each) => each.lane);
    player.play(sample, player.sourceAt(sample, track?.lane.device || undefined));
  }

  chart.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  chart.addEventListener("pointerleave", hideTip);

  function centre(event) {
    const middle = fractionAt(event) * run.length;
    view.show(middle - view.span / 2, middle + view.span / 2);
  }

  function pinch(before, event) {
    const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
    const apart = (pointer) => Math.max(10, Math.abs(pointer.clientX - other.clientX));
    view.zoom(apart(before) / apart(event), sampleAt(other));
  }
}

function listenToWheel() {
  chart.addEventListener(
    "wheel",
    (event) => {
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (event.ctrlKey || event.metaKey) view.zoom(Math.exp(clamp(event.deltaY, -100, 100) / 150), sampleAt(event));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        view.pan((sideways / view.width) * view.span);
      } else return;
      event.preventDefault();
    },
    { passive: false },
  );
}

const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: (event) => player.seek(player.at - run.rate * (event.shiftKey ? 5 : 1)),
  ArrowRight: (event) => player.seek(player.at + run.rate * (event.shiftKey ? 5 : 1)),
  Home: () => player.seek(0),
  End: () => player.seek(run.length),
  "+": () => view.zoom(1 / 1.5, player.at),
  "=": () => view.zoom(1 / 1.5, player.at),
  "-": () => view.zoom(1.5, player.at),
  0: () => view.show(0, run.length),
};

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    if (event.key === " " && event.target.closest("button, summary, a, audio")) return; // it has its own meaning there
    event.preventDefault();
    KEYS[event.key](event);
  });
}

function listenToButtons() {
  button("play").addEventListener("click", () => player.toggle());
  button("zoom-in").addEventListener("click", () => view.zoom(1 / 2, player.at));
  button("zoom-out").addEventListener("click", () => view.zoom(2, player.at));
  button("zoom-all").addEventListener("click", () => view.show(0, run.length));
  button("play").hidden = !player.sources.length;
  document.getElementById("tools").hidden = false;
}

function addSounds() {
  for (const home of document.querySelectorAll("audio.home")) player.add(home, 0, run.length, home.dataset.device);
  for (const card of document.querySelectorAll(".clip")) {
    const [begin, end] = [Number(card.dataset.begin), Number(card.dataset.end)];
    card.querySelector(".show").addEventListener("click", () => {
      lookAt(begin - run.rate, end + run.rate, begin);
    });
    const audio = card.querySelector("audio");
    if (!audio) continue;
    const source = player.add(audio, begin, end, card.dataset.device, card);
    card.querySelector(".play").addEventListener("click", () => {
      if (player.playing === source) player.stop();
      else player.play(player.at > begin && player.at < end - 1 ? player.at : begin, source);
    });
    card.querySelector(".picture").addEventListener("click", (event) => {
      const box = event.currentTarget.getBoundingClientRect();
      player.play(begin + ((event.clientX - box.left) / box.width) * (end - begin), source);
    });
  }
}

function listenToPrinter() {
  let before = null;
  addEventListener("beforeprint", () => {
    before = [view.from, view.to];
    [view.from, view.to] = [0, run.length];
    view.draw();
  });
  addEventListener("afterprint", () => before && view.show(...before));
}

drawChart();
chart.setAttribute("aria-valuemax", String(Math.round(run.length / run.rate)));
addSounds();
view.onChange.push(showPlace);
player.onMove.push(showPlace);
listenToStory();
listenToPointers();
listenToWheel();
listenToKeys();
listenToButtons();
listenToPrinter();
new ResizeObserver(() => view.show(view.from, view.to)).observe(chart);
view.draw();
