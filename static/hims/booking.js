// Booking without a reload: another doctor, type or week shows its free times in place. The buttons work without this file.
const form = document.getElementById("booking");
let request = null;

const part = () => document.getElementById("times");
const buttons = (times) => [...times.querySelectorAll("button[name=look]")];

function enable(is) {
  for (const fieldset of part().querySelectorAll("fieldset")) fieldset.disabled = !is;
}

// The times of before stay in sight, but none can be chosen: they may be of another doctor.
async function look(value) {
  request?.abort();
  request = new AbortController();
  const data = new FormData(form);
  data.set("look", value);
  const focused = part().contains(document.activeElement) ? document.activeElement : null;
  const fromEnd = buttons(part()).reverse().indexOf(focused);
  enable(false);
  try {
    const reply = await fetch(location.href, { method: "POST", body: data, signal: request.signal, headers: { "X-Requested-With": "fetch" } });
    if (!reply.ok) throw new Error(String(reply.status));
    const page = new DOMParser().parseFromString(await reply.text(), "text/html");
    const times = page.getElementById("times");
    if (!times) throw new Error("no times");
    times.querySelector("[autofocus]")?.removeAttribute("autofocus");
    part().replaceWith(times);
    form.elements.from.value = page.querySelector("#booking [name=from]").value;
    if (focused && document.activeElement === document.body) {
      (buttons(times).reverse()[fromEnd] ?? times.querySelector("input, button"))?.focus();
    }
    return true;
  } catch (error) {
    return error.name === "AbortError";
  }
}

function sayThatItFailed() {
  const words = document.createElement("p");
  words.className = "soft";
  words.setAttribute("role", "alert");
  words.textContent = part().dataset.failed;
  part().replaceChildren(words);
}

for (const name of ["doctor", "appointment_type"]) {
  form.elements[name]?.addEventListener("change", async () => {
    if (!(await look(form.elements.from.value))) sayThatItFailed();
  });
}
form.addEventListener("click", async (event) => {
  const button = event.target.closest("button[name=look]");
  if (!button || button.hasAttribute("formaction")) return;
  event.preventDefault();
  const value = button.value === "1" ? form.elements.from.value : button.value;
  if (await look(value)) return;
  enable(true); // a button that is disabled sends nothing
  form.requestSubmit(button);
});
form.addEventListener("input", (event) => {
  if (!/^scheduled_time_/.test(event.target.name)) return;
  const other = form.querySelector("input[name=slot][value='']");
  if (other) other.checked = true;
});
