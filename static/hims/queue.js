// Keeps the queue fresh: asks every 15 seconds, changes what changed, says it once. Focus stays where it is. The page works without.
(function () {
  "use strict";
  const every = 15;
  const place = document.getElementById("hims-queue");
  const age = document.getElementById("hims-queue-age");
  const news = document.getElementById("hims-queue-news");
  const pause = document.getElementById("hims-queue-pause");
  const numbers = document.getElementById("hims-queue-numbers");
  if (!place) return;
  let asOf = Date.now(), isPaused = false, isAsking = false, hasFailed = false;

  // The texts of the page's language, with {who} and {time} to fill in.
  const words = place.dataset, say = (text, name, value) => text.replace(`{${name}}`, () => value);
  const part = () => document.getElementById("hims-queue-part");
  const rowsOf = (root) => Array.from(root.querySelectorAll("tbody tr"));
  const linesOf = (root) => [...rowsOf(root), ...root.querySelectorAll("#hims-queue-walk-ins li")];
  const byId = (rows) => new Map(rows.map((row) => [row.id, row]));

  function tellAge() {
    const seconds = Math.round((Date.now() - asOf) / 1000);
    const text = seconds < 120 ? say(words.seconds, "n", seconds) : say(words.minutes, "n", Math.floor(seconds / 60));
    age.textContent = [isPaused ? words.paused : hasFailed ? words.noAnswer : "", say(words.updated, "time", text)].join(" ").trim();
  }

  // What is worth saying: who came, who was called or left, who became urgent, who waits long.
  function changes(before, after) {
    const said = [];
    after.forEach(function (row, id) {
      const was = before.get(id), who = row.dataset.who;
      if (!was) said.push(say(row.dataset.alert ? words.alert : row.dataset.ready ? words.ready : words.new, "who", who));
      else {
        if (was.dataset.triage !== row.dataset.triage) said.push(`${who}: ${row.dataset.triage}`);
        if (was.dataset.alert !== row.dataset.alert && row.dataset.alert) said.push(say(words.alert, "who", who));
        if (was.dataset.ready !== row.dataset.ready && row.dataset.ready) said.push(say(words.ready, "who", who));
        if (was.dataset.band !== row.dataset.band && row.dataset.band) said.push(`${who}: ${row.dataset.band}`);
      }
    });
    before.forEach(function (row, id) {
      if (!after.has(id) && !row.dataset.gone) said.push(say(words.left, "who", row.dataset.who));
    });
    return said;
  }

  // A user is working in it: the focus is there, or a form is open.
  const isBusy = (node) => node.contains(document.activeElement) || node.querySelector("details[open]") !== null;

  function refill(row, fresh) {
    Object.assign(row.dataset, fresh.dataset);
    Array.from(row.cells).forEach(function (cell, at) {
      const other = fresh.cells[at];
      if (isBusy(cell) || (cell.innerHTML === other.innerHTML && cell.className === other.className)) return;
      cell.className = other.className;
      cell.replaceChildren(...Array.from(other.childNodes));
    });
  }

  function leave(row) {
    row.dataset.gone = "yes";
    row.classList.add("gone");
    row.querySelector("[data-state]").textContent = words.gone;
  }

  // Rows are moved around a row that is in use: a node that moves loses the focus.
  function merge(fresh) {
    const body = place.querySelector("tbody"), freshRows = rowsOf(fresh);
    const known = byId(rowsOf(place)), wanted = byId(freshRows);
    known.forEach(function (row, id) {
      if (wanted.has(id)) { delete row.dataset.gone; row.classList.remove("gone"); return; }
      if (isBusy(row)) leave(row); else row.remove();
    });
    const order = freshRows.map(function (row) {
      const mine = known.get(row.id);
      if (!mine) return row;
      refill(mine, row);
      return mine;
    });
    const here = order.map((row) => body.contains(row));
    let fixed = order.findIndex((row, at) => here[at] && row.contains(document.activeElement));
    if (fixed < 0) fixed = order.findIndex((row, at) => here[at] && isBusy(row));
    if (fixed < 0) order.forEach((row) => body.append(row));
    else {
      order.slice(0, fixed).forEach((row) => body.insertBefore(row, order[fixed]));
      order.slice(fixed + 1).reverse().forEach((row) => body.insertBefore(row, order[fixed].nextSibling));
    }
  }

  // An empty queue in which the focus is: the part in use stays where it is, and the patients who came are shown after it.
  function replaceAround(fresh) {
    const busy = Array.from(part().children).find(isBusy);
    part().dataset.seen = fresh.dataset.seen;
    Array.from(part().children).forEach((one) => { if (one !== busy) one.remove(); });
    if (busy.matches(".empty") && fresh.querySelector("tbody")) Array.from(busy.children).forEach((one) => { if (!isBusy(one)) one.remove(); });
    Array.from(fresh.children).reverse().forEach(function (one) {
      if (one.id !== busy.id || one.className !== busy.className) busy.after(one);
    });
  }

  function show(fresh) {
    const freshNumbers = fresh.querySelector("#hims-queue-numbers"); // shown in the head of the page
    numbers.replaceChildren(...Array.from(freshNumbers.childNodes));
    freshNumbers.remove();
    const said = changes(byId(linesOf(place)), byId(linesOf(fresh)));
    if (place.querySelector("tbody") && (fresh.querySelector("tbody") || isBusy(place))) {
      if (fresh.querySelector("tbody")) merge(fresh);
      else rowsOf(place).forEach((row) => { if (isBusy(row)) leave(row); else row.remove(); });
      ["#hims-queue-chips", "#hims-queue-walk-ins", "#hims-queue-beyond"].forEach(function (name) {
        const mine = place.querySelector(name), other = fresh.querySelector(name);
        if (mine && !isBusy(mine)) mine.replaceChildren(...(other ? Array.from(other.childNodes) : []));
      });
      part().dataset.seen = fresh.dataset.seen;
    } else if (!isBusy(place)) place.replaceChildren(fresh);
    else replaceAround(fresh);
    if (said.length) news.textContent = said.join(". ") + ".";
  }

  async function ask() {
    if (isPaused || isAsking || document.hidden) return;
    isAsking = true;
    try {
      const address = new URL(place.dataset.here, location.href);
      address.searchParams.set("part", "1");
      address.searchParams.set("seen", part().dataset.seen);
      const reply = await fetch(address, { credentials: "same-origin", cache: "no-store" });
      if (reply.redirected || reply.status === 403) { // signed out: nothing stays on the screen
        place.replaceChildren();
        document.dispatchEvent(new CustomEvent("hims:leaving"));
        location.reload();
        return;
      }
      if (!reply.ok) throw new Error(String(reply.status));
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("hims-queue-part");
      if (!isPaused) {
        show(document.adoptNode(fresh));
        asOf = Date.now();
        hasFailed = false;
      }
    } catch {
      hasFailed = true;
    } finally {
      isAsking = false;
      tellAge();
    }
  }

  document.getElementById("hims-queue-refresh").remove();
  pause.hidden = false;
  pause.addEventListener("click", function () {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    tellAge();
    if (!isPaused) ask();
  });
  document.addEventListener("visibilitychange", ask);
  setInterval(tellAge, 1000);
  setInterval(ask, every * 1000);
  tellAge();
})();
