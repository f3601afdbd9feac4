// Mouse, pen, fingers and wheel on the images.

/** Left drag: the tool (pan); right drag or Shift: window; wheel: zoom at the cursor; two fingers: zoom and pan. */
export function follow(viewer) {
  const { canvas } = viewer.overlay;
  const down = new Map(); // pointers that are down: id → last place
  let moved = 0;
  let windowing = false;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) * viewer.ratio, y: (event.clientY - box.top) * viewer.ratio };
  };
  const point = (event) => {
    const at = viewer.locate(...Object.values(place(event)));
    if (viewer.line?.open && at) viewer.line.to = at;
    viewer.point(at && { side: at.side, x: at.x, y: at.y });
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    moved = 0;
    windowing = event.button === 2 || event.shiftKey || viewer.tool === "window";
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return point(event);
    const now = place(event);
    const [dx, dy] = [now.x - before.x, now.y - before.y];
    moved += Math.hypot(dx, dy);
    if (down.size === 2) pinch(event.pointerId, before, now);
    else if (windowing) viewer.level(dy / (viewer.canvas.height * 0.8), 2 ** (dx / (viewer.canvas.width * 0.25)));
    else if (viewer.tool === "pan" || moved > 6) viewer.pan(dx, dy);
    down.set(event.pointerId, now);
    return point(event);
  });

  function pinch(id, before, now) {
    const [, other] = [...down].find(([key]) => key !== id);
    const far = (a) => Math.max(Math.hypot(a.x - other.x, a.y - other.y), 1);
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const at = viewer.locate(middle.x, middle.y);
    if (at) viewer.zoom(far(now) / far(before), at.inside);
    viewer.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  canvas.addEventListener("pointerup", (event) => {
    const single = down.size === 1;
    down.delete(event.pointerId);
    point(event);
    if (single && moved < 4 && !windowing && event.button === 0) viewer.use();
  });
  canvas.addEventListener("pointercancel", (event) => down.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => viewer.point(null));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const at = viewer.locate(...Object.values(place(event)));
      if (at) viewer.zoom(2 ** (-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), at.inside);
    },
    { passive: false },
  );
}
