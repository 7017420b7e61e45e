// Suggestions of the patient search: a list under the box, after two characters. The search works without this file.
const box = document.getElementById("hims-search");
const form = box?.form;
if (form?.dataset.suggestions) {
  const list = document.createElement("ul");
  list.className = "pop";
  list.id = "find-list";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", form.querySelector("label").textContent);
  list.hidden = true;
  form.append(list);
  const initial = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
  for (const [name, value] of Object.entries(initial)) box.setAttribute(name, value);
  let timer = 0;
  let request = null;

  const options = () => Array.from(list.children);
  const active = () => list.querySelector("[aria-selected=true]");

  function show(isShown) {
    list.hidden = !isShown;
    box.setAttribute("aria-expanded", String(isShown));
    if (!isShown) select(null);
  }
  function select(option) {
    active()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
    else box.removeAttribute("aria-activedescendant");
  }
  async function suggest() {
    request?.abort();
    const text = box.value.trim();
    if (text.length < 2) { show(false); return; }
    request = new AbortController();
    try {
      const reply = await fetch(`${form.dataset.suggestions}?${new URLSearchParams({ q: text })}`, { signal: request.signal });
      if (!reply.ok || reply.redirected) { show(false); return; }
      list.innerHTML = await reply.text();
      select(null);
      show(list.childElementCount > 0 && document.activeElement === box);
    } catch (error) {
      if (error.name !== "AbortError") show(false);
    }
  }
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(suggest, 200); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.preventDefault(); show(false); return; }
    if (list.hidden) return;
    const all = options();
    const here = all.indexOf(active());
    if (event.key === "ArrowDown") { event.preventDefault(); select(all[(here + 1) % all.length]); }
    else if (event.key === "ArrowUp") { event.preventDefault(); select(all[(here <= 0 ? all.length : here) - 1]); }
    else if (event.key === "Enter" && active()) { event.preventDefault(); location.assign(active().dataset.url); }
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.url);
  });
  form.addEventListener("submit", () => { clearTimeout(timer); request?.abort(); show(false); });
  box.addEventListener("blur", () => show(false));
}
