// The tiles on the graphics card: what is needed is asked for, what was not needed for longest makes room.

import { levels, TILE } from "./geometry.js";

const LAYERS = 256; // 512² × 2 bytes each: 128 MiB, whatever the images' size
const AT_ONCE = 6; // tiles on their way: the newest wishes come next

export class Tiles {
  /** `arrived()` is called when a tile can be drawn, `failed(message)` when one could not be had. */
  constructor(arrived, failed) {
    this.arrived = arrived;
    this.failed = failed;
    this.waiting = new Map(); // id → the tile that a worker fetches
    this.refused = new Map(); // key → when to try again
    this.wishes = [];
    this.number = 0;
    this.workers = Array.from({ length: 2 }, () => {
      const worker = new Worker(new URL("./decoder.js", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => this.take(data);
      return worker;
    });
  }

  /** Makes everything anew on a context: at the start, and after one was lost. */
  attach(gl) {
    this.gl = gl;
    this.held = new Map(); // key → {layer, image, …}, in the order of last use
    this.tables = new Map(); // image's key → its table of layers
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    for (this.layers = LAYERS; this.layers > 32; this.layers /= 2) {
      while (gl.getError());
      gl.texStorage3D(gl.TEXTURE_2D_ARRAY, 1, gl.R16UI, TILE, TILE, this.layers);
      if (gl.getError() === gl.NO_ERROR) break;
    }
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    this.free = Array.from({ length: this.layers }, (_, n) => n);
  }

  /** The table texture of an image, with the levels' sizes and first rows. */
  table(image) {
    if (!this.tables.has(image.key)) {
      const { gl } = this;
      const sizes = levels(image);
      const firstRow = [];
      let rows = 0;
      for (const [height] of sizes) {
        firstRow.push(rows);
        rows += Math.ceil(height / TILE);
      }
      const texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, texture);
      gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R16UI, Math.ceil(sizes[0][1] / TILE), rows);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      this.tables.set(image.key, { texture, sizes, firstRow });
    }
    return this.tables.get(image.key);
  }

  /**
   * Asks for tiles, [{image, level, column, row}], the most urgent first, and for what may be needed later. Replaces what
   * was asked for before.
   */
  need(now, later) {
    this.wishes = [];
    this.keep = new Set();
    const wanted = [...now, ...later].slice(0, this.layers);
    for (const [n, tile] of wanted.entries()) {
      const key = `${tile.image.key}/${tile.level}/${tile.column}/${tile.row}`;
      if (n === now.length) this.urgent = this.wishes.length;
      this.keep.add(key);
      const held = this.held.get(key);
      if (held) {
        this.held.delete(key);
        this.held.set(key, held);
      } else this.wishes.push({ ...tile, key });
    }
    if (wanted.length <= now.length) this.urgent = this.wishes.length;
    this.ask();
  }

  ask() {
    const coming = new Set([...this.waiting.values()].map((tile) => tile.key));
    for (const tile of this.wishes) {
      if (this.waiting.size >= AT_ONCE) break;
      if (coming.has(tile.key) || this.held.has(tile.key) || this.refused.get(tile.key) > performance.now()) continue;
      const id = this.number++;
      this.waiting.set(id, tile);
      const [height, width] = this.table(tile.image).sizes[tile.level];
      this.workers[id % this.workers.length].postMessage({
        id,
        url: new URL(tile.image.url(tile.level, tile.column, tile.row), location.href).href,
        width: Math.min(TILE, width - tile.column * TILE),
        height: Math.min(TILE, height - tile.row * TILE),
      });
    }
  }

  take({ id, values, error }) {
    const tile = this.waiting.get(id);
    this.waiting.delete(id);
    if (error) {
      this.refused.set(tile.key, performance.now() + 1000);
      setTimeout(() => this.arrived(), 1050); // the next frame asks again
      this.failed(error);
    } else if (!this.gl.isContextLost()) {
      this.refused.delete(tile.key);
      this.place(tile, values);
      this.arrived();
    }
    this.ask();
  }

  place(tile, values) {
    const { gl } = this;
    if (this.held.has(tile.key)) return;
    if (!this.free.length) {
      const [key, oldest] = [...this.held].find(([key]) => !this.keep.has(key)) ?? this.held.entries().next().value;
      this.held.delete(key);
      this.mark(oldest, 0);
      this.free.push(oldest.layer);
    }
    const layer = this.free.pop();
    const [height, width] = this.table(tile.image).sizes[tile.level];
    const [columns, rows] = [Math.min(TILE, width - tile.column * TILE), Math.min(TILE, height - tile.row * TILE)];
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.texSubImage3D(gl.TEXTURE_2D_ARRAY, 0, 0, 0, layer, columns, rows, 1, gl.RED_INTEGER, gl.UNSIGNED_SHORT, values);
    this.held.set(tile.key, { ...tile, layer });
    this.mark(tile, layer + 1);
  }

  mark({ image, level, column, row }, value) {
    const { gl } = this;
    const { texture, firstRow } = this.table(image);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texSubImage2D(
      gl.TEXTURE_2D, 0, column, firstRow[level] + row, 1, 1, gl.RED_INTEGER, gl.UNSIGNED_SHORT, new Uint16Array([value]),
    );
  }

  /** Whether all that the last need() asked for now is here. */
  get complete() {
    return this.wishes.slice(0, this.urgent).every((tile) => this.held.has(tile.key));
  }

  /** Forgets every image but these. */
  only(images) {
    const keys = images.map((image) => image.key);
    for (const [key, tile] of this.held) {
      if (keys.includes(tile.image.key)) continue;
      this.held.delete(key);
      this.free.push(tile.layer);
    }
    for (const [key, { texture }] of this.tables) {
      if (keys.includes(key)) continue;
      this.gl.deleteTexture(texture);
      this.tables.delete(key);
    }
  }
}
