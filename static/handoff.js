// The desktop that waits for a phone: asks how it stands, says each change once, and goes
// on by itself. Without it the page reloads itself every few seconds.
"use strict";

const panel = document.getElementById("handoff");
const SOON = 3000, LATER = 10000, A_MINUTE = 60000; // milliseconds
const began = Date.now();

// The server tells its own time zone; the person has another. In the language of the page.
for (const time of document.querySelectorAll("main time")) {
  const local = new Date(time.dateTime);
  time.textContent = local.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
}

function show(state) {
  if (panel.dataset.state === state) return;
  panel.dataset.state = state;
  const said = document.createElement("p");
  said.textContent = panel.dataset[state];
  panel.replaceChildren(said);
  for (const part of document.querySelectorAll("[data-while]")) {
    part.hidden = !part.dataset.while.split(" ").includes(state);
  }
}

async function ask() {
  try {
    const answer = await fetch(panel.dataset.poll, { headers: { Accept: "application/json" } });
    const { state } = await answer.json();
    if (state === "unknown" || !answer.ok) { // the page itself knows
      setTimeout(() => location.reload(), LATER);
      return;
    }
    show(state);
    if (state === "over") {
      location.reload();
      return;
    }
  } catch {
    // Offline for a moment: the next one may get through.
  }
  setTimeout(ask, Date.now() - began < A_MINUTE ? SOON : LATER);
}

setTimeout(ask, SOON);
// What nobody answers runs out.
setTimeout(() => location.reload(), (Number(panel.dataset.seconds) + 1) * 1000);
