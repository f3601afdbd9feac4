// A worker: fetches a tile and makes 16-bit numbers of it.

/** The values of a tile: gzip, then the low bytes' plane and the high bytes', each row as differences from its left. */
export async function decode(response, width, height) {
  const plain = response.body.pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(plain).arrayBuffer());
  const count = width * height;
  if (bytes.length !== 2 * count) throw new Error(`a tile has ${bytes.length} bytes, not ${2 * count}`);
  const values = new Uint16Array(count);
  for (let row = 0, n = 0; row < height; row++) {
    for (let end = n + width, sum = 0; n < end; n++) {
      sum = (sum + bytes[n] + (bytes[count + n] << 8)) & 0xffff;
      values[n] = sum;
    }
  }
  return values;
}

self.onmessage = async ({ data: { id, url, width, height } }) => {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    const values = await decode(response, width, height);
    self.postMessage({ id, values }, [values.buffer]);
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
