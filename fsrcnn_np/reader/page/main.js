// The reading page: puts the parts together.

import * as api from "./api.js";
import { commands, listen } from "./commands.js";
import { Desk } from "./desk.js";
import { element } from "./element.js";
import { Form } from "./form.js";
import { standardCurve } from "./greys.js";
import { Outbox } from "./outbox.js";
import { follow } from "./pointer.js";
import { Toolbar } from "./toolbar.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);

function say(words) {
  $("message").textContent = words;
  $("message").hidden = !words;
}

async function start() {
  const session = await api.session();
  let failing;
  const viewer = new Viewer($("stage"), {
    marked: (at) => desk.marked(at),
    changed: () => {
      if (failing && viewer.complete) failing = say("");
      toolbar.refresh();
    },
    failed: (why) => say((failing = `A part of the image does not come (${why}). It is asked for again.`)),
  });
  const form = new Form($("form"), {
    rated: (criterion, value) => desk.rated(criterion, value),
    commented: (text) => desk.commented(text),
    chosen: explain,
    writing: () => saving(desk),
  });
  form.build(session.criteria);
  const desk = new Desk({ session, viewer, form, say, changed: () => show(desk) });
  desk.outbox = new Outbox(session.outbox, api.post, () => desk.refresh(), (event) => desk.apply(event));
  const toolbar = new Toolbar($("tools"), $("facts"), viewer, desk);
  Object.assign(desk, {
    step: (by) => form.choose(form.current + by),
    rate: (value) => form.rate(value),
    comment: () => form.note.focus(),
    help: () => $("help").showModal(),
    calibrate: () => $("display").showModal(),
  });

  const list = commands(viewer, desk);
  listen(viewer, list);
  follow(viewer);
  $("keys").replaceChildren(...help(list));
  display(viewer);
  $("previous").addEventListener("click", () => desk.turn(-1));
  $("next").addEventListener("click", () => desk.turn(1));
  $("drop").addEventListener("click", () => desk.outbox.drop().then(() => location.reload()));
  addEventListener("beforeunload", (event) => desk.outbox.early.length && event.preventDefault());
  setInterval(() => show(desk), 1000);
  setInterval(() => api.session().then((now) => desk.renew(now), () => {}), 1000 * session.refresh);

  $("title").textContent = document.title = session.study;
  $("reader").textContent = session.reader;
  $("question").textContent = session.question;
  await desk.outbox.open();
  const unread = session.cases.findIndex((one) => !one.why && one.rated < session.criteria.length);
  await desk.open(Math.max(unread, 0));
}

/** The current criterion: what it means, and what its values do. */
function explain({ definition, values }) {
  const scale = values.filter(({ value }) => value);
  const ends = new Set([scale[0], scale[(scale.length - 1) / 2], scale.at(-1)]);
  ends.delete(undefined);
  $("definition").textContent = definition ?? "";
  $("anchors").replaceChildren(...[...ends].map(({ value, text }) => element("li", {}, element("b", {}, String(value)), ` ${text}`)));
}

/** Everything in words: case, time, progress, what is saved. */
function show(desk) {
  const { cases, index, session } = desk;
  const whole = cases.filter((one) => desk.ratedOf(one) === session.criteria.length).length;
  $("where").textContent = `Case ${index + 1} of ${cases.length}`;
  $("previous").disabled = index === 0;
  $("next").disabled = index === cases.length - 1;
  $("progress").max = cases.length;
  $("progress").value = whole;
  $("done").textContent = `${whole} rated`;
  const seconds = Math.floor(desk.seconds);
  $("timer").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  $("notes").textContent = [session.note, ...(desk.notes ?? [])].filter(Boolean).join(" ");
  marks(desk);
  saving(desk);
}

function saving({ form, outbox: { events, early, trouble } }) {
  const refused = events.filter((event) => event.refused);
  const waiting = events.length - refused.length + Number(form.unsaid);
  const place = $("saving");
  let words = waiting ? `waiting ${waiting}` : "all saved";
  if (refused.length) words += `, ${refused.length} refused: ${refused[0].refused}`;
  if (trouble) words += ` (${trouble})`;
  $("drop").hidden = !refused.length;
  place.dataset.state = waiting || refused.length || trouble ? "waiting" : "saved";
  place.dataset.kept = early.length || form.unsaid ? "no" : "yes"; // on this machine's disk: the page may be closed
  if (place.textContent !== words) place.textContent = words;
}

function marks(desk) {
  const { viewer } = desk;
  const sides = viewer.flicker ? ["first", "second"] : ["left", "right"];
  const words = ({ number, side, state }) => `Mark ${number}, ${sides[side]}, ${state}`;
  const all = viewer.marks.map(words).join();
  if (all === $("marks").dataset.words) return;
  $("marks").dataset.words = all;
  $("marks").replaceChildren(
    ...viewer.marks.map((mark) => {
      const remove = element("button", { type: "button", ariaLabel: `Remove mark ${mark.number}` }, "×");
      remove.addEventListener("click", () => desk.unmark(mark.id));
      return element("li", {}, words(mark), remove);
    }),
  );
}

const KEPT = "fsrcnn-np display"; // other programs of this machine may have had this port, and kept something too

/** What the dialog was told before: three texts; null where it was not, or something else lies there. */
function restored() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT));
    return Array.isArray(kept) && kept.length === 3 ? kept : null;
  } catch {
    return null;
  }
}

/** The greys that the dialog asks for; kept in this browser, since they belong to the display. */
function display(viewer) {
  const fields = ["darkest", "brightest", "gamma"].map($);
  const kept = restored();
  const use = (on) => {
    const [darkest, brightest, gamma] = fields.map((field) => Number(field.value));
    viewer.screen.calibrate(on ? standardCurve({ darkest, brightest, gamma }) : null);
    viewer.again();
  };
  kept?.forEach((value, n) => (fields[n].value = value));
  use(kept !== null);
  $("display").addEventListener("close", ({ target: { returnValue } }) => {
    if (returnValue === "on") localStorage.setItem(KEPT, JSON.stringify(fields.map((field) => field.value)));
    if (returnValue === "off") localStorage.removeItem(KEPT);
    if (returnValue) use(returnValue === "on");
  });
}

function help(list) {
  const parts = [];
  for (const [keys, words] of list) {
    if (words === undefined) parts.push(element("h3", {}, keys), element("dl"));
    else parts.at(-1).append(element("dt", {}, ...keys.split(" ").flatMap((key) => [element("kbd", {}, key), " "])), element("dd", {}, words));
  }
  return parts;
}

start().catch((error) => say(error.message));
