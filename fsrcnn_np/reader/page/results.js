// The owner's page, renewed in place: what was scrolled to, selected or focused stays where nothing changed.

const SECONDS = 10;

async function renew() {
  if (document.hidden) return;
  const answer = await fetch("/results");
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
  const live = document.getElementById("live");
  if (fresh && fresh.innerHTML !== live.innerHTML) live.replaceWith(fresh);
}

setInterval(() => renew().catch(() => {}), 1000 * SECONDS); // a server that is away is asked again
document.addEventListener("visibilitychange", () => renew().catch(() => {}));
