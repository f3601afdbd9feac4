// The reader's desk: which case is open, what is answered on it, what of that is saved.

import { openCase, uuid } from "./api.js";

export class Desk {
  /** `session` as the server gives it; `changed()` after everything that shows, `say(words)` to the reader. */
  constructor({ session, viewer, form, changed, say }) {
    Object.assign(this, { session, viewer, form, changed, say });
    this.cases = session.cases;
    this.index = 0;
    this.known = new Map(); // case's number → its answers: the server's, and what was done here since
    this.opening = null; // the case last asked for; what was done since, here or in another tab, until its answers came
    this.spent = 0; // ms on this case with the page in sight
    this.since = null;
    document.addEventListener("visibilitychange", () => this.clock(!document.hidden));
  }

  get case() {
    return this.cases[this.index];
  }

  get answers() {
    return this.known.get(this.case.number);
  }

  /** Opens a case. Resolves when its images are asked for, not when they are drawn. */
  async open(index) {
    this.leave();
    this.index = index;
    this.viewer.stage.dataset.shown = "no";
    performance.mark("open");
    this.say("");
    const { number } = this.case;
    // the server's answers may be older than these events, and come when these are saved and no longer in the outbox
    const opening = (this.opening = { number, since: [...this.outbox.events] });
    this.viewer.clear();
    this.form.enable(false);
    this.changed();
    try {
      const waits = (done) => opening === this.opening && this.say(`The images are being prepared: ${Math.round(100 * done)} %`);
      this.enter(opening, await openCase(number, waits));
    } catch (error) {
      if (opening === this.opening) this.refuse(error);
    }
  }

  enter(opening, { images, notes, answers }) {
    if (opening !== this.opening) return; // the reader went on
    const { number, since } = opening;
    opening.since = null;
    this.known.set(number, answers);
    this.spent = 1000 * answers.seconds;
    this.said = this.spent;
    for (const event of since) this.apply(event);
    this.clock(!document.hidden);
    this.notes = notes;
    this.say("");
    this.form.enable(true);
    this.viewer.show(images);
    this.refresh();
    const next = this.cases[this.index + 1];
    if (next) openCase(next.number).then((coming) => number === this.case.number && this.viewer.prepare(coming.images), () => {});
  }

  refuse(error) {
    const again = error.status === 0 || error.status >= 429;
    this.say(`${error.message}. ${again ? "It is asked for again." : ""}`);
    const { number } = this.case;
    if (again) setTimeout(() => number === this.case.number && this.open(this.index), 1000 * (error.pause || 2));
  }

  /** Ends the case that is open: its comment kept, its time said. */
  leave() {
    this.form.clear();
    this.clock(false);
    if (this.answers && this.spent > this.said + 1000) this.act({ kind: "seen" });
  }

  go(index) {
    if (index >= 0 && index < this.cases.length && index !== this.index) this.open(index);
  }

  turn(by) {
    this.go(this.index + by);
  }

  /** Starts or stops the time of this case. */
  clock(runs) {
    if (this.since !== null) this.spent += performance.now() - this.since;
    this.since = runs && this.answers ? performance.now() : null;
  }

  get seconds() {
    return (this.spent + (this.since === null ? 0 : performance.now() - this.since)) / 1000;
  }

  /** Does what the reader asks for: kept here, sent, and shown with its state. */
  act(what) {
    if (!this.answers) return;
    const seconds = Math.round(10 * this.seconds) / 10;
    const event = { id: uuid(), case: this.case.number, seconds, at: Date.now(), ...what };
    this.said = 1000 * seconds;
    this.apply(event);
    this.outbox.put(event).catch(console.error);
  }

  rated(criterion, value) {
    this.act({ kind: "rating", criterion, value });
  }

  commented(text) {
    this.act({ kind: "comment", text });
  }

  marked({ side, x, y }) {
    this.act({ kind: "mark", side, x, y, text: "" });
  }

  unmark(mark = this.answers?.marks.at(-1)?.id) {
    if (mark) this.act({ kind: "unmark", mark });
  }

  /** What an event, of this tab or another, changes in what is known of its case. */
  apply(event) {
    this.opening?.since?.push(event);
    const answers = this.known.get(event.case);
    if (!answers || event.refused) return;
    if (event.kind === "rating") answers.values[event.criterion] = event.value;
    if (event.kind === "comment") answers.comment = event.text;
    if (event.kind === "mark" && !answers.marks.some(({ id }) => id === event.id)) answers.marks.push(event);
    if (event.kind === "unmark") answers.marks = answers.marks.filter(({ id }) => id !== event.mark);
    if (event.case === this.case.number) this.refresh();
  }

  /** Shows what is known of the open case, and of each part whether it is saved. */
  refresh() {
    const { answers } = this;
    if (!answers) return this.changed();
    const states = {};
    for (const event of this.outbox.events) {
      if (event.case !== this.case.number) continue;
      const part = { rating: event.criterion, comment: "comment ", mark: event.id }[event.kind];
      states[part] = event.refused ? "refused" : "waiting";
    }
    this.form.show(answers.values, states, answers.comment);
    this.viewer.marks = answers.marks.map((mark, n) => ({ ...mark, number: n + 1, state: states[mark.id] ?? "saved" }));
    this.viewer.ink();
    return this.changed();
  }

  /** How many criteria of a case have a value, as far as is known here. */
  ratedOf({ number, rated }) {
    const answers = this.known.get(number);
    return answers ? this.session.criteria.filter(({ id }) => answers.values[id] !== undefined).length : rated;
  }

  /** What the server says of the cases now: some may have come, and another machine may have rated. */
  renew(session) {
    this.cases = session.cases;
    this.changed();
  }
}
