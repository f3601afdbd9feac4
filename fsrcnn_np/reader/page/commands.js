// Every command in one place: its keys, its words for the help, what it does.

const STEP = 60; // device pixels

/** Keys that pan the images, or with Shift move the linked cursor, while the images have the focus. */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function commands(viewer, desk) {
  const tool = (name) => () => viewer.set({ tool: viewer.tool === name ? "pan" : name, line: null });
  return [
    ["Rating"],
    ["1 2 3 4 5", "rate the current criterion and go to the next", (key) => desk.rate(Number(key))],
    ["0", "not readable, where the criterion allows it", () => desk.rate(0)],
    ["j", "next criterion", () => desk.step(1)],
    ["k", "previous criterion", () => desk.step(-1)],
    ["c", "comment", () => desk.comment()],
    ["n", "next case", () => desk.turn(1)],
    ["p", "previous case", () => desk.turn(-1)],
    ["Images"],
    ["f", "fit the whole image", () => viewer.fit()],
    ["z", "100 %: one pixel of the coarser image is one of the screen", () => viewer.zoomTo(100)],
    ["x", "600 %", () => viewer.zoomTo(600)],
    ["+ =", "closer", () => viewer.zoom(1.25)],
    ["-", "farther", () => viewer.zoom(0.8)],
    ["[", "narrower window: more contrast", () => viewer.level(0, 0.9)],
    ["]", "wider window: less contrast", () => viewer.level(0, 1 / 0.9)],
    [",", "window down: brighter", () => viewer.level(-0.05)],
    [".", "window up: darker", () => viewer.level(0.05)],
    ["w", "left drag changes the window", tool("window")],
    ["v", "next window of the image's own", () => viewer.preset(viewer.chosen + 1)],
    ["i", "invert", () => viewer.set({ inverted: !viewer.inverted })],
    ["b", "side by side, or both in one place", () => viewer.arrange(!viewer.flicker)],
    ["Space", "in one place: show the other", () => viewer.flicker && viewer.set({ phase: 1 - viewer.phase })],
    ["l", "magnifier", () => viewer.set({ lens: !viewer.lens })],
    ["r", "measure a length", tool("measure")],
    ["m", "mark a pseudo-lesion", tool("mark")],
    ["Enter", "use the tool at the cursor", () => viewer.use()],
    ["Backspace", "take back the last mark", () => desk.unmark()],
    ["g", "greys for a display that is not calibrated", () => desk.calibrate()],
    ["Escape", "put the tool away", () => viewer.set({ tool: "pan", line: null, lens: false })],
    ["?", "this help", () => desk.help()],
  ];
}

/** Listens to the keys; typing in a field is left alone. */
export function listen(viewer, list) {
  const table = new Map(list.flatMap(([keys, , act]) => (act ? keys.split(" ").map((key) => [key, act]) : [])));
  addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (target.matches("textarea, input[type=text], input[type=number], select")) {
      if (key === "Escape") target.blur();
      return;
    }
    if (target.matches("button, a, input") && (key === " " || key === "Enter")) return;
    if (ARROWS[key] && target.matches("#overlay")) {
      arrow(viewer, ARROWS[key], event.shiftKey);
      event.preventDefault();
      return;
    }
    const act = table.get(key === " " ? "Space" : key.length === 1 ? key.toLowerCase() : key);
    if (!act) return;
    event.preventDefault();
    act(key);
  });
}

function arrow(viewer, [dx, dy], cursor) {
  if (!cursor) return viewer.pan(-dx * STEP, -dy * STEP);
  const { x, y, mm } = viewer.view;
  const at = viewer.cursor ?? { side: viewer.flicker ? viewer.phase : 0, x, y };
  return viewer.point({ ...at, x: at.x + dx * mm * 8, y: at.y + dy * mm * 8 });
}
