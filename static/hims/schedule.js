// The schedule: arrows lead from block to block, m and dragging move an appointment. Every page works without this file.
(function () {
  "use strict";
  const table = document.querySelector("table.schedule");
  const print = document.getElementById("hims-print");
  if (print) {
    print.hidden = false;
    print.addEventListener("click", () => window.print());
  }
  if (!table) return;

  // Which cell is where: a cell covers several rows and columns.
  const grid = [];
  Array.from(table.tBodies[0].rows).forEach(function (row, y) {
    grid[y] = grid[y] || [];
    let x = 0;
    Array.from(row.cells).forEach(function (cell) {
      while (grid[y][x]) x += 1;
      for (let down = 0; down < cell.rowSpan; down += 1) {
        grid[y + down] = grid[y + down] || [];
        for (let along = 0; along < cell.colSpan; along += 1) grid[y + down][x + along] = cell;
      }
    });
  });
  const last = grid.length - 1;
  let row = 0; // the row in which the user is; a tall block keeps it when the arrows lead sideways

  function placeOf(cell) {
    const inRow = grid[row] ? grid[row].indexOf(cell) : -1;
    if (inRow >= 0) return [row, inRow];
    const y = grid.findIndex((cells) => cells.includes(cell));
    return [y, grid[y].indexOf(cell)];
  }

  function next(cell, y, x, key) {
    let to = cell;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (sideways) {
      const along = document.dir === "rtl" ? -sideways : sideways;
      for (let at = x; to === cell && at >= 0 && at < grid[y].length; at += along) to = grid[y][at];
      return [to, y];
    }
    if (key === "Home") return [grid[0][x], 0];
    if (key === "End") return [grid[last][x], last];
    const by = key === "ArrowUp" ? -1 : 1;
    let at = y + by;
    while (grid[at] && grid[at][x] === cell) at += by;
    return grid[at] ? [grid[at][x], at] : [cell, y];
  }

  function enter(cell, y) {
    row = y;
    const link = cell.querySelector("a");
    if (!link) cell.tabIndex = -1;
    (link || cell).focus();
  }

  table.addEventListener("keydown", function (event) {
    const cell = event.target.closest("tbody td");
    if (!cell || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (!/^(Arrow(Up|Down|Left|Right)|Home|End)$/.test(event.key)) return;
    const [y, x] = placeOf(cell);
    const [to, at] = next(cell, y, x, event.key);
    event.preventDefault();
    if (to && to.tagName === "TD") enter(to, at);
  });

  // m: choose another time for the appointment in focus. Escape: leave it where it is.
  const keysAreOn = () => localStorage.getItem("hims-keys") !== "off";
  const help = document.getElementById("hims-move-help");
  if (help) help.hidden = !table.querySelector("[data-move]");
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const block = document.activeElement;
    if (event.key === "m" && keysAreOn() && block && block.dataset.choose) location.assign(block.dataset.choose);
    const stop = document.getElementById("hims-stop");
    if (event.key === "Escape" && stop) location.assign(stop.href);
  });
  const moving = table.querySelector(".moving");
  if (moving) moving.focus();

  // Dragging a block onto a free time asks the same question.
  let dragged = null;
  const slotOf = (event) => (event.target instanceof Element ? event.target.closest("a.slot") : null);
  function mark(slot) {
    table.querySelectorAll(".slot.target").forEach((one) => { if (one !== slot) one.classList.remove("target"); });
    if (slot) slot.classList.add("target");
  }
  table.addEventListener("dragstart", function (event) {
    dragged = event.target.closest("a[data-move]");
    if (!dragged) { event.preventDefault(); return; }
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.move);
    table.classList.add("dragging");
  });
  table.addEventListener("dragover", function (event) {
    const slot = dragged && slotOf(event);
    mark(slot);
    if (slot) { event.preventDefault(); event.dataTransfer.dropEffect = "move"; }
  });
  table.addEventListener("drop", function (event) {
    const slot = dragged && slotOf(event);
    if (!slot) return;
    event.preventDefault();
    const query = new URLSearchParams({ to: slot.dataset.at, doctor: slot.dataset.doctor, next: table.dataset.next });
    location.assign(`${dragged.dataset.move}?${query}`);
  });
  table.addEventListener("dragend", function () {
    dragged = null;
    mark(null);
    table.classList.remove("dragging");
  });
})();
