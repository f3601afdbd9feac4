// Where the view is: one view in millimetres for both images, whatever their matrices. No state of its own, no pixels.

export const TILE = 512;

/** An image's extent in mm: {width, height}. */
export function extent(image) {
  return { width: image.columns * image.spacing[1], height: image.rows * image.spacing[0] };
}

/** The extent of the larger of all images, on each axis. */
export function common(images) {
  const all = images.map(extent);
  return { width: Math.max(...all.map((e) => e.width)), height: Math.max(...all.map((e) => e.height)) };
}

/** The view that shows the whole extent in a panel of width × height device pixels. */
export function fit(size, panel) {
  const mm = Math.max(size.width / panel.width, size.height / panel.height);
  return { x: size.width / 2, y: size.height / 2, mm };
}

/** Keeps the centre over the image and the magnification between a quarter of "fit" and 32 device pixels a pixel. */
export function limited(view, size, panel, finest) {
  const mm = Math.min(Math.max(view.mm, finest / 32), 4 * fit(size, panel).mm);
  return { x: Math.min(Math.max(view.x, 0), size.width), y: Math.min(Math.max(view.y, 0), size.height), mm };
}

/** Zooms by a factor while the point under (px, py), device pixels in the panel, stays. */
export function zoomed(view, factor, px, py, panel) {
  const at = toMm(view, px, py, panel);
  const mm = view.mm / factor;
  return { x: at.x - (px - panel.width / 2) * mm, y: at.y - (py - panel.height / 2) * mm, mm };
}

export function toMm(view, px, py, panel) {
  return { x: view.x + (px - panel.width / 2) * view.mm, y: view.y + (py - panel.height / 2) * view.mm };
}

export function toPixels(view, x, y, panel) {
  return { x: (x - view.x) / view.mm + panel.width / 2, y: (y - view.y) / view.mm + panel.height / 2 };
}

/** Rows and columns of each level of the pyramid: halved, rounded up, until one tile holds the whole. */
export function levels(image) {
  const sizes = [[image.rows, image.columns]];
  while (Math.max(...sizes.at(-1)) > TILE) sizes.push(sizes.at(-1).map((n) => Math.ceil(n / 2)));
  return sizes;
}

/** What the shader samples: the level whose pixels are just finer than the screen's, and where, in its pixels. */
export function sampling(view, image, panel, coarsest) {
  const stepX = view.mm / image.spacing[1], stepY = view.mm / image.spacing[0];
  const level = Math.min(Math.max(Math.floor(Math.log2(Math.max(stepX, stepY)) + 1e-6), 0), coarsest);
  const shrink = 2 ** -level;
  let x = (view.x / image.spacing[1] - (stepX * panel.width) / 2) * shrink;
  let y = (view.y / image.spacing[0] - (stepY * panel.height) / 2) * shrink;
  const step = [stepX * shrink, stepY * shrink];
  // pixel on pixel: no half-way position that blurs
  if (Math.abs(step[0] - 1) < 1e-9 && Math.abs(step[1] - 1) < 1e-9) [x, y] = [Math.round(x), Math.round(y)];
  return { level, x, y, step };
}

/** The tiles that the panel shows of one level, [column, row], from the middle outwards. */
export function tilesSeen(at, size, panel) {
  const columns = Math.ceil(size[1] / TILE), rows = Math.ceil(size[0] / TILE);
  const first = (start) => Math.floor((start - 1) / TILE);
  const last = (start, step, length) => Math.floor((start + step * length + 1) / TILE);
  const found = [];
  const bottom = Math.min(last(at.y, at.step[1], panel.height), rows - 1);
  const right = Math.min(last(at.x, at.step[0], panel.width), columns - 1);
  for (let row = Math.max(first(at.y), 0); row <= bottom; row++) {
    for (let column = Math.max(first(at.x), 0); column <= right; column++) found.push([column, row]);
  }
  const middle = [(at.x + (at.step[0] * panel.width) / 2) / TILE - 0.5, (at.y + (at.step[1] * panel.height) / 2) / TILE - 0.5];
  const far = ([column, row]) => (column - middle[0]) ** 2 + (row - middle[1]) ** 2;
  return found.sort((a, b) => far(a) - far(b));
}

/** A length of 1, 2 or 5 times a power of ten that is at most `limit`. */
export function roundLength(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  return [5, 2, 1].find((n) => n * power <= limit) * power;
}
