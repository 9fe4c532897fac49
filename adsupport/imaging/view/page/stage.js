// The image: which part is shown, the cursor, a line, and how mouse, fingers and keys change them.

const CLOSEST = 64; // screen pixels an image pixel
export const STEP = 1.5; // of the zoom

export class Stage {
  // told: {changed(byKey), key(name), line()}: what is wanted has changed; a key that is for others; what
  // line is to be drawn
  constructor(canvas, told) {
    this.canvas = canvas;
    this.told = told;
    this.picture = null; // {header, bitmap}
    this.shape = [1, 1]; // rows, columns
    this.closer = 1; // times the scale with which the whole image fits
    this.centre = [0, 0]; // x, y of the image in the middle
    this.cursor = null; // x, y
    this.line = null; // x0, y0, x1, y1
    this.pointers = new Map();
    this.bitmap = document.createElement("canvas");
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.listen();
  }

  // --- pictures

  take(header, levels, colours) {
    const [rows, columns] = header.shape;
    if (rows !== this.shape[0] || columns !== this.shape[1] || header.channel !== this.channel) {
      this.channel = header.channel;
      this.shape = [rows, columns];
      if (this.closer === 1) this.centre = [columns / 2, rows / 2];
      if (this.cursor) this.cursor = this.pixel(...this.cursor);
      this.keepInside();
    }
    this.header = header;
    this.levels = levels;
    this.paint(colours);
  }

  paint(colours) {
    if (!this.header) return;
    const [height, width] = this.header.size;
    if (this.bitmap.width !== width || this.bitmap.height !== height) Object.assign(this.bitmap, { width, height });
    const context = this.bitmap.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const table = new Uint32Array(256);
    const bytes = new Uint8Array(table.buffer); // red, green, blue, opaque: whatever the byte order
    for (let level = 0; level < 256; level += 1) {
      for (let part = 0; part < 3; part += 1) bytes[4 * level + part] = colours[3 * level + part];
      bytes[4 * level + 3] = 255;
    }
    for (let index = 0; index < pixels.length; index += 1) pixels[index] = table[this.levels[index]];
    context.putImageData(image, 0, 0);
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.header) return;
    const scale = this.scale();
    const [left, top, right, bottom] = this.header.region;
    const [x, y] = this.onScreen(left, top);
    context.imageSmoothingEnabled = scale * ((right - left) / this.header.size[1]) < 1;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.bitmap, x, y, (right - left) * scale, (bottom - top) * scale);
    const line = this.told.line();
    if (line) this.stroke([line]);
    if (this.cursor) {
      const [cx, cy] = this.cursor.map((each) => each + 0.5);
      const arm = 9 * this.ratio / scale;
      const gap = Math.max(0.5, 2.5 * this.ratio / scale);
      this.stroke([[cx - arm - gap, cy, cx - gap, cy], [cx + gap, cy, cx + arm + gap, cy], [cx, cy - arm - gap, cx, cy - gap], [cx, cy + gap, cx, cy + arm + gap]], true);
    }
  }

  stroke(lines, exact = false) {
    const context = this.canvas.getContext("2d");
    const shift = exact ? 0 : 0.5; // to the middle of a pixel
    for (const [colour, width] of [["#000000", 3.5], ["#ffffff", 1.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * this.ratio;
      context.beginPath();
      for (const [x0, y0, x1, y1] of lines) {
        context.moveTo(...this.onScreen(x0 + shift, y0 + shift));
        context.lineTo(...this.onScreen(x1 + shift, y1 + shift));
      }
      context.stroke();
    }
  }

  // --- geometry: all in pixels of the canvas

  get ratio() {
    return window.devicePixelRatio || 1;
  }

  fitting() {
    return Math.min(this.canvas.width / this.shape[1], this.canvas.height / this.shape[0]);
  }

  scale() {
    return this.fitting() * this.closer;
  }

  onScreen(x, y) {
    const scale = this.scale();
    return [this.canvas.width / 2 + (x - this.centre[0]) * scale, this.canvas.height / 2 + (y - this.centre[1]) * scale];
  }

  inImage(x, y) {
    const scale = this.scale();
    return [this.centre[0] + (x - this.canvas.width / 2) / scale, this.centre[1] + (y - this.canvas.height / 2) / scale];
  }

  // What the server is to draw: null for all of it.
  region() {
    if (this.closer === 1) return null;
    const [left, top] = this.inImage(0, 0);
    const [right, bottom] = this.inImage(this.canvas.width, this.canvas.height);
    return [Math.max(0, Math.floor(left)), Math.max(0, Math.floor(top)), Math.min(this.shape[1], Math.ceil(right)), Math.min(this.shape[0], Math.ceil(bottom))];
  }

  size() {
    const region = this.region() || [0, 0, this.shape[1], this.shape[0]];
    const scale = this.scale();
    const sides = this.header ? [(region[2] - region[0]) * scale, (region[3] - region[1]) * scale] : [this.canvas.width, this.canvas.height];
    return sides.map((each) => Math.min(4096, Math.max(1, Math.round(each))));
  }

  resize() {
    const width = Math.max(1, Math.round(this.canvas.clientWidth * this.ratio));
    const height = Math.max(1, Math.round(this.canvas.clientHeight * this.ratio));
    if (this.canvas.width === width && this.canvas.height === height) return;
    Object.assign(this.canvas, { width, height });
    this.keepInside();
    this.draw();
    this.told.changed();
  }

  keepInside() {
    const [rows, columns] = this.shape;
    const most = Math.max(1, CLOSEST / this.fitting());
    this.closer = Math.min(most, Math.max(1, this.closer));
    const scale = this.scale();
    [columns, rows].forEach((length, axis) => {
      const half = [this.canvas.width, this.canvas.height][axis] / scale / 2;
      this.centre[axis] = 2 * half >= length ? length / 2 : Math.min(length - half, Math.max(half, this.centre[axis]));
    });
    this.canvas.classList.toggle("zoomed", this.closer > 1);
  }

  // --- changes

  zoom(factor, x = this.canvas.width / 2, y = this.canvas.height / 2) {
    const before = this.inImage(x, y);
    this.closer *= factor;
    if (this.closer < 1.02) this.closer = 1;
    this.keepInside();
    const after = this.inImage(x, y);
    this.pan(before[0] - after[0], before[1] - after[1]);
  }

  zoomAtCursor(factor) {
    const [x, y] = this.cursor ? this.onScreen(this.cursor[0] + 0.5, this.cursor[1] + 0.5) : [];
    this.zoom(factor, x, y);
  }

  pan(x, y) {
    this.centre = [this.centre[0] + x, this.centre[1] + y];
    this.keepInside();
    this.draw();
    this.told.changed();
  }

  whole() {
    this.closer = 1;
    this.keepInside();
    this.draw();
    this.told.changed();
  }

  // The nearest one of the image.
  pixel(x, y) {
    const [rows, columns] = this.shape;
    return [Math.min(columns - 1, Math.max(0, Math.floor(x))), Math.min(rows - 1, Math.max(0, Math.floor(y)))];
  }

  // byKey: then the part that is shown follows the cursor, and it's read aloud
  point(x, y, byKey = false) {
    this.cursor = this.pixel(x, y);
    if (byKey && this.closer > 1) {
      const scale = this.scale();
      [this.canvas.width, this.canvas.height].forEach((length, axis) => {
        const half = Math.max(0.5, length / scale / 2 - 2);
        const off = this.cursor[axis] + 0.5 - this.centre[axis];
        if (Math.abs(off) > half) this.centre[axis] += off - Math.sign(off) * half;
      });
      this.keepInside();
    }
    this.draw();
    this.told.changed(byKey);
  }

  setLine(end) {
    if (!this.cursor) this.point(this.centre[0], this.centre[1]);
    const line = this.line || [...this.cursor, ...this.cursor];
    this.line = end === "start" ? [...this.cursor, line[2], line[3]] : [line[0], line[1], ...this.cursor];
    this.draw();
    this.told.changed();
  }

  // --- mouse, fingers, keys

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, ...this.place(event));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.whole());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, this.place(event));
      this.drawing = event.shiftKey;
      if (this.drawing) {
        this.line = null;
        this.point(...this.inImage(...this.place(event)));
        this.setLine("start");
        this.told.key("line");
      } else if (event.pointerType !== "mouse" && this.header) {
        this.point(...this.inImage(...this.place(event))); // a finger doesn't hover
      }
    });
    canvas.addEventListener("pointermove", (event) => this.moved(event));
    for (const kind of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(kind, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener("keydown", (event) => this.pressed(event));
  }

  moved(event) {
    const now = this.place(event);
    const before = this.pointers.get(event.pointerId);
    const others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (before) this.pointers.set(event.pointerId, now);
    if (before && others.length === 1) { // two fingers
      const other = others[0][1];
      const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
      this.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (before && this.drawing) {
      this.point(...this.inImage(...now));
      this.setLine("end");
    } else if (before && this.closer > 1) {
      const scale = this.scale();
      this.pan((before[0] - now[0]) / scale, (before[1] - now[1]) / scale);
    } else if (this.header) {
      this.point(...this.inImage(...now));
    }
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    const key = event.key.toLowerCase();
    if (arrow && event.altKey) {
      const step = 0.1 * Math.min(this.canvas.width, this.canvas.height) / this.scale();
      this.pan(arrow[0] * step, arrow[1] * step);
    } else if (arrow) {
      const [x, y] = this.cursor || this.centre.map(Math.floor);
      const step = event.shiftKey ? 10 : 1;
      this.point(x + step * arrow[0], y + step * arrow[1], true);
    } else if (event.altKey) return;
    else if (key === "+" || key === "=") this.zoomAtCursor(STEP);
    else if (key === "-" || key === "−") this.zoomAtCursor(1 / STEP);
    else if (key === "0") this.whole();
    else if (key === "s" || key === "e") {
      this.setLine(key === "s" ? "start" : "end");
      this.told.key("line");
    } else if (["f", "r", "c", "n"].includes(key)) {
      this.told.key({ f: "freeze", r: "row", c: "column", n: "none" }[key]);
    } else return;
    event.preventDefault();
  }
}
