// From stored values to greys: DICOM's windows (PS3.3 C.11.2) and the standard display function (PS3.14).

export const KINDS = ["LINEAR", "LINEAR_EXACT", "SIGMOID", "TABLE"];

/** The window that a preset stands for, in the units after rescale: {kind, centre, width, table}. */
export function windowOf(preset) {
  if (!preset.table) return { kind: preset.function ?? "LINEAR", centre: preset.centre, width: preset.width };
  const count = preset.table.values.length;
  return { kind: "TABLE", centre: preset.table.first + (count - 1) / 2, width: count, table: preset.table };
}

/** Smallest width: LINEAR divides by width - 1, and PS3.3 allows 1; the others must only be positive. */
export function narrowest(kind) {
  return kind === "LINEAR" || kind === "TABLE" ? 1 : 1e-6;
}

/** A window moved by the reader: `shift` in widths of the preset, `gain` times its width. */
export function adjusted(window, { shift, gain }) {
  return { ...window, centre: window.centre + shift * window.width, width: Math.max(window.width * gain, narrowest(window.kind)) };
}

// PS3.14 section 7: luminance in cd/m² of the JND index j, 1 to 1023
const A = -1.3011877, B = -2.584019e-2, C = 8.0242636e-2, D = -1.0320229e-1, E = 1.3646699e-1;
const F = 2.8745620e-2, G = -2.5468404e-2, H = -3.1978977e-3, K = 1.2992634e-4, M = 1.3635334e-3;

export function luminance(j) {
  const x = Math.log(j);
  const above = A + C * x + E * x ** 2 + G * x ** 3 + M * x ** 4;
  return 10 ** (above / (1 + B * x + D * x ** 2 + F * x ** 3 + H * x ** 4 + K * x ** 5));
}

/** The JND index of a luminance, by bisection of the function above (PS3.14's own inverse is a fit to it). */
export function jnd(cdm2) {
  let low = 1, high = 1023;
  for (let n = 0; n < 50; n++) {
    const middle = (low + high) / 2;
    if (luminance(middle) < cdm2) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Driving level, 0 to 1, of each of `count` P-values on a display that is not calibrated itself: its luminance runs from
 * `darkest` to `brightest` cd/m² as (driving level) to the power of `gamma`.
 */
export function standardCurve({ darkest, brightest, gamma }, count = 1024) {
  const [from, to] = [jnd(darkest), jnd(brightest)];
  return Float32Array.from({ length: count }, (_, n) => {
    const share = (luminance(from + ((to - from) * n) / (count - 1)) - darkest) / (brightest - darkest);
    return Math.min(Math.max(share, 0), 1) ** (1 / gamma);
  });
}
