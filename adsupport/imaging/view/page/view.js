// The page: what is set here goes to the server, what comes from there is shown.

import { Connection } from "./connection.js";
import { histogram, profile, ramp } from "./charts.js";
import { STEP, Stage } from "./stage.js";
import { ago, fact, number } from "./words.js";

const get = (id) => document.getElementById(id);
const GRAY = Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));
const HINTS = {
  auto: "By the first frame of an acquisition, then kept.",
  percentile: "Percentiles of each image.",
  fixed: "Enter takes over what is typed.",
};

// windows with a channel each, such as http://127.0.0.1:8765/#channel=slice+z
const hash = () => new URLSearchParams(location.hash.slice(1)).get("channel") || "";
const wanted = { channel: hash(), limits: null, frozen: false, profile: "none" };
let palettes = { gray: GRAY };
let header = null;
let limitsKind = "auto";
let byKey = false;
let linkOpen = null;

const STALE = 3; // s without a new image, after which the page says so
let connected = false;

// --- saying

let saying = 0;
function announce(text) {
  clearTimeout(saying);
  saying = setTimeout(() => { get("announce").textContent = text; }, 300); // the last of many
}

function text(id, value) {
  const element = get(id);
  if (element.textContent !== value) element.textContent = value;
}

// --- asking

let asking = 0;
let asked = "";
function look() {
  if (!asking) asking = setTimeout(ask, 30);
}

function ask() {
  clearTimeout(asking);
  asking = 0;
  const now = {
    channel: wanted.channel,
    limits: wanted.limits,
    region: stage.region(),
    size: stage.size(),
    profile: line(),
    cursor: stage.cursor,
    paused: wanted.frozen || document.hidden,
  };
  const written = JSON.stringify(now);
  if (written !== asked) connection.look(now);
  asked = written;
}

function line() {
  const [rows, columns] = stage.shape;
  const [x, y] = stage.cursor || [Math.floor(columns / 2), Math.floor(rows / 2)];
  if (wanted.profile === "row") return [0, y, columns - 1, y];
  if (wanted.profile === "column") return [x, 0, x, rows - 1];
  return wanted.profile === "line" ? stage.line : null;
}

const stage = new Stage(get("image"), {
  changed(key = false) {
    byKey = byKey || key;
    text("zoom", stage.closer === 1 ? "fit" : `${number(100 * stage.scale() / stage.ratio, 3)} %`);
    look();
  },
  key(name) {
    if (name === "freeze") freeze();
    else setProfile(name);
  },
  line,
});

// --- what comes

const connection = new Connection({
  link(open, reason) {
    const said = open ? "Connected" : `Not connected${reason ? ` (${reason})` : ""}: trying again`;
    if (open === linkOpen && (open || said === get("link-text").textContent)) return;
    linkOpen = open;
    connected = false;
    text("age", "");
    if (open) asked = "";
    const link = get("link");
    link.dataset.state = open ? "waiting" : "bad";
    text("link-text", said);
    announce(said);
    look();
  },
  state(state) {
    const link = get("link");
    const before = get("link-text").textContent;
    connected = state.connected;
    text("link-text", state.source || (state.connected ? "Connected" : "Waiting for the source"));
    showCounts(state.counts);
    if (before !== get("link-text").textContent) announce(get("link-text").textContent);
    if (get("status").textContent !== state.status) {
      text("status", state.status);
      announce(state.status);
    }
    setChannels(state.channels, state.channel);
    const { kind, low, high } = state.limits; // as the program has chosen, until somebody does here
    if (wanted.limits === null && kind !== limitsKind) showKind(kind, low, high);
  },
  picture(now, levels) {
    header = now;
    get("empty").hidden = true;
    const shape = stage.shape.join();
    stage.take(now, levels, colours());
    if (stage.shape.join() !== shape) stage.told.changed();
    const { shape: [rows, columns], counts, limits } = now;
    get("image").setAttribute("aria-label", `Image of ${now.channel}, ${columns} by ${rows} pixels`);
    showCounts(counts);
    const row = now.facts.detector_row;
    text("shape", `${columns} × ${rows}, ${now.type}${row === undefined ? "" : `, of detector row ${row}`}`);
    showLimits(limits);
    histogram(get("histogram"), now.histogram, limits);
    get("histogram").setAttribute("aria-label", `Histogram: values from ${number(now.histogram.low)} to ${number(now.histogram.last)}; black at ${number(limits[0])}, white at ${number(limits[1])}`);
    text("histogram-low", number(now.histogram.low));
    text("histogram-high", number(now.histogram.last));
    showFacts(now.facts);
    showReading(now);
  },
  reading: showReading,
  refused(what) {
    text("limits-problem", what);
  },
});

function showReading(message) {
  if (message.cursor) {
    const [x, y, value] = message.cursor;
    const unit = header && header.facts.unit && value !== null ? ` ${header.facts.unit}` : "";
    const said = `x ${x}, y ${y}: ${number(value)}${unit}`;
    text("cursor", said);
    if (byKey) announce(said);
    byKey = false;
  }
  get("profile-box").hidden = !message.profile;
  if (message.profile) {
    const range = profile(get("profile"), message.profile);
    text("profile-low", range ? `lowest ${number(range.low)}` : "");
    text("profile-high", range ? `highest ${number(range.high)}` : "");
    const [x0, y0, x1, y1] = message.line;
    get("profile").setAttribute("aria-label", `Profile from ${x0}, ${y0} to ${x1}, ${y1}: ${range ? `${number(range.low)} to ${number(range.high)}` : "no values"}`);
  }
}

function showCounts(counts) {
  text("rate", number(counts.rate, 3));
  text("lost", counts.lost === null ? "–" : number(counts.lost));
  text("skipped", number(counts.skipped));
  const stale = counts.age !== null && counts.age > STALE;
  text("age", stale ? `No new image for ${ago(counts.age)}` : "");
  if (linkOpen) get("link").dataset.state = connected ? (stale ? "idle" : "good") : "waiting";
}

function showFacts(facts) {
  if (!get("facts").closest("details").open) return;
  get("facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = name;
    said.textContent = fact(name, value);
    return [term, said];
  }));
}

// --- channel and colours

function setChannels(names, chosen) {
  const select = get("channel");
  if (names.join("\n") !== [...select.options].map((each) => each.value).join("\n")) {
    select.replaceChildren(...names.map((name) => new Option(name, name)));
  }
  if (document.activeElement !== select) select.value = chosen;
  document.title = chosen ? `${chosen} · Live view` : "Live view";
}

get("channel").addEventListener("change", () => {
  location.hash = new URLSearchParams({ channel: get("channel").value });
});
window.addEventListener("hashchange", () => {
  wanted.channel = hash();
  stage.whole();
  look();
});

function colours() {
  return palettes[get("palette").value] || GRAY;
}

get("palette").addEventListener("change", () => {
  ramp(get("ramp"), colours());
  stage.paint(colours());
});

fetch("palettes.json").then((answer) => answer.json()).then((found) => {
  palettes = found;
  get("palette").replaceChildren(...Object.keys(found).map((name) => new Option(name, name)));
  ramp(get("ramp"), colours());
  stage.paint(colours());
});

// --- contrast

function showLimits([low, high]) {
  if (limitsKind === "percentile") {
    text("limits-hint", `Percentiles of each image; now ${number(low)} to ${number(high)}.`);
  } else if (limitsKind === "fixed") {
    text("limits-hint", `In force: ${number(low)} to ${number(high)}. ${HINTS.fixed}`);
  } else {
    get("low").value = low;
    get("high").value = high;
  }
}

function showKind(kind, low, high) {
  limitsKind = kind;
  document.querySelector(`input[name=limits][value=${kind}]`).checked = true;
  for (const id of ["low", "high"]) get(id).readOnly = kind === "auto";
  text("limits-hint", HINTS[kind]);
  if (kind !== "auto") {
    get("low").value = low;
    get("high").value = high;
  }
}

function setLimits(kind, low, high) {
  showKind(kind, low, high);
  useLimits();
}

function useLimits() {
  if (limitsKind === "auto") {
    text("limits-problem", "");
    wanted.limits = { kind: "auto", low: null, high: null };
  } else {
    const [low, high] = [get("low"), get("high")].map((each) => (each.value === "" ? NaN : Number(each.value)));
    const right = low < high && (limitsKind === "fixed" || (low >= 0 && high <= 100));
    for (const id of ["low", "high"]) get(id).setAttribute("aria-invalid", String(!right));
    text("limits-problem", right ? "" : `Black has to be less than white${limitsKind === "fixed" ? "" : ", both from 0 to 100"}; the limits of before stay.`);
    if (!right) return;
    wanted.limits = { kind: limitsKind, low, high };
  }
  look();
}

for (const choice of document.querySelectorAll("input[name=limits]")) {
  choice.addEventListener("change", () => {
    const now = header ? header.limits : [0, 255];
    setLimits(choice.value, ...(choice.value === "percentile" ? [1, 99] : now));
  });
}
// not while a number is typed: 20 on the way to 200 isn't meant; Enter and the arrows tell by "change", too
for (const id of ["low", "high"]) get(id).addEventListener("change", useLimits);
get("fit").addEventListener("click", () => {
  if (!header) return;
  const [low, high] = header.fitting;
  setLimits("fixed", low, high > low ? high : low + 1);
});

// --- zoom, freezing, profile

get("zoom-in").addEventListener("click", () => stage.zoomAtCursor(STEP));
get("zoom-out").addEventListener("click", () => stage.zoomAtCursor(1 / STEP));
get("whole").addEventListener("click", () => stage.whole());
get("freeze").addEventListener("click", freeze);

function freeze() {
  wanted.frozen = !wanted.frozen;
  text("freeze", wanted.frozen ? "Go on" : "Freeze");
  get("freeze").classList.toggle("frozen", wanted.frozen);
  get("frozen").hidden = !wanted.frozen;
  announce(wanted.frozen ? "Frozen" : "Going on");
  ask();
}

function setProfile(kind) {
  wanted.profile = kind;
  get("profile-kind").value = kind;
  get("line-ends").hidden = kind !== "line";
  if (kind === "line" && !stage.line) {
    const [rows, columns] = stage.shape;
    stage.line = [Math.round(columns / 4), Math.round(rows / 2), Math.round((3 * columns) / 4), Math.round(rows / 2)];
  }
  if (kind !== "line") stage.line = null;
  stage.draw();
  look();
}

get("profile-kind").addEventListener("change", () => setProfile(get("profile-kind").value));
get("line-start").addEventListener("click", () => stage.setLine("start"));
get("line-end").addEventListener("click", () => stage.setLine("end"));
get("panel").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("visibilitychange", look);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => stage.draw());
showKind("auto");
setProfile("none");
