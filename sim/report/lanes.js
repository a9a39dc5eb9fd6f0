// The chart: an overview, a time axis and the lanes, each redrawn for what is in sight.

const chart = document.getElementById("chart");
const under = element("div", "under");
const over = element("div", "over");
const cursor = element("i", "cursor");
const hair = element("i", "hair");
hair.hidden = true;

/** Lanes of one kind of span, wherever they are. */
const spansOf = (look) => run.lanes.flatMap((lane) => lane.spans).filter((span) => span.look.split(" ")[0] === look);
const captures = spansOf("capture");
const wakes = spansOf("wake");

function addRow(look, title = "", note = "") {
  const row = element("div", `lane ${look}`);
  const label = element("div", "label");
  label.append(element("b", "", title), element("small", "", note));
  const track = element("div", "track");
  row.append(label, track);
  chart.append(row);
  return track;
}

function curveIn(track, ...looks) {
  const svg = drawing("svg", { preserveAspectRatio: "none", "aria-hidden": "true" });
  const paths = looks.map((look) => drawing("path", { class: look }));
  svg.append(...paths);
  track.append(svg);
  return { svg, paths };
}

/** Envelope of what is in sight as an SVG path in a box of `columns` by 254. */
function wavePath(wave, columns) {
  const bins = wave.numbers.length / 2;
  const perColumn = view.span / columns;
  const top = [];
  const bottom = [];
  for (let column = 0; column < columns; column += 1) {
    const first = Math.floor((view.from + column * perColumn) / wave.size);
    if (first >= bins) break;
    const last = Math.min(bins, Math.max(first + 1, Math.floor((view.from + (column + 1) * perColumn) / wave.size)));
    let low = 127;
    let high = -127;
    for (let bin = first; bin < last; bin += 1) {
      low = Math.min(low, wave.numbers[2 * bin]);
      high = Math.max(high, wave.numbers[2 * bin + 1]);
    }
    top.push(`${column} ${126 - high}`);
    bottom.push(`${column} ${128 - low}`);
  }
  return top.length ? `M${top.join("L")}L${bottom.reverse().join("L")}Z` : "";
}

/** Scores in sight as a line and the area under it, in a box of `columns` by 1; a gap where nothing was heard. */
function curvePaths(curve, columns) {
  const scale = columns / view.span;
  const group = Math.max(1, Math.floor(view.span / curve.size / columns));
  const first = Math.max(0, Math.floor(view.from / curve.size / group) - 1) * group;
  const last = Math.min(curve.numbers.length, Math.ceil(view.to / curve.size) + 2 * group);
  let line = "";
  let area = "";
  let open = null;
  for (let at = first; at < last; at += group) {
    let score = NaN;
    for (let k = at; k < Math.min(at + group, last); k += 1) {
      if (!(curve.numbers[k] <= score) && !Number.isNaN(curve.numbers[k])) score = curve.numbers[k];
    }
    const x = (((at + group) * curve.size - view.from) * scale).toFixed(2);
    if (Number.isNaN(score)) {
      if (open !== null) area += `L${open} 1Z`;
      open = null;
      continue;
    }
    const y = (1 - score).toFixed(4);
    line += `${open === null ? "M" : "L"}${x} ${y}`;
    area += open === null ? `M${x} 1L${x} ${y}` : `L${x} ${y}`;
    open = x;
  }
  if (open !== null) area += `L${open} 1Z`;
  return [area, line];
}

/** Put what of the spans is in sight into `holder`; long ones end at the edge, so that their words stay in sight. */
function drawSpans(holder, spans) {
  const shown = [];
  for (const span of spans) {
    if (span.end < view.from || span.begin > view.to) continue;
    const moment = span.begin === span.end;
    const left = moment ? view.x(span.begin) : clamp(view.x(span.begin), 0, 100);
    const made = element("span", `span ${span.look}${moment ? " point" : ""}`);
    made.style.left = `${left}%`;
    const width = clamp(view.x(span.end), 0, 100) - left;
    const room = clamp(view.x(span.room), 0, 100) - left;
    if (!moment) made.style.width = `${width}%`;
    if (wordsFit(span)) made.append(...wordsOf(span, left, width));
    else if (span.text && (moment || room * view.width > 1000)) {
      const words = element("span", "words", span.text); // left out where there is room for no letter
      if (!moment) words.style.setProperty("--room", `${(room / Math.max(width, 0.01)) * 100}%`);
      made.append(words);
    }
    if (span.level !== null) made.style.bottom = `${clamp(span.level, 0, 1) * 100}%`;
    made.about = span.about;
    shown.push(made);
  }
  holder.replaceChildren(...shown);
}

/** Whether each word has room where it was said: about 7 pixels a letter, on the whole. */
function wordsFit(span) {
  if (!span.words.length) return false;
  const letters = span.words.reduce((sum, [text]) => sum + text.length + 1, 0);
  return ((span.end - span.begin) / view.span) * view.width > 7.2 * letters;
}

/** Each word at its time, as wide as it may be before the next one. */
function wordsOf(span, left, width) {
  const per = 100 / Math.max(width, 0.01);
  const made = [];
  span.words.forEach(([text, begin, end, about], place) => {
    if (end < view.from || begin > view.to) return;
    const word = element("span", "w", text);
    word.style.left = `${(view.x(begin) - left) * per}%`;
    const next = span.words[place + 1]?.[1];
    if (next > begin) word.style.width = `${(view.x(next) - view.x(begin)) * per}%`;
    word.about = about;
    made.push(word);
  });
  return made;
}

/** Tell each span where the next one with words begins: so far its own words may go. */
function giveRoom(spans) {
  let room = run.length;
  for (const span of [...spans].reverse()) {
    span.room = room;
    if (span.text) room = span.begin;
  }
}

/** The name of a device above its lanes, where there are several. */
function addHeading(lane, before) {
  if (run.devices.length < 2 || !lane.device || lane.device === before?.device) return;
  chart.append(element("div", "device", lane.device));
}

function addLane(lane, place) {
  addHeading(lane, run.lanes[place - 1]);
  giveRoom(lane.spans);
  const track = addRow(lane.name, lane.title, lane.note);
  track.lane = lane;
  if (lane.wave) {
    lane.wave.numbers = unpack(lane.wave.values, Int8Array);
    const { svg, paths } = curveIn(track, "wave");
    view.onChange.push(() => {
      svg.setAttribute("viewBox", `0 0 ${view.width} 254`);
      paths[0].setAttribute("d", wavePath(lane.wave, view.width));
    });
  }
  if (lane.curve) {
    lane.curve.numbers = unpack(lane.curve.values, Float32Array);
    const { svg, paths } = curveIn(track, "area", "line");
    view.onChange.push(() => {
      svg.setAttribute("viewBox", `0 0 ${view.width} 1`);
      curvePaths(lane.curve, view.width).forEach((path, k) => paths[k].setAttribute("d", path));
    });
    if (lane.curve.threshold !== null) {
      const line = element("i", "threshold");
      line.style.bottom = `${lane.curve.threshold * 100}%`;
      track.append(line);
    }
  }
  const holder = element("div", "spans");
  track.append(holder);
  view.onChange.push(() => drawSpans(holder, lane.spans));
}

/** The whole run in one strip, what is in sight framed. */
function addOverview() {
  const track = addRow("overview", "whole run");
  const whole = { x: (sample) => (sample / run.length) * 100 };
  for (const span of [...captures, ...wakes]) {
    const made = element("i", span.look);
    made.style.left = `${whole.x(span.begin)}%`;
    if (span.end > span.begin) made.style.width = `${whole.x(span.end) - whole.x(span.begin)}%`;
    track.append(made);
  }
  const frame = element("i", "frame");
  track.append(frame);
  view.onChange.push(() => {
    frame.style.left = `${whole.x(view.from)}%`;
    frame.style.width = `${whole.x(view.span)}%`;
  });
}

const STEPS = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400];

function addAxis() {
  const track = addRow("axis", "time");
  view.onChange.push(() => {
    const most = Math.max(2, view.width / 76);
    const step = STEPS.find((s) => view.span / run.rate / s <= most) ?? STEPS.at(-1);
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    const marks = [];
    for (let k = Math.ceil(view.from / run.rate / step); k * step * run.rate <= view.to; k += 1) {
      const mark = element("span", "tick", clock(k * step * run.rate, digits));
      mark.style.left = `${view.x(k * step * run.rate)}%`;
      marks.push(mark);
    }
    track.replaceChildren(...marks);
  });
  return track;
}

/** Behind all lanes: what was recorded as a band, each wake as a line. */
function drawUnder() {
  const marks = [...captures, ...wakes].filter((span) => span.end >= view.from && span.begin <= view.to);
  under.replaceChildren(
    ...marks.map((span) => {
      const made = element("i", span.look);
      const left = clamp(view.x(span.begin), 0, 100);
      made.style.left = `${left}%`;
      if (span.end > span.begin) made.style.width = `${clamp(view.x(span.end), 0, 100) - left}%`;
      return made;
    }),
  );
}

function drawChart() {
  addOverview();
  const axis = addAxis();
  run.lanes.forEach(addLane);
  over.append(hair, cursor);
  chart.append(under, over);
  view.onChange.push(drawUnder);
  view.onChange.unshift(() => {
    view.width = Math.max(50, axis.clientWidth);
    under.style.top = over.style.top = `${axis.offsetTop + axis.offsetHeight}px`;
  });
}
