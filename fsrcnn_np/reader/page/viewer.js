// What is shown and how: both images under one view, one window, one polarity, beside each other or in one place.

import { common, extent, fit, limited, toMm, toPixels, zoomed } from "./geometry.js";
import { adjusted, windowOf } from "./greys.js";
import { Overlay } from "./overlay.js";
import { Screen } from "./screen.js";

const GAP = 2; // device pixels between the panels
export const LENS = 4; // the magnifier's own magnification

export class Viewer {
  /** `marked({side, x, y})`: the reader marked a place; `changed()`: something to be said in words; `failed(why)`. */
  constructor(stage, { marked, changed, failed }) {
    this.stage = stage;
    this.marked = marked;
    this.changed = changed;
    this.canvas = stage.querySelector("#pixels");
    this.screen = new Screen(this.canvas, () => this.arrived(), failed);
    this.overlay = new Overlay(stage.querySelector("#overlay"), this);
    this.patience = 0;
    this.images = [];
    this.later = [];
    this.marks = [];
    this.flicker = false;
    this.phase = 0;
    this.tool = "pan";
    this.scale = 1;
    this.window = { shift: 0, gain: 1 };
    this.chosen = 0;
    this.inverted = false;
    this.lens = false;
    const observer = new ResizeObserver(([entry]) => this.resize(entry));
    try {
      observer.observe(stage, { box: "device-pixel-content-box" });
    } catch {
      observer.observe(stage); // Safari
    }
  }

  /** Shows a case: two images, {key, rows, columns, spacing, unit, signed, inverted, slope, intercept, presets, url()}. */
  show(images) {
    this.images = images;
    this.later = [];
    this.screen.only(images);
    Object.assign(this, { phase: 0, inverted: false, cursor: null, line: null, shown: false });
    this.preset(0);
    this.fit();
  }

  /** Nothing to be seen. */
  clear() {
    Object.assign(this, { images: [], later: [], marks: [], cursor: null, line: null });
    this.screen.draw([]);
    this.overlay.clear();
  }

  /** The next case's images, fetched while nothing else is. */
  prepare(images) {
    this.later = images;
    this.again();
  }

  resize(entry) {
    const [across, down] = [entry.contentRect.width, entry.contentRect.height].map((n) => n * devicePixelRatio);
    const device = entry.devicePixelContentBoxSize?.[0]; // exact, except where developer tools play another display
    const exact = device && Math.abs(device.inlineSize - across) < 2 && Math.abs(device.blockSize - down) < 2;
    const width = exact ? device.inlineSize : Math.round(across);
    const height = exact ? device.blockSize : Math.round(down);
    if (!width || !height) return;
    for (const canvas of [this.canvas, this.overlay.canvas]) Object.assign(canvas, { width, height });
    this.ratio = width / entry.contentRect.width; // device pixels for a CSS pixel
    this.scale = (this.ratio * parseFloat(getComputedStyle(this.stage).fontSize)) / 14; // of what is drawn over the images
    if (this.fitted) this.fit();
    else this.again();
    this.stale = true;
    this.draw(); // in the same frame, else the canvas flashes
  }

  /** The rectangles of the panels, device pixels of the canvas. */
  get panels() {
    const { width, height } = this.canvas;
    if (this.flicker) return [{ left: 0, top: 0, width, height }];
    const half = Math.floor((width - GAP) / 2);
    return [0, half + GAP].map((left) => ({ left, top: 0, width: half, height }));
  }

  get panel() {
    return this.panels[0];
  }

  get size() {
    return common(this.images);
  }

  /** Millimetres of the coarser image's pixel: 100 % is one such pixel on one of the screen. */
  get unit() {
    return Math.max(...this.images.map((image) => image.spacing[1]));
  }

  get percent() {
    return (100 * this.unit) / this.view.mm;
  }

  windows() {
    return this.images.map((image) => adjusted(windowOf(image.presets[this.chosen % image.presets.length]), this.window));
  }

  // What the reader can do. Each ends with a new frame.

  look(view) {
    if (!this.images.length) return;
    this.view = limited(view, this.size, this.panel, Math.min(...this.images.map((image) => image.spacing[1])));
    this.fitted = false;
    this.patience = 0;
    this.again();
  }

  fit() {
    if (!this.images.length || !this.canvas.width) return;
    this.look(fit(this.size, this.panel));
    this.fitted = true;
  }

  /** Percent of the coarser image, with the cursor's place (or the middle) kept. */
  zoomTo(percent) {
    this.zoom(percent / this.percent);
  }

  zoom(factor, at = this.cursorPixels() ?? { x: this.panel.width / 2, y: this.panel.height / 2 }) {
    if (!this.images.length) return;
    this.look(zoomed(this.view, factor, at.x, at.y, this.panel));
  }

  pan(dx, dy) {
    if (!this.images.length) return;
    this.look({ ...this.view, x: this.view.x - dx * this.view.mm, y: this.view.y - dy * this.view.mm });
  }

  /** Moves the window by shares of its width: level up or down, width times a factor. */
  level(shift, factor = 1) {
    this.window = {
      shift: Math.min(Math.max(this.window.shift + shift * this.window.gain, -20), 20),
      gain: Math.min(Math.max(this.window.gain * factor, 1 / 4096), 64),
    };
    this.again();
  }

  preset(number) {
    if (!this.images.length) return;
    const count = Math.max(...this.images.map((image) => image.presets.length));
    this.chosen = ((number % count) + count) % count;
    this.window = { shift: 0, gain: 1 };
    this.again();
  }

  set(what) {
    Object.assign(this, what);
    this.again();
  }

  arrange(flicker) {
    this.flicker = flicker;
    if (this.fitted) this.fit();
    else this.look(this.view);
  }

  /** The linked cursor, in mm, and the panel it is in; null: nowhere. */
  point(cursor) {
    this.cursor = cursor;
    if (this.lens) this.again();
    else this.ink();
  }

  cursorPixels() {
    if (!this.cursor) return null;
    return toPixels(this.view, this.cursor.x, this.cursor.y, this.panel);
  }

  /** Where on the images a place of the canvas is, or null between the panels. */
  locate(px, py) {
    if (!this.images.length) return null;
    const side = this.panels.findIndex((p) => px >= p.left && px < p.left + p.width && py >= 0 && py < p.height);
    if (side < 0) return null;
    const inside = { x: px - this.panels[side].left, y: py };
    return { side: this.flicker ? this.phase : side, inside, ...toMm(this.view, inside.x, inside.y, this.panel) };
  }

  /** The tool at the cursor: a mark, or an end of the measured line. */
  use() {
    const at = this.cursor;
    if (!at) return;
    const size = extent(this.images[at.side]);
    if (this.tool === "mark" && at.x >= 0 && at.y >= 0 && at.x <= size.width && at.y <= size.height) this.marked(at);
    if (this.tool === "measure") this.line = this.line?.open ? { ...this.line, to: at, open: false } : { from: at, to: at, open: true };
    this.ink();
  }

  // Frames

  /** Asks for a new frame. */
  again() {
    this.stale = true;
    this.stage.dataset.complete = "no";
    this.ink();
  }

  /** Tiles have come: a frame at once where they are the last, else after a while, for slow graphics ever longer. */
  arrived() {
    if (this.screen.tiles.complete) {
      this.again();
      return;
    }
    this.coming ??= setTimeout(() => {
      this.coming = undefined;
      this.patience = Math.min(2 * this.patience + 30, 2000);
      this.again();
    }, this.patience);
  }

  /** Asks for a frame with the same pixels, and what is drawn over them anew. */
  ink() {
    this.pending ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.pending);
    this.pending = undefined;
    if (!this.images.length || !this.canvas.width) return;
    if (!this.view) this.fit();
    const start = performance.now();
    const { stale } = this;
    this.stale = false;
    if (stale) this.screen.draw(this.scenes(), this.shown ? this.ahead() : []);
    this.overlay.draw();
    performance.measure("frame", { start, end: performance.now() });
    if (performance.getEntriesByName("frame").length > 600) performance.clearMeasures("frame");
    if (stale) this.settle();
    this.changed();
  }

  scenes() {
    const windows = this.windows();
    const one = (n, panel, view = this.view) => ({ image: this.images[n], view, panel, window: windows[n], inverted: this.inverted });
    const which = (n) => (this.flicker ? this.phase : n);
    const scenes = this.panels.map((panel, n) => one(which(n), panel));
    for (const [n, frame] of this.lensFrames().entries()) {
      scenes.push(one(which(n), frame, { x: this.cursor.x, y: this.cursor.y, mm: this.view.mm / LENS }));
    }
    return scenes;
  }

  /** Where the magnifier is in each panel. */
  lensFrames() {
    const at = this.lens && this.cursorPixels();
    if (!at) return [];
    const side = Math.round(Math.min(this.panel.width, this.panel.height) * 0.36);
    return this.panels.flatMap((panel) => {
      const left = Math.round(at.x - side / 2), top = Math.round(at.y - side / 2);
      const [x, y] = [Math.max(left, 0), Math.max(top, 0)];
      // clipped at the panel's edge on every side alike, so that its middle stays under the cursor
      const cut = Math.max(x - left, y - top, left + side - panel.width, top + side - panel.height, 0);
      const size = side - 2 * cut;
      return size > 16 ? [{ left: panel.left + left + cut, top: panel.top + top + cut, width: size, height: size }] : [];
    });
  }

  /** What comes next: the other phase of the flicker, and the next case as it will open. */
  ahead() {
    const next = this.later.map((image) => ({ image, panel: this.panel, view: fit(common(this.later), this.panel) }));
    if (!this.flicker) return next;
    return [{ image: this.images[1 - this.phase], panel: this.panel, view: this.view }, ...next];
  }

  /** Notes when all that the view shows has come. */
  settle() {
    this.complete = this.screen.tiles.complete;
    this.stage.dataset.complete = this.complete ? "yes" : "no";
    if (this.shown || !this.complete) return;
    this.shown = true;
    performance.mark("shown");
    this.stage.dataset.shown = "yes";
    this.again(); // and now what comes next
  }
}
