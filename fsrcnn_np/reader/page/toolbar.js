// Buttons for what the keys do, and the line of facts below the images.

import { element } from "./element.js";
import { LENS } from "./viewer.js";

export class Toolbar {
  constructor(tools, facts, viewer, desk) {
    Object.assign(this, { facts, viewer });
    const button = (text, key, act, on) => {
      const made = element("button", { type: "button", title: `${text} (${key})` }, text);
      made.setAttribute("aria-keyshortcuts", key);
      made.addEventListener("click", () => {
        act();
        this.refresh();
      });
      return { made, on };
    };
    const tool = (name) => [() => viewer.set({ tool: viewer.tool === name ? "pan" : name, line: null }), () => viewer.tool === name];
    this.presets = element("select", { id: "presets", ariaLabel: "Window of the image's own", title: "Window of the image's own (v)" });
    this.presets.addEventListener("change", () => viewer.preset(this.presets.selectedIndex));
    this.other = button("Show other", "Space", () => viewer.set({ phase: 1 - viewer.phase }));
    const groups = [
      [button("Fit", "f", () => viewer.fit()), button("100 %", "z", () => viewer.zoomTo(100)), button("600 %", "x", () => viewer.zoomTo(600))],
      [button("−", "-", () => viewer.zoom(0.8)), button("+", "+", () => viewer.zoom(1.25))],
      [button("Window", "w", ...tool("window")), { made: this.presets }, button("Invert", "i", () => viewer.set({ inverted: !viewer.inverted }), () => viewer.inverted)],
      [button("Magnifier", "l", () => viewer.set({ lens: !viewer.lens }), () => viewer.lens), button("Measure", "r", ...tool("measure")), button("Mark", "m", ...tool("mark"))],
      [button("In one place", "b", () => viewer.arrange(!viewer.flicker), () => viewer.flicker), this.other],
      [button("Greys", "g", () => desk.calibrate(), () => viewer.screen.calibrated !== null), button("Help", "?", () => desk.help())],
    ];
    this.buttons = groups.flat();
    tools.replaceChildren(...groups.map((group) => element("div", { className: "group" }, ...group.map(({ made }) => made))));
  }

  refresh() {
    const { viewer } = this;
    for (const { made, on } of this.buttons) if (on) made.ariaPressed = String(on());
    this.other.made.disabled = !viewer.flicker;
    const names = viewer.images[0]?.presets.map((preset) => preset.name) ?? [];
    if (names.join("\n") !== this.names) {
      this.names = names.join("\n");
      this.presets.replaceChildren(...names.map((name) => element("option", {}, name)));
    }
    this.presets.selectedIndex = viewer.chosen ?? 0;
    if (viewer.images.length && viewer.view) this.facts.replaceChildren(...this.words().map((words) => element("span", {}, words)));
  }

  words() {
    const { viewer } = this;
    const [{ centre, width }] = viewer.windows();
    const words = [`Zoom ${Math.round(viewer.percent)} %`, `Centre ${round(centre)}  Width ${round(width)}`];
    if (viewer.inverted) words.push("Inverted");
    if (viewer.lens) words.push(`Magnifier ×${LENS}`);
    if (viewer.screen.calibrated) words.push("Greys by PS3.14");
    if (viewer.cursor) words.push(`${viewer.cursor.x.toFixed(1)}, ${viewer.cursor.y.toFixed(1)} ${viewer.images[0].unit}`);
    return words;
  }
}

function round(value) {
  return Math.abs(value) < 10 ? value.toPrecision(3) : Math.round(value);
}
