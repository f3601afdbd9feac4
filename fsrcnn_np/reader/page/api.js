// What page and server say to each other (docs/reader.md); no other file knows an address.

/** An answer that is no success: `why` for the reader, and the status. */
export class Refusal extends Error {
  constructor(why, status, pause) {
    super(why);
    Object.assign(this, { status, pause });
  }
}

let outbox; // whose page this is: another reader's link may be opened in the same browser

async function ask(address, options = {}) {
  let response;
  const headers = { ...options.headers, ...(outbox && { "Reader-Outbox": outbox }) };
  try {
    response = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(15000), ...options, headers });
  } catch {
    throw new Refusal(navigator.onLine ? "no answer from the server" : "offline", 0);
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return { ...body, status: response.status };
  throw new Refusal(body.why ?? `the server answers ${response.status}`, response.status, Number(response.headers.get("Retry-After")));
}

/** Title, question, criteria, the cases in this reader's order, who the reader is. */
export async function session() {
  const answer = await ask("api/session");
  outbox = answer.outbox;
  return answer;
}

/** A case: its images and what was answered. Waits while its tiles are made; `waits(done)` hears how far they are. */
export async function openCase(number, waits = () => {}) {
  for (;;) {
    const answer = await ask(`api/cases/${number}`);
    if (answer.status !== 202) return { ...answer, images: answer.images.map(withAddress) };
    waits(answer.done);
    await new Promise((resolve) => setTimeout(resolve, 1000 * answer.retry));
  }
}

function withAddress(image) {
  return { ...image, url: (level, column, row) => `tiles/${image.key}/${level}/${row}/${column}` };
}

/** Sends events: {saved: [id], refused: [{id, why}]}. Throws a Refusal where nothing is known to be saved. */
export function post(events) {
  return ask("api/events", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ events }) });
}

/** A UUID without hyphens, as the server says it again; randomUUID is missing where a page came over plain HTTP from another machine. */
export function uuid() {
  const hex = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return crypto.randomUUID?.().replaceAll("-", "") ?? hex();
}
