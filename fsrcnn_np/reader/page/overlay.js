// What is drawn over the images: names of the sides, ruler, linked cursor, marks, the measured line, the magnifier's rim.

import { roundLength, toPixels } from "./geometry.js";

const INK = "#e8c66a", DARK = "rgba(0, 0, 0, 0.75)", QUIET = "#c9d3de";

export class Overlay {
  constructor(canvas, viewer) {
    this.canvas = canvas;
    this.viewer = viewer;
    this.pen = canvas.getContext("2d");
  }

  clear() {
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  draw() {
    const { pen, viewer } = this;
    this.clear();
    viewer.panels.forEach((panel, n) => {
      pen.save();
      pen.beginPath();
      pen.rect(panel.left, panel.top, panel.width, panel.height);
      pen.clip();
      pen.translate(panel.left, panel.top);
      this.panel(panel, viewer.flicker ? viewer.phase : n);
      pen.restore();
    });
    const rim = this.viewer.lensFrames();
    for (const { left, top, width, height } of rim) this.twice(() => pen.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1), QUIET);
  }

  panel(panel, side) {
    const { viewer } = this;
    const names = viewer.flicker ? ["First", "Second"] : ["Left", "Right"];
    this.text(names[side], 14, 12, "top");
    this.ruler(panel);
    for (const mark of viewer.marks) if (mark.side === side) this.mark(this.place(mark, panel), mark.number);
    if (viewer.line) this.line(viewer.line, panel);
    if (viewer.cursor && !viewer.lensFrames().length) this.cross(this.place(viewer.cursor, panel), viewer.cursor.side === side);
  }

  place({ x, y }, panel) {
    return toPixels(this.viewer.view, x, y, panel);
  }

  /** Every stroke first wide and dark, then thin and light: legible on white and on black. */
  twice(path, colour, width = 1) {
    const { pen } = this;
    const scale = Math.max(1, Math.round(this.viewer.scale));
    for (const [style, wide] of [[DARK, width + 2], [colour, width]]) {
      pen.strokeStyle = style;
      pen.lineWidth = wide * scale;
      pen.beginPath();
      path(pen);
      pen.stroke();
    }
  }

  text(words, x, y, baseline = "middle", colour = QUIET) {
    const { pen } = this;
    const { scale } = this.viewer;
    pen.font = `${13 * scale}px system-ui, sans-serif`;
    pen.textBaseline = baseline;
    pen.lineJoin = "round";
    pen.lineWidth = 3 * scale;
    pen.strokeStyle = DARK;
    pen.fillStyle = colour;
    pen.strokeText(words, x * scale, y * scale);
    pen.fillText(words, x * scale, y * scale);
  }

  ruler(panel) {
    const { viewer } = this;
    const { scale } = viewer;
    const length = roundLength(viewer.view.mm * Math.min(panel.width * 0.3, 240 * scale));
    const pixels = length / viewer.view.mm;
    const [x, y, tick] = [14 * scale, panel.height - 18 * scale, 5 * scale];
    this.twice((pen) => {
      pen.moveTo(x, y - tick);
      pen.lineTo(x, y);
      pen.lineTo(x + pixels, y);
      pen.lineTo(x + pixels, y - tick);
    }, QUIET);
    this.text(this.length(length), (x + pixels) / scale + 8, y / scale - 3);
  }

  length(value) {
    return `${Number(value.toPrecision(3))} ${this.viewer.images[0].unit}`;
  }

  cross({ x, y }, own) {
    const { scale } = this.viewer;
    const [inner, outer] = [6 * scale, 18 * scale];
    this.twice((pen) => {
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        pen.moveTo(x + dx * inner, y + dy * inner);
        pen.lineTo(x + dx * outer, y + dy * outer);
      }
    }, own ? QUIET : INK);
  }

  mark({ x, y }, number) {
    const { scale } = this.viewer;
    this.twice((pen) => pen.arc(x, y, 12 * scale, 0, 2 * Math.PI), INK, 1.5);
    this.text(String(number), x / scale + 17, y / scale - 12, "middle", INK);
  }

  line({ from, to }, panel) {
    const { scale } = this.viewer;
    const [a, b] = [this.place(from, panel), this.place(to, panel)];
    this.twice((pen) => {
      pen.moveTo(a.x, a.y);
      pen.lineTo(b.x, b.y);
    }, INK);
    const size = Math.hypot(to.x - from.x, to.y - from.y);
    if (size) this.text(this.length(size), b.x / scale + 10, b.y / scale, "middle", INK);
  }
}
