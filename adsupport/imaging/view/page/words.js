// Numbers as a person reads them.

export function number(value, digits = 6) {
  if (value === null || value === undefined) return "no value";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  return String(Number(value.toPrecision(digits)));
}

export function ago(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}

export function fact(name, value) {
  if (name === "timestamp") return new Date(value * 1000).toISOString().replace("T", " ").replace("Z", " UTC");
  if (name === "angle") return `${number(value)}°`;
  return typeof value === "number" ? number(value, 9) : String(value);
}
