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

  // A visit is signed only from within its form: the same keys have just saved the section before.
  function sendMain(focused) {
    const main = document.querySelector("#content-main form :is(.submit-row input.default, .bar-end .primary)");
    if (!main || focused.closest("#header")) return;
    if (main.form.id === "visit-form" && !main.form.dataset.autosave && !main.form.contains(focused)) return;
    main.click();
  }

  let lastKey = "";
  document.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.ctrlKey) {
      if (!event.repeat && !event.isComposing) sendMain(document.activeElement || document.body);
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

  // A form is sent once. A load that was stopped leaves no dead button: after some seconds, or the next key, it can be sent again.
  const patience = 10000, content = document.getElementById("content") || document.body;
  const posting = (target) => target.closest("form[method=post]");
  content.addEventListener("submit", function (event) {
    const form = posting(event.target);
    if (!form || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, patience);
    unsaved.delete(form);
  });

  // It is not left by accident. A draft is enough to leave, except where the page says "Not saved".
  const unsaved = new Set(), refused = new Set();
  content.addEventListener("input", function (event) {
    const form = posting(event.target);
    if (!form) return;
    delete form.dataset.sent;
    unsaved.add(form);
  });
  content.addEventListener("hims:stored", (event) => { if (!refused.has(event.target)) unsaved.delete(event.target); });
  content.addEventListener("hims:saved", (event) => { refused.delete(event.target); unsaved.delete(event.target); });
  content.addEventListener("hims:refused", (event) => { refused.add(event.target); unsaved.add(event.target); });
  document.addEventListener("hims:leaving", () => unsaved.clear()); // a session that is over takes the page with it
  document.addEventListener("click", (event) => { if (event.target.closest("a[data-leave]")) unsaved.clear(); });
  window.addEventListener("beforeunload", (event) => { if (unsaved.size) event.preventDefault(); });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; });
  });

  // What went wrong is read first.
  const trouble = document.querySelector(".errornote");
  if (trouble) { trouble.tabIndex = -1; trouble.focus(); }
})();
