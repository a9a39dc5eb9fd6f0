// The annotator's desk: one clip after the other, all of it by keyboard, the next one fetched ahead.

import { Refusal, ask, bytes } from './ask.js';
import { Player } from './player.js';
import { Labels } from './labels.js';

const $ = (id) => document.getElementById(id);
const player = new Player($('audio'), $('wave'), $('at'));
const labels = new Labels($('task'));

let current = null; // { task, sound }
let ahead = null; // a promise of the next one, or of null
let busy = false;
let plays = 0;
let since = 0;

function tell(sentence, kind = '') {
  $('told').textContent = sentence;
  $('told').className = `told ${kind}`;
}

function showPace(pace) {
  $('done').textContent = pace.done;
  $('shift').value = pace.done;
  $('mine').textContent = pace.seconds_per_clip === null ? '–' : pace.seconds_per_clip.toFixed(1);
}

async function fetchNext() {
  const { task, pace } = await ask('/desk/next', { besides: current ? [current.task.id] : [] });
  showPace(pace);
  return task && { task, sound: await bytes(`/desk/${task.id}/sound`) };
}

function lookAhead() {
  ahead = fetchNext();
  ahead.catch(() => {}); // it is told when it is needed
}

async function next() {
  current = null;
  player.load(null);
  $('task').hidden = true;
  current = await (ahead || fetchNext()).catch(async (error) => {
    // What was fetched ahead may have been withdrawn meanwhile.
    if (error instanceof Refusal && error.status === 404) return fetchNext();
    throw error;
  });
  ahead = null;
  $('empty').hidden = current !== null;
  $('task').hidden = current === null;
  if (!current) {
    $('look').focus();
    return;
  }
  show(current);
  lookAhead();
}

function show({ task, sound }) {
  $('queue').textContent = { 'false-wakes': 'Perhaps a false wake', 'low-confidence': 'Hardly understood', general: 'General' }[task.queue];
  const facts = Object.entries(task.shown);
  $('facts').replaceChildren(...facts.map(([name, value]) => {
    const fact = document.createElement('div');
    fact.append(element('dt', name), element('dd', value));
    return fact;
  }));
  $('nothing-shown').hidden = facts.length > 0;
  labels.show(task);
  player.load(sound);
  plays = 0;
  since = performance.now();
  $('wave').focus({ preventScroll: true });
  if ($('auto').checked) play();
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function play() {
  if (!current) return;
  const begins = player.toggle();
  // The first time is in the log since the sound was fetched; each that begins anew is one more.
  if (begins && plays++ > 0) ask(`/desk/${current.task.id}/again`).catch((error) => tell(error.message, 'bad'));
}

function repeat() {
  player.stop();
  play();
}

async function once(action) {
  if (busy || !current) return;
  busy = true;
  try {
    await action();
  } catch (error) {
    tell(error.message, 'bad');
    // Whatever became of it, it is not here any more.
    if (error.status === 404) await next().catch((again) => tell(again.message, 'bad'));
  } finally {
    busy = false;
  }
}

const submit = () => once(async () => {
  const missing = labels.missing();
  if (missing) {
    tell(missing, 'bad');
    return;
  }
  player.stop();
  const seconds = Math.min(86400, (performance.now() - since) / 1000);
  const { pace } = await ask(`/desk/${current.task.id}/submit`, { ...labels.value(), seconds });
  showPace(pace);
  tell('');
  await next();
});

const skip = () => once(async () => {
  player.stop();
  await ask(`/desk/${current.task.id}/skip`);
  tell('Skipped; somebody else gets it.');
  await next();
});

const report = () => once(async () => {
  const { told } = await ask(`/desk/${current.task.id}/distress`, { why: $('why').value });
  $('report').close();
  $('why').value = '';
  tell(told, 'good');
});

function openReport() {
  if (!current) return;
  player.pause();
  $('report').showModal();
}

const keys = {
  ' ': play, r: repeat, s: () => player.slower($('slower'), $('speed')), b: () => player.move(-2),
  arrowleft: () => player.move(-2), arrowright: () => player.move(2), n: skip, d: openReport, enter: submit,
  t: () => $('transcript').focus(), l: () => $('language').focus(), '+': () => labels.speakers(1), '-': () => labels.speakers(-1),
};
const whileWriting = { ' ': play, b: () => player.move(-2), enter: submit };

document.addEventListener('keydown', (event) => {
  if ($('report').open || $('task').hidden || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  const writing = event.target.matches('textarea, input:not([type=radio], [type=checkbox])');
  if (writing && key === 'escape') {
    event.target.blur();
    return;
  }
  if (writing && key === 'enter' && event.target.tagName === 'INPUT') {
    event.preventDefault();
    event.target.blur();
    return;
  }
  // A button that has the focus is pressed by its own keys.
  if (event.target.matches('button') && (key === ' ' || key === 'enter')) return;
  const action = writing || event.ctrlKey ? event.ctrlKey && whileWriting[key] : keys[key] || labels.key(key);
  if (!action) return;
  event.preventDefault();
  action();
});

$('task').addEventListener('submit', (event) => { event.preventDefault(); submit(); });
for (const [id, action] of Object.entries({
  play, repeat, back: () => player.move(-2), slower: keys.s, skip, distress: openReport, send: report,
  look: () => next().catch((error) => tell(error.message, 'bad')),
})) $(id).addEventListener('click', action);
setInterval(() => { $('clock').textContent = current ? Math.round((performance.now() - since) / 1000) : '–'; }, 500);
next().catch((error) => {
  tell(error.message, 'bad');
  $('why-empty').textContent = error.message;
  $('empty').hidden = false;
});
