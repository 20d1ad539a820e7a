// Looks quietly how the check stands, where the page would otherwise load anew.
// What it reads is the page itself; a redirect means that the verdict is a match.

const AT_FIRST = 1000; // milliseconds between two looks
const LATER = 2000;
const FIRST = 5; // so many looks

const asking = document.getElementById("asking");
const others = document.getElementById("others");
let looks = 0;
let leaves = false;

function lookLater() {
  looks += 1;
  setTimeout(look, looks > FIRST ? LATER : AT_FIRST);
}

async function look() {
  if (leaves) return;
  let answer;
  let text;
  try {
    answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
    text = await answer.text();
  } catch {
    return lookLater(); // no connection just now
  }
  if (answer.status >= 500) return lookLater();
  const page = new DOMParser().parseFromString(text, "text/html");
  const now = page.getElementById("asking");
  if (leaves) return;
  if (now === null) return location.replace(location.href); // it is settled
  show(asking, now);
  if (others.childElementCount === 0) show(others, page.getElementById("others"));
  lookLater();
}

// Only what is new: each change is announced once, and nothing under a finger moves.
function show(place, found) {
  if (place.textContent.trim() === found.textContent.trim()) return;
  place.replaceChildren(...found.childNodes);
}

// A chosen way must not be overtaken by the verdict.
addEventListener("submit", () => { leaves = true; });
addEventListener("pagehide", () => { leaves = true; });
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
lookLater();
