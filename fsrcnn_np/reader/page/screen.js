// Draws images into rectangles of one canvas: WebGL2, integer textures, nothing of the values lost before the grey.

import { sampling, tilesSeen } from "./geometry.js";
import { KINDS } from "./greys.js";
import { FRAGMENT, LEVELS, VERTEX } from "./shaders.js";
import { Tiles } from "./tiles.js";

export class Screen {
  /** Throws an Error with one clear line where the browser has no WebGL2. `again()` tells the owner that there is more to draw. */
  constructor(canvas, again, failed) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { alpha: false, antialias: false, depth: false, powerPreference: "high-performance" });
    if (!this.gl) {
      throw new Error(
        "This browser does not offer WebGL2, which shows the images in full depth: use a current Firefox, Chrome, Edge " +
          "or Safari with hardware acceleration on.",
      );
    }
    this.tiles = new Tiles(again, failed);
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => {
      this.start();
      again();
    });
    this.start();
  }

  start() {
    const { gl } = this;
    this.tiles.attach(gl);
    this.lookups = new Map();
    this.curve = this.row(new Float32Array([0, 1]), null);
    this.calibrated = null;
    this.calibrate(this.levels ?? null);
    this.program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(this.program, shader);
    }
    gl.linkProgram(this.program);
    gl.bindVertexArray(gl.createVertexArray());
    this.at = new Map();
  }

  /** Where a uniform is. */
  u(name) {
    if (!this.at.has(name)) this.at.set(name, this.gl.getUniformLocation(this.program, name));
    return this.at.get(name);
  }

  /** Float values as a texture with rows of 1024 (or one row). */
  row(values, width = 1024) {
    const { gl } = this;
    const columns = width ?? values.length;
    const rows = Math.ceil(values.length / columns);
    const padded = new Float32Array(columns * rows);
    padded.set(values);
    const texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, columns, rows, 0, gl.RED, gl.FLOAT, padded);
    for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, filter, gl.NEAREST);
    return texture;
  }

  lookup(table) {
    if (!table) return this.curve;
    if (!this.lookups.has(table)) {
      const { values, maximum } = table;
      this.lookups.set(table, this.row(Float32Array.from(values, (v) => v / maximum)));
    }
    return this.lookups.get(table);
  }

  /** The driving levels of a display that is not calibrated itself, or null where it is. */
  calibrate(levels) {
    this.levels = levels;
    this.gl.deleteTexture(this.calibrated);
    this.calibrated = levels && this.row(levels, null);
  }

  /** Forgets what belongs to no image of these. */
  only(images) {
    this.tiles.only(images);
    this.lookups.forEach((texture) => this.gl.deleteTexture(texture));
    this.lookups.clear();
  }

  /** A frame of `scenes`: {image, view, panel: {left, top, width, height}, window, inverted}, one over the other. */
  draw(scenes, later = []) {
    const { gl, canvas } = this;
    if (gl.isContextLost()) return;
    gl.disable(gl.SCISSOR_TEST);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    const placed = scenes.map((scene) => ({ ...scene, ...this.place(scene) }));
    this.tiles.need([...placed.map((scene) => scene.whole), ...placed.flatMap((scene) => scene.seen)], this.wanted(later));
    gl.enable(gl.SCISSOR_TEST);
    placed.forEach((scene) => this.drawOne(scene));
  }

  /** Where a scene samples, and the tiles that it shows. */
  place({ image, view, panel }) {
    const { sizes } = this.tiles.table(image);
    const sample = sampling(view, image, panel, sizes.length - 1);
    const seen = tilesSeen(sample, sizes[sample.level], panel);
    const tile = ([column, row]) => ({ image, level: sample.level, column, row });
    return { sample, whole: { image, level: sizes.length - 1, column: 0, row: 0 }, seen: seen.map(tile) };
  }

  /** The tiles of scenes that come next, to have them at hand. */
  wanted(scenes) {
    return scenes.map((scene) => this.place(scene)).flatMap(({ whole, seen }) => [whole, ...seen]);
  }

  drawOne({ image, panel, window, inverted, sample }) {
    const { gl, canvas } = this;
    const { texture, sizes, firstRow } = this.tiles.table(image);
    const top = canvas.height - panel.top;
    gl.viewport(panel.left, top - panel.height, panel.width, panel.height);
    gl.scissor(panel.left, top - panel.height, panel.width, panel.height);
    const textures = [[gl.TEXTURE_2D_ARRAY, this.tiles.texture, "tiles"], [gl.TEXTURE_2D, texture, "table"]];
    textures.push([gl.TEXTURE_2D, this.lookup(window.table), "lookup"], [gl.TEXTURE_2D, this.calibrated ?? this.curve, "curve"]);
    textures.forEach(([target, what, name], unit) => {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(target, what);
      gl.uniform1i(this.u(name), unit);
    });
    gl.activeTexture(gl.TEXTURE7); // what is bound elsewhere, for uploads, disturbs none of these
    const padded = Array.from({ length: LEVELS }, (_, n) => n);
    gl.uniform2iv(this.u("size"), padded.flatMap((n) => [sizes[n]?.[1] ?? 1, sizes[n]?.[0] ?? 1]));
    gl.uniform1iv(this.u("tableRow"), padded.map((n) => firstRow[n] ?? 0));
    gl.uniform1i(this.u("level"), sample.level);
    gl.uniform1i(this.u("levels"), sizes.length);
    const [x, y] = [Math.floor(sample.x), Math.floor(sample.y)];
    gl.uniform2i(this.u("base"), x, y);
    gl.uniform2f(this.u("rest"), sample.x - x, sample.y - y);
    gl.uniform2f(this.u("stride"), ...sample.step);
    gl.uniform2f(this.u("corner"), panel.left, top);
    gl.uniform1i(this.u("isSigned"), image.signed);
    gl.uniform1i(this.u("inverted"), inverted !== image.inverted);
    gl.uniform1i(this.u("calibrated"), this.calibrated !== null);
    gl.uniform1f(this.u("slope"), image.slope);
    gl.uniform1f(this.u("intercept"), image.intercept);
    gl.uniform1f(this.u("centre"), window.centre);
    gl.uniform1f(this.u("width"), window.width);
    gl.uniform1i(this.u("kind"), KINDS.indexOf(window.kind));
    gl.uniform1i(this.u("lookupCount"), window.table?.values.length ?? 2);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
