// Asks for the unit while a reading is typed: a number that is expected in °F, pounds or inches, and not in the unit of the box.
// The server asks the same when the section is saved; the page works without this file.
(function () {
  "use strict";
  document.querySelectorAll("tr[data-factor]").forEach(function (row) {
    const box = row.querySelector("input"), limits = row.dataset;
    const least = Number(limits.least), most = Number(limits.most);
    const line = document.createElement("p");
    line.className = "warnline";
    line.setAttribute("role", "status");
    box.closest("td").append(line);

    function ask() {
      const number = Number(box.value.trim()), metric = number * Number(limits.factor) + Number(limits.zero);
      line.replaceChildren();
      if (!box.value.trim() || Number.isNaN(number) || (number >= least && number <= most) || metric < least || metric > most) return;
      const use = document.createElement("button");
      use.type = "button";
      use.className = "btn small";
      use.textContent = `${limits.use} ${metric.toFixed(1)} ${limits.unit}`;
      use.addEventListener("click", function () {
        box.value = metric.toFixed(1);
        box.dispatchEvent(new Event("input", { bubbles: true }));
        box.dispatchEvent(new Event("change", { bubbles: true }));
        box.focus();
      });
      line.append(`${limits.question} `, use);
    }
    box.addEventListener("input", ask);
  });
})();
