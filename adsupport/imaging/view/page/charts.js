// Histogram, profile and colour ramp.

function prepared(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  const height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  const colours = getComputedStyle(document.documentElement);
  return { context, width, height, ratio, colour: (name) => colours.getPropertyValue(name).trim() };
}

export function histogram(canvas, { low, high, counts }, limits) {
  const { context, width, height, ratio, colour } = prepared(canvas);
  const most = Math.log1p(Math.max(1, ...counts)); // rare values are to be seen, too
  const each = width / counts.length;
  context.fillStyle = colour("--dim");
  counts.forEach((count, index) => {
    const tall = (Math.log1p(count) / most) * (height - 2 * ratio);
    context.fillRect(index * each, height - tall, Math.max(1, each - (each > 4 ? 1 : 0)), tall);
  });
  context.fillStyle = colour("--soft");
  context.fillRect(0, height - ratio, width, ratio);
  context.strokeStyle = colour("--mark");
  context.lineWidth = 2 * ratio;
  for (const limit of limits) {
    const x = high > low ? ((limit - low) / (high - low)) * width : width / 2;
    if (x < 0 || x > width) continue;
    const inside = Math.min(width - ratio, Math.max(ratio, x));
    context.beginPath();
    context.moveTo(inside, 0);
    context.lineTo(inside, height);
    context.stroke();
  }
}

export function profile(canvas, values) {
  const { context, width, height, ratio, colour } = prepared(canvas);
  const known = values.filter((value) => value !== null);
  if (!known.length) return null;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const span = high - low || 1;
  const edge = 3 * ratio;
  context.strokeStyle = colour("--soft");
  context.lineWidth = ratio;
  for (const part of [0, 0.5, 1]) {
    const y = edge + part * (height - 2 * edge);
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(width, y);
    context.stroke();
  }
  context.strokeStyle = colour("--accent");
  context.lineWidth = 1.5 * ratio;
  context.beginPath();
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const x = values.length > 1 ? (index / (values.length - 1)) * width : width / 2;
    const y = height - edge - ((value - low) / span) * (height - 2 * edge);
    if (drawing) context.lineTo(x, y);
    else context.moveTo(x, y);
    drawing = true;
  });
  context.stroke();
  return { low, high };
}

export function ramp(canvas, colours) {
  Object.assign(canvas, { width: 256, height: 1 });
  const context = canvas.getContext("2d");
  const image = context.createImageData(256, 1);
  for (let level = 0; level < 256; level += 1) {
    image.data.set([colours[3 * level], colours[3 * level + 1], colours[3 * level + 2], 255], 4 * level);
  }
  context.putImageData(image, 0, 0);
}
