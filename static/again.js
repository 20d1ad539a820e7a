// Looks quietly whether what this page waits for has come, where it would otherwise load
// itself anew. `data-again` on its heading says after how many seconds.
const heading = document.querySelector("h1[data-again]");
const every = Number(heading.dataset.again) * 1000;

async function look() {
  try {
    const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("h1")?.textContent;
    // A redirect, or another page: there is something to go on with.
    const moves = answer.type === "opaqueredirect" || (answer.ok && now !== heading.textContent);
    if (moves) return location.replace(location.href);
  } catch {
    // Without a connection just now.
  }
  setTimeout(look, every);
}

setTimeout(look, every);
