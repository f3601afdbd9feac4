// The rating form: one group of choices for each criterion, made of what the server says.

import { element } from "./element.js";

export class Form {
  /** `rated(criterion, value)` and `commented(text)` are told what the reader did, `chosen(criterion)` what is next, `writing()` each letter. */
  constructor(place, { rated, commented, chosen, writing }) {
    this.place = place;
    this.rated = rated;
    this.commented = commented;
    this.chosen = chosen;
    this.writing = writing;
    this.current = 0;
    this.kept = "";
  }

  /** Off while no case is shown. */
  enable(on) {
    for (const box of this.place.querySelectorAll("fieldset, textarea")) box.disabled = !on;
  }

  /** Builds the form for `criteria`: [{id, text, definition, values: [{value, text}]}]; value 0 is "not readable". */
  build(criteria) {
    this.criteria = criteria;
    this.groups = criteria.map((criterion, n) => this.group(criterion, n));
    this.note = element("textarea", { id: "comment", rows: 3, maxLength: 10000, placeholder: "Pseudo-lesions, imaging problems …" });
    this.note.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.keepComment(), 500);
      if (this.unsaid) tell(this.noteState, "waiting");
      this.writing();
    });
    for (const name of ["change", "blur"]) this.note.addEventListener(name, () => this.keepComment());
    addEventListener("pagehide", () => this.keepComment());
    this.noteState = element("span", { className: "state" });
    const label = element("label", { htmlFor: "comment" }, "Comment", this.noteState);
    this.place.replaceChildren(...this.groups.map((group) => group.box), element("div", { className: "note" }, label, this.note));
    this.choose(0, false);
  }

  group({ id, text, definition, values }, n) {
    const state = element("span", { className: "state" });
    const choices = values.map(({ value, text: meaning }) => {
      const input = element("input", { type: "radio", name: `criterion-${n}`, value: String(value), ariaLabel: `${value || "not readable"}: ${meaning}` });
      input.addEventListener("change", () => {
        this.choose(n, false);
        this.rated(id, value);
      });
      input.addEventListener("focus", () => this.choose(n, false));
      return { value, input, label: element("label", { title: meaning }, input, element("span", {}, value ? String(value) : "–")) };
    });
    const legend = element("legend", { title: definition ?? "" }, element("span", {}, text), state);
    const box = element("fieldset", { className: "criterion" }, legend, element("div", { className: "choices" }, ...choices.map((c) => c.label)));
    box.dataset.criterion = id;
    box.addEventListener("click", () => this.choose(n, false));
    return { id, box, choices, state };
  }

  /** Shows what is rated: values and states by criterion, and the comment where it is not being written. */
  show(values, states, comment) {
    for (const { id, choices, state, box } of this.groups) {
      const value = values[id];
      for (const choice of choices) choice.input.checked = choice.value === value;
      tell(state, value === undefined ? "" : (states[id] ?? "saved"));
      box.classList.toggle("rated", value !== undefined);
    }
    if (document.activeElement !== this.note && this.note.value !== comment) this.note.value = comment;
    this.kept = comment;
    const known = states["comment "] ?? (comment && "saved");
    tell(this.noteState, this.unsaid ? "waiting" : known);
  }

  /** A new case: nothing of the old one's comment stays in the field. */
  clear() {
    this.keepComment();
    this.note.blur();
    this.note.value = "";
    this.kept = "";
    this.choose(0, false);
  }

  /** Whether the comment's last letters have not been told yet. */
  get unsaid() {
    return this.note.value !== this.kept;
  }

  keepComment() {
    clearTimeout(this.typing);
    if (!this.unsaid) return;
    this.kept = this.note.value;
    this.commented(this.kept);
  }

  choose(n, focus = true) {
    this.current = Math.min(Math.max(n, 0), this.groups.length - 1);
    this.groups.forEach(({ box }, m) => box.classList.toggle("current", m === this.current));
    const { box, choices } = this.groups[this.current];
    box.scrollIntoView({ block: "nearest" });
    this.chosen(this.criteria[this.current]);
    if (focus) (choices.find(({ input }) => input.checked) ?? choices[0]).input.focus();
  }

  /** Rates the current criterion by key, and goes on. */
  rate(value) {
    const { id, choices } = this.groups[this.current];
    const choice = choices.find((c) => c.value === value);
    if (!choice) return;
    choice.input.checked = true;
    this.rated(id, value);
    this.choose(this.current + 1, document.activeElement?.closest(".criterion") !== null);
  }
}

function tell(place, words) {
  const mark = { saved: "✓", waiting: "…", refused: "!" }[words] ?? "";
  if (place.dataset.state === words) return;
  place.dataset.state = words;
  place.replaceChildren(...(words ? [element("span", { ariaHidden: "true" }, mark), element("span", { className: "hidden" }, ` ${words}`)] : []));
}
