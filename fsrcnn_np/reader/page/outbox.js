// Never lost: what the reader did lies in IndexedDB before anything is sent, and is deleted only after the server's 200.

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

export class Outbox {
  /**
   * `name`: one for each study and reader, shared by all tabs. `post(events)` → {saved: [id], refused: [{id, why}]}; it
   * throws, with the reason, where nothing is known to be saved. `changed(outbox)` is called whenever something changes, in any tab;
   * `heard(event)` when another tab put one in.
   */
  constructor(name, post, changed, heard) {
    this.name = name;
    this.post = post;
    this.changed = changed;
    this.events = []; // all that is not saved, oldest first
    this.early = []; // of these, what is not yet on the disk of this machine
    this.trouble = ""; // what keeps the rest from being saved
    this.pause = 500;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data: event }) => {
      if (event) heard(event);
      this.look();
    };
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.say("offline"));
    document.addEventListener("visibilitychange", () => this.hurry());
  }

  async open() {
    const request = indexedDB.open(this.name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("events", { keyPath: "order", autoIncrement: true });
    this.db = await promised(request);
    await navigator.storage?.persist?.().catch(() => false);
    await this.look();
    this.hurry();
  }

  /** Keeps an event; resolves when it is on the disk of this machine. */
  async put(event) {
    this.early.push(event);
    this.events.push(event);
    this.changed(this);
    try {
      await this.write((store) => store.add(event));
    } catch (error) {
      this.say(`this browser cannot keep ratings (${error?.name}): do not close the page, free space on this machine`);
      throw error;
    }
    await this.look();
    this.early.splice(this.early.indexOf(event), 1);
    this.changed(this);
    this.channel.postMessage(event);
    this.hurry();
  }

  /** Changes the store; resolves when it is on the disk. */
  write(change) {
    const work = this.db.transaction("events", "readwrite", { durability: "strict" });
    change(work.objectStore("events"));
    return new Promise((resolve, reject) => {
      work.oncomplete = resolve;
      work.onabort = () => reject(work.error);
    });
  }

  async look() {
    const kept = await promised(this.db.transaction("events").objectStore("events").getAll());
    this.events = [...kept, ...this.early.filter((event) => !kept.some(({ id }) => id === event.id))];
    this.changed(this);
  }

  say(trouble) {
    if (trouble === this.trouble) return;
    this.trouble = trouble;
    this.changed(this);
  }

  hurry() {
    this.pause = 500;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), 0);
  }

  /** Sends what waits, oldest first; one tab at a time, so that the order holds. */
  async send() {
    if (this.sending) {
      this.again = true;
      return;
    }
    this.sending = true;
    this.again = false;
    try {
      if (navigator.locks) await navigator.locks.request(this.name, () => this.sendAll());
      else await this.sendAll(); // plain HTTP from another machine: ids still make every event count once
    } catch (error) {
      this.say(error.message);
      this.pause = Math.max(this.pause, 1000 * (error.pause || 0));
    }
    this.sending = false;
    if (this.again) this.hurry();
    else if (this.events.some((event) => !event.refused)) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.send(), this.pause);
      this.pause = Math.min(2 * this.pause, 5000);
    }
  }

  async sendAll() {
    for (;;) {
      await this.look();
      const batch = this.events.filter((event) => event.order && !event.refused).slice(0, 50);
      if (!batch.length) return this.say("");
      await this.settle(batch, await this.post(batch.map(({ order, ...event }) => event)));
      this.say("");
    }
  }

  /** Deletes what is saved; what the server refused stays, with its reason, for the reader to see. */
  async settle(batch, { saved, refused }) {
    await this.write((store) => {
      for (const event of batch) {
        const no = refused.find(({ id }) => id === event.id);
        if (saved.includes(event.id)) store.delete(event.order);
        else if (no) store.put({ ...event, refused: no.why });
        else throw new Error(`the server's answer leaves out ${event.id}`);
      }
    });
    await this.look();
    this.channel.postMessage(null);
  }

  /** Throws away what was refused, after the reader read why. */
  async drop() {
    await this.write((store) => this.events.filter((event) => event.refused).forEach((event) => store.delete(event.order)));
    await this.look();
    this.channel.postMessage(null);
  }
}
