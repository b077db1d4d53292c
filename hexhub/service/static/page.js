// What every page can do: open a lesson, stop a machine, copy a file.

import { getPage, post, postAhead } from "./api.js";

// A machine that is there at once is gone to at once; where it takes longer, or fails, the link leads
// to the page that says so, and joins this start.
const AT_ONCE_MS = 1000;

async function openLesson(link) {
  link.setAttribute("aria-busy", "true");
  const tooLong = new Promise((resolve) => setTimeout(resolve, AT_ONCE_MS, null));
  const server = await Promise.race([postAhead(`${link.dataset.opens}/open`), tooLong]);
  location.assign(server?.state === "ready" ? server.url : link.href);
}

const lessons = document.querySelectorAll("a[data-opens]");
for (const link of lessons) {
  link.addEventListener("click", (event) => {
    if (!event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      if (link.getAttribute("aria-busy") !== "true") {
        openLesson(link);
      }
    }
  });
}
// The page may come back out of the browser's memory.
addEventListener("pageshow", () => {
  for (const link of lessons) {
    link.removeAttribute("aria-busy");
  }
});

async function stopMachine(button) {
  const machine = button.closest("[data-machine]");
  const problem = machine.querySelector("[data-problem]");
  const label = button.textContent;
  button.disabled = true;
  button.textContent = button.dataset.stopping;
  problem.hidden = true;
  try {
    await post(button.dataset.stop);
    machine.remove();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    button.textContent = label;
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-stop]");
  if (button) {
    stopMachine(button);
  }
});

// Which machines run, where JupyterHub took too long to tell it to the page: the same page, once more.
async function showMachines() {
  const address = new URL(location.href);
  address.searchParams.set("machines", "wait");
  const page = await getPage(address);
  for (const mark of page.querySelectorAll("[data-mark]")) {
    const place = document.querySelector(`[data-mark="${CSS.escape(mark.dataset.mark)}"]`);
    place?.replaceChildren(...mark.childNodes);
  }
}

if (document.querySelector("main[data-machines-to-come]")) {
  showMachines().catch(() => undefined);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const label = button.textContent;
    await navigator.clipboard.writeText(button.closest("figure").querySelector("pre").textContent);
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = label), 1500);
  });
  button.hidden = !navigator.clipboard;
}
