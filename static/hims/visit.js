// Saves the section while it is filled in: when a box is left, and some seconds after typing stops. It never completes a section:
// only "Save and go on" does. A refusal stays at its box, with the text. The page works without this file.
(function () {
  "use strict";
  const form = document.getElementById("visit-form");
  if (!form || !form.dataset.autosave) return;
  const pause = 5000, patience = 10000, status = document.getElementById("visit-saved"), version = form.querySelector('input[name="version"]');
  let timer = 0, isSaving = false, isWaiting = false, isLeaving = false, pending = null, inputs = 0;

  function clearErrors() {
    form.querySelectorAll(".autosave-error").forEach((one) => one.remove());
    form.querySelectorAll("[data-refused]").forEach(function (box) { delete box.dataset.refused; box.removeAttribute("aria-invalid"); });
  }

  function showErrors(errors) {
    Object.entries(errors).forEach(function ([id, texts]) {
      const box = document.getElementById(id), list = document.createElement("ul");
      list.className = "errorlist autosave-error";
      list.setAttribute("role", "alert");
      texts.forEach(function (text) { const line = document.createElement("li"); line.textContent = text; list.append(line); });
      if (!box) { status.after(list); return; }
      box.setAttribute("aria-invalid", "true");
      box.dataset.refused = "yes";
      (box.closest(".unit") || box).before(list);
    });
  }

  function showAlerts(html) {
    const place = document.getElementById("visit-alerts");
    const isAnswered = Array.from(place.querySelectorAll("input")).some((box) => box.value || box === document.activeElement);
    if (isAnswered || place.dataset.shown === html) return;
    place.dataset.shown = html;
    place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  }

  function tell(what) { form.dispatchEvent(new CustomEvent(what, { bubbles: true })); }

  async function save() {
    clearTimeout(timer);
    if (isLeaving) return;
    if (isSaving) { isWaiting = true; return; }
    isSaving = true;
    const before = inputs;
    const body = new URLSearchParams(new FormData(form));
    body.set("_auto", "1");
    try {
      const reply = await fetch(form.action || location.href, {
        method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(patience),
      });
      if (!reply.ok) throw new Error(String(reply.status));
      const result = await reply.json();
      if (isLeaving) return;
      clearErrors();
      if (result.version !== undefined) version.value = result.version;
      if (result.alerts !== undefined) showAlerts(result.alerts);
      showErrors(result.errors || {});
      if (result.text) status.textContent = result.text;
      if (!result.isSaved && result.text) tell("hims:refused");
      else if (result.isSaved && !isWaiting && inputs === before) tell("hims:saved"); // nothing was typed meanwhile
    } catch {
      status.textContent = ""; // the draft of what was typed is stored on its own; drafts.js says so if that fails too
    } finally {
      isSaving = false;
      if (pending) send();
      else if (isWaiting) { isWaiting = false; save(); }
    }
  }

  // A form that was sent while a save is on its way waits for the version of that save: without it, the server would take the
  // user's own save for that of a colleague. It waits no longer than `patience`.
  function send() {
    const button = pending.button;
    pending = null;
    delete form.dataset.sent;
    form.requestSubmit(button);
  }

  const isAlert = (box) => box.name && box.name.startsWith("alert-");
  form.addEventListener("change", function (event) { if (!isAlert(event.target) && event.target.name !== "q") save(); });
  form.addEventListener("input", function (event) {
    inputs += 1;
    clearTimeout(timer);
    if (form.dataset.autosave === "typing" && !isAlert(event.target) && event.target.name !== "q") timer = setTimeout(save, pause);
  });
  form.addEventListener("submit", function (event) {
    clearTimeout(timer);
    if (event.defaultPrevented) return;
    if (isSaving) { event.preventDefault(); isWaiting = false; pending = { button: event.submitter }; }
    else isLeaving = true;
  });
  window.addEventListener("pageshow", function () { isLeaving = false; });
})();
