// What every page can do: stop a machine, copy a file.

import { post } from "./api.js";

for (const button of document.querySelectorAll("[data-stop]")) {
  button.addEventListener("click", async () => {
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
  });
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
