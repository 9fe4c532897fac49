// Numbers as a person reads them.

const LAST = 8e12; // s: there are no later dates

export function number(value, digits = 6) {
  if (value === null || value === undefined) return "no value";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return String(Number(value.toPrecision(digits)));
}

export function ago(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

export function fact(name, value) {
  if (typeof value !== "number") return String(value);
  if (name === "timestamp" && Math.abs(value) < LAST) return new Date(value * 1000).toISOString().replace("T", " ").replace("Z", " UTC");
  return name === "angle" ? `${number(value)}°` : number(value, 9);
}
