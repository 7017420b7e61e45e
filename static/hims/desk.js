// Keys, double sends and unsaved work. Every page works without this file.
(function () {
  "use strict";
  const stored = "hims-keys";
  const switchButton = document.getElementById("hims-keys");
  const keysAreOn = () => localStorage.getItem(stored) !== "off";

  // Single keys can be switched off (WCAG 2.1.4).
  function showSwitch() {
    if (!switchButton) return;
    switchButton.hidden = false;
    switchButton.setAttribute("aria-pressed", String(keysAreOn()));
    document.getElementById("hims-keys-help").hidden = !keysAreOn();
  }
  if (switchButton) {
    switchButton.addEventListener("click", function () {
      localStorage.setItem(stored, keysAreOn() ? "off" : "on");
      showSwitch();
    });
  }
  showSwitch();

  const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

  function step(by) {
    const links = Array.from(document.querySelectorAll("#result_list tbody tr")).map((row) => row.querySelector("th a, td a")).filter(Boolean);
    if (!links.length) return;
    const here = links.indexOf(document.activeElement);
    links[here < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, here + by))].focus();
  }

  let lastKey = "";
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.ctrlKey) {
      const main = document.querySelector("#content-main form :is(.submit-row input.default, .bar-end .primary)");
      if (main) main.click();
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || !keysAreOn()) return;
    if (event.key === "/") {
      const box = document.getElementById("hims-search");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
    } else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "h" && lastKey === "g") document.querySelector("#branding a").click();
    lastKey = event.key;
  });

  // A form is sent once, and not left by accident.
  let isDirty = false;
  document.querySelectorAll("#content-main form[method=post]").forEach(function (form) {
    form.addEventListener("input", () => { isDirty = true; });
    form.addEventListener("hims:stored", () => { isDirty = false; });
    form.addEventListener("submit", function (event) {
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      isDirty = false;
    });
  });
  document.addEventListener("click", (event) => { if (event.target.closest("a[data-leave]")) isDirty = false; });
  window.addEventListener("beforeunload", (event) => { if (isDirty) event.preventDefault(); });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  // What went wrong is read first.
  const trouble = document.querySelector(".errornote");
  if (trouble) { trouble.tabIndex = -1; trouble.focus(); }
})();
