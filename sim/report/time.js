"use strict";

// The run, as Python wrote it down, and how samples are told in words.

const run = JSON.parse(document.getElementById("run-data").textContent);

/** Time since the stream began: m:ss.cc, from an hour on h:mm:ss.cc; `digits` after the point. */
function clock(sample, digits = 2) {
  const unit = 10 ** digits;
  let rest = Math.floor((Math.max(0, sample) / run.rate) * unit + 1e-6);
  const fraction = rest % unit;
  rest = Math.floor(rest / unit);
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(rest / 3600);
  const minutes = Math.floor(rest / 60) % 60;
  const ahead = hours ? `${hours}:${pad(minutes)}` : String(minutes);
  return `${ahead}:${pad(rest % 60)}` + (digits ? `.${String(fraction).padStart(digits, "0")}` : "");
}

/** Time of day in UTC, where it is known. */
function timeOfDay(sample) {
  if (run.utc === null) return "";
  return new Date(run.utc + (sample / run.rate) * 1000).toISOString().slice(11, 22) + " UTC";
}

/** Numbers that Python packed as base64, little-endian. */
function unpack(text, Type) {
  return new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

/** A new element with a class and a text, which is never read as HTML. */
function element(tag, look, text = "") {
  const made = document.createElement(tag);
  made.className = look;
  made.textContent = text;
  return made;
}

/** A new SVG element with its attributes. */
function drawing(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
