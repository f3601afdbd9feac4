// The two shaders: 16-bit tiles → bilinear → window → grey. Everything before the grey is float32, exact to 24 bits.

export const LEVELS = 12;

export const VERTEX = `#version 300 es
void main() { // one triangle that covers the viewport
  gl_Position = vec4(float((gl_VertexID & 1) << 2) - 1.0, float((gl_VertexID & 2) << 1) - 1.0, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
precision highp usampler2DArray;

uniform usampler2DArray tiles; // 512², a layer each
uniform usampler2D table;      // layer + 1 of each tile, the levels one below the other; 0: not here yet
uniform sampler2D lookup;      // VOI LUT, 0 to 1, rows of 1024
uniform sampler2D curve;       // P-value → driving level
uniform ivec2 size[${LEVELS}]; // columns and rows of each level
uniform int tableRow[${LEVELS}];
uniform int level, levels;
uniform ivec2 base;            // position of the viewport's upper left corner in pixels of the level: whole part …
uniform vec2 rest, stride;     // … and the rest; pixels of the level for each device pixel
uniform vec2 corner;           // the viewport's upper left corner as gl_FragCoord has it
uniform bool isSigned, inverted, calibrated;
uniform float slope, intercept, centre, width;
uniform int kind, lookupCount;
out vec4 colour;

const float ABSENT = -1e9;

float stored(int l, ivec2 p) {
  p = clamp(p, ivec2(0), size[l] - 1);
  uint layer = texelFetch(table, ivec2(p.x >> 9, tableRow[l] + (p.y >> 9)), 0).r;
  if (layer == 0u) return ABSENT;
  int value = int(texelFetch(tiles, ivec3(p & 511, int(layer) - 1), 0).r);
  return float(isSigned && value > 32767 ? value - 65536 : value);
}

float bilinear(int l, ivec2 whole, vec2 part) {
  part -= 0.5; // pixel n has its centre at n + 1/2
  ivec2 step = ivec2(floor(part));
  ivec2 p = whole + step;
  vec2 w = part - vec2(step);
  float a = stored(l, p), b = stored(l, p + ivec2(1, 0)), c = stored(l, p + ivec2(0, 1)), d = stored(l, p + 1);
  if (min(min(a, b), min(c, d)) == ABSENT) return ABSENT;
  return mix(mix(a, b, w.x), mix(c, d, w.x), w.y);
}

float grey(float x) { // PS3.3 C.11.2.1.2 and C.11.2.1.3
  if (kind == 0) return width <= 1.0 ? step(centre - 0.5, x) : clamp((x - (centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0);
  if (kind == 1) return clamp((x - centre) / width + 0.5, 0.0, 1.0);
  if (kind == 2) return 1.0 / (1.0 + exp(-4.0 * (x - centre) / width));
  float at = clamp((x - centre) / width * float(lookupCount) + 0.5 * float(lookupCount - 1), 0.0, float(lookupCount - 1));
  int n = int(floor(at)), next = min(n + 1, lookupCount - 1);
  return mix(texelFetch(lookup, ivec2(n & 1023, n >> 10), 0).r, texelFetch(lookup, ivec2(next & 1023, next >> 10), 0).r, at - float(n));
}

void main() {
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  vec2 device = vec2(gl_FragCoord.x - corner.x, corner.y - gl_FragCoord.y);
  vec2 part = rest + stride * device;
  vec2 place = vec2(base) + part;
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, vec2(size[level])))) return;
  float value = bilinear(level, base, part);
  for (int l = level + 1; l < levels && value == ABSENT; l++) // until the tile is here, a coarser one
    value = bilinear(l, ivec2(0), place * exp2(float(level - l)));
  if (value == ABSENT) return;
  float y = grey(value * slope + intercept);
  if (inverted) y = 1.0 - y;
  if (calibrated) {
    float at = y * float(textureSize(curve, 0).x - 1);
    int n = int(floor(at)), next = min(n + 1, textureSize(curve, 0).x - 1);
    y = mix(texelFetch(curve, ivec2(n, 0), 0).r, texelFetch(curve, ivec2(next, 0), 0).r, at - float(n));
  }
  colour = vec4(vec3(y), 1.0);
}`;
