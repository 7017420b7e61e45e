// Booking without a reload: another doctor, type or week shows its free times in place. The buttons work without this file.
const form = document.getElementById("booking");
let request = null;

async function look(value) {
  request?.abort();
  request = new AbortController();
  const data = new FormData(form);
  data.set("look", value);
  try {
    const reply = await fetch(location.href, { method: "POST", body: data, signal: request.signal, headers: { "X-Requested-With": "fetch" } });
    if (!reply.ok) throw new Error(String(reply.status));
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const times = page.getElementById("times");
    if (!times) throw new Error("no times");
    times.querySelector("[autofocus]")?.removeAttribute("autofocus");
    document.getElementById("times").replaceWith(times);
    form.elements.from.value = page.querySelector("#booking [name=from]").value;
    return true;
  } catch (error) {
    return error.name === "AbortError";
  }
}

for (const name of ["doctor", "appointment_type"]) {
  form.elements[name]?.addEventListener("change", () => look(form.elements.from.value));
}
form.addEventListener("click", async (event) => {
  const button = event.target.closest("button[name=look]");
  if (!button || button.hasAttribute("formaction")) return;
  event.preventDefault();
  const value = button.value === "1" ? form.elements.from.value : button.value;
  if (!(await look(value))) form.requestSubmit(button);
});
form.addEventListener("input", (event) => {
  if (!/^scheduled_time_/.test(event.target.name)) return;
  const other = form.querySelector("input[name=slot][value='']");
  if (other) other.checked = true;
});
