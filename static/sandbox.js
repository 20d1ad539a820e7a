// The handset beside the site, in a window of its own that looks for news by itself.
// Without this the links open a tab, and "Look again" looks.
const BESIDE = "sandbox-handset";
const SECONDS = 3;

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-beside]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (window.open(link.href, BESIDE, "popup,width=420,height=860")) event.preventDefault();
});

// What did not change is left alone, with what is open in it and has the focus.
function renew(section, fresh) {
  if (section.textContent === fresh.textContent) return;
  if (section.id !== "wire" || !section.querySelector(".flow")) {
    section.replaceWith(fresh);
    return;
  }
  const kept = new Set();
  let last = null;
  for (const flow of fresh.querySelectorAll(".flow")) {
    const old = document.getElementById(flow.id);
    const same = old?.textContent === flow.textContent;
    const now = same ? old : flow;
    if (!same && old) old.replaceWith(flow);
    else if (!same && last) last.after(flow);
    else if (!same) section.querySelector(".flow").before(flow);
    kept.add(now);
    last = now;
  }
  for (const flow of section.querySelectorAll(".flow")) if (!kept.has(flow)) flow.remove();
}

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["messages", "wire"]) {
      const fresh = page.getElementById(id);
      if (fresh) renew(document.getElementById(id), document.adoptNode(fresh));
    }
  } catch {
    // The site is away for a moment; the next look may find it.
  }
}

if (window.name === BESIDE && document.getElementById("wire")) setInterval(look, 1000 * SECONDS);
