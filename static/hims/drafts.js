// Stores what is typed on the server, a second after typing stops and every 5 seconds meanwhile, and warns before an idle session ends. Nothing is stored in
// the browser: computers are shared. Without this file a form that is sent after the session ended is restored all the same.
(function () {
  "use strict";
  const meta = document.querySelector('meta[name="hims-drafts"]');
  if (!meta) return;
  const about = meta.dataset, pause = 1000, longest = 5000, patience = 2000, again = 3000, warning = 120;
  const noIdentity = new Set(["csrfmiddlewaretoken", "version", "searched", "next", "new_id", "from", "seen"]);
  const notStorable = new Set([400, 413]); // too large or not readable: asking again would change nothing
  const states = new Map(); // form -> {timer, isChanged, typedAt, isChanged, isSending, isWaiting, hasFailed, sent, line}

  const isTyped = (box) => box.name && !/^(hidden|password|file|submit|button|reset|image)$/.test(box.type);
  const isSecret = (box) => box.type === "password" || box.autocomplete === "one-time-code";
  const forms = Array.from(document.querySelectorAll("#content form")).filter(function (form) {
    const boxes = Array.from(form.elements);
    return form.method === "post" && !("noDraft" in form.dataset) && boxes.some(isTyped) && !boxes.some(isSecret);
  });

  // The line is made when there is something to say, and comes after the form that it is about.
  function lineOf(form) {
    const state = states.get(form);
    if (!state.line) {
      state.line = document.createElement("p");
      state.line.className = "draft-line";
      state.line.setAttribute("role", "status");
      form.after(state.line);
    }
    return state.line;
  }

  function show(form, text, isBad, link) {
    if (!text && !states.get(form).line) return;
    const line = lineOf(form);
    line.replaceChildren(text);
    if (link) {
      const sign = document.createElement("a");
      sign.href = `${about.login}?next=${encodeURIComponent(location.pathname + location.search)}`;
      sign.target = "_blank";
      sign.textContent = link;
      line.append(" ", sign);
    }
    line.classList.toggle("bad", Boolean(isBad));
    line.hidden = !text;
  }

  function packed(form) {
    const fields = {}, hidden = [];
    new FormData(form).forEach(function (value, name) {
      if (typeof value === "string" && name !== "csrfmiddlewaretoken") (fields[name] = fields[name] || []).push(value);
    });
    form.querySelectorAll('input[type="hidden"]').forEach((box) => { if (box.name && !noIdentity.has(box.name)) hidden.push([box.name, box.value]); });
    const address = new URL(form.getAttribute("action") || location.href, location.href);
    return new URLSearchParams({
      writer: about.writer, path: address.pathname + address.search, fields: JSON.stringify(fields),
      identity: new URLSearchParams(hidden.sort()).toString(),
    });
  }

  function fresh(token) {
    document.querySelectorAll('input[name="csrfmiddlewaretoken"]').forEach((box) => { box.value = token; });
  }

  // Only a page that is left sends with `keepalive`: the browser refuses it for more than 64 KiB.
  function store(form, isLeaving = false) {
    const state = states.get(form);
    clearTimeout(state.timer);
    if (state.isSending && !isLeaving) state.timer = setTimeout(() => store(form), pause);
    else state.sent = send(form, isLeaving);
    return state.sent;
  }

  async function send(form, isLeaving) {
    const state = states.get(form);
    state.isSending = true;
    state.isChanged = false;
    try {
      const reply = await fetch(about.url, { method: "POST", body: packed(form), headers: { Accept: "application/json" }, keepalive: isLeaving });
      state.hasFailed = false;
      if (notStorable.has(reply.status)) { show(form, about.notStored, true); return; }
      const text = await reply.json();
      if (reply.status === 401) show(form, about.signedOut, true, about.signIn);
      else if (!reply.ok) throw new Error(String(reply.status));
      else { fresh(text.csrf); active(); show(form, ""); }
      form.dispatchEvent(new CustomEvent("hims:stored", { bubbles: true }));
      if (reply.status === 401) state.timer = setTimeout(() => store(form), again * 3); // signed in again in another tab
    } catch {
      state.hasFailed = true;
      show(form, about.noServer, true);
      state.timer = setTimeout(() => store(form), again);
    } finally {
      state.isSending = false;
    }
  }

  function typed(form) {
    const state = states.get(form);
    if (!state.isChanged) state.typedAt = Date.now();
    state.isChanged = true;
    clearTimeout(state.timer);
    state.timer = setTimeout(() => store(form), Math.max(0, Math.min(pause, state.typedAt + longest - Date.now())));
  }

  // The last words are stored before the form is sent: a reply that fails would lose them. A slow server delays it only shortly.
  async function storeAndSend(form, button) {
    const state = states.get(form);
    state.isWaiting = true;
    const stored = (async () => { await state.sent; await store(form); })(); // after the request that is on its way
    await Promise.race([stored, new Promise((go) => { setTimeout(go, patience); })]);
    state.isWaiting = false;
    if (state.hasFailed) { lineOf(form).scrollIntoView({ block: "nearest" }); return; }
    state.isChanged = false;
    form.requestSubmit(button);
  }

  forms.forEach(function (form) {
    const state = { timer: 0, typedAt: 0, isChanged: false, isSending: false, isWaiting: false, hasFailed: false, sent: null, line: null };
    states.set(form, state);
    form.addEventListener("input", () => typed(form));
    form.addEventListener("change", () => typed(form));
    form.addEventListener("hims:saved", function () { clearTimeout(state.timer); state.isChanged = false; });
    // While the server does not answer, the page stays: leaving it would lose what was typed.
    form.addEventListener("submit", function (event) {
      if (state.hasFailed || state.isChanged || state.isWaiting) {
        event.preventDefault();
        event.stopImmediatePropagation();
        if (state.hasFailed) { store(form); lineOf(form).scrollIntoView({ block: "nearest" }); }
        else if (!state.isWaiting) storeAndSend(form, event.submitter);
        return;
      }
      clearTimeout(state.timer);
    }, true);
  });
  window.addEventListener("pagehide", function () {
    states.forEach((state, form) => { if (state.isChanged) store(form, true); });
  });

  // The session: other tabs extend it too, so they tell each other when they did (a time, nothing else).
  const key = "hims-active", idle = Number(about.idle);
  function active() { localStorage.setItem(key, String(Date.now())); }
  const left = () => idle - (Date.now() - Number(localStorage.getItem(key) || 0)) / 1000;
  active();

  // What is about no form in particular is said where the user typed last.
  let lastTyped = forms[0];
  document.addEventListener("input", function (event) { if (states.has(event.target.form)) lastTyped = event.target.form; });
  function say(text, link) { if (lastTyped) show(lastTyped, text, true, link); }

  const dialog = document.getElementById("hims-idle");
  const shownLeft = document.getElementById("hims-idle-left");
  let isOver = false;
  if (dialog) {
    document.getElementById("hims-idle-stay").addEventListener("click", async function () {
      dialog.close();
      try {
        const reply = await fetch(about.url, { headers: { Accept: "application/json" } });
        if (reply.ok) active(); else say(about.signedOut, about.signIn);
      } catch { say(about.noServer); }
    });
    setInterval(function () {
      const seconds = Math.round(left());
      if (seconds > warning) { if (dialog.open) dialog.close(); isOver = false; return; }
      if (seconds > 0) {
        const { minutes, seconds: short } = shownLeft.dataset; // texts of the page's language, with {n} to fill in
        shownLeft.textContent = seconds > 60 ? minutes.replace("{n}", Math.ceil(seconds / 60)) : short.replace("{n}", seconds);
        if (!dialog.open) dialog.showModal();
      } else if (!isOver) {
        // The text is stored. The page with the patient's data goes; the server asks to sign in and leads back here.
        isOver = true;
        dialog.close();
        if (Array.from(states.values()).every((state) => !state.isChanged && !state.hasFailed && !state.isSending)) {
          document.dispatchEvent(new CustomEvent("hims:leaving"));
          location.reload();
        } else say(about.signedOut, about.signIn);
      }
    }, 1000);
  }
})();
