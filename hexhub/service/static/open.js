// The waiting page: asks for the machine, says what is happening, and opens it when it answers.

import { get, post } from "./api.js";

const box = document.getElementById("waiting");
const now = box.querySelector(".waiting-now");
const log = box.querySelector(".waiting-log");
const meter = box.querySelector(".waiting-meter");
const failure = box.querySelector(".failure");
const again = document.getElementById("again");
const words = box.dataset;
const phases = JSON.parse(words.phases);
const SLOW_AFTER_MS = 30_000;
const PATIENCE = 8;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const inWords = (message) => phases[message] ?? message;

function say(text) {
  if (text && text !== now.textContent) {
    if (now.textContent && now.textContent !== words.offline && now.textContent !== words.slow) {
      const line = document.createElement("li");
      line.textContent = now.textContent;
      log.append(line);
    }
    now.textContent = text;
  }
}

function fill(percent) {
  meter.setAttribute("aria-valuenow", String(percent));
  meter.querySelector(".meter-fill").setAttribute("width", `${percent}%`);
}

function fail(reason) {
  box.dataset.state = "failed";
  failure.querySelector(".failure-reason").textContent = inWords(reason);
  failure.hidden = false;
  again.hidden = false;
  again.focus();
}

async function follow() {
  box.dataset.state = "starting";
  failure.hidden = true;
  again.hidden = true;
  log.replaceChildren();
  now.textContent = words.asking;
  fill(4);
  const started = performance.now();
  let faults = 0;
  let ask = () => post(`${words.api}/open`);
  for (;;) {
    try {
      const server = await ask();
      faults = 0;
      ask = () => get(`${words.api}/server?wait=2`);
      if (server.state === "ready") {
        say(words.ready);
        fill(100);
        box.dataset.state = "ready";
        location.replace(server.url);
        return;
      }
      if (server.state !== "starting") {
        fail(server.message || words.stopped);
        return;
      }
      say(inWords(server.message));
      fill(Math.max(4, Math.min(96, server.progress)));
      if (!server.message && performance.now() - started > SLOW_AFTER_MS) {
        say(words.slow);
      }
    } catch (error) {
      const isOurs = error.status !== undefined;
      if ((isOurs && error.status !== 503) || ++faults > PATIENCE) {
        fail(error.status === undefined ? words.offline : error.message);
        return;
      }
      say(isOurs ? error.message : words.offline);
      await pause(250 * 2 ** Math.min(faults, 4));
    }
  }
}

again.addEventListener("click", follow);
// A page that comes back out of the browser's memory (the Back button) asks afresh.
addEventListener("pageshow", (event) => event.persisted && location.reload());
follow();
