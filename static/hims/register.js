// Looks for the same person while a patient is typed, and shows the records next to the form. After a refused save the server
// shows them too, so the form works without this file.
const form = document.getElementById("registration");
const box = document.getElementById("matches-box");
if (form?.dataset.matches) {
  const tick = document.getElementById("other-person");
  const watched = ["first_name", "middle_name", "last_name", "date_of_birth", "age", "gender", "phone", "email", "street", "zip"];
  let timer = 0;
  let request = null;

  async function look() {
    request?.abort();
    request = new AbortController();
    try {
      const reply = await fetch(form.dataset.matches, { method: "POST", body: new FormData(form), signal: request.signal });
      if (!reply.ok || reply.redirected) return;
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const found = page.getElementById("matches");
      const before = document.getElementById("matches");
      if (!found || found.innerHTML === before.innerHTML) return;
      box.replaceChildren(found);
      tick.hidden = !found.dataset.review;
      const input = tick.querySelector("input");
      if (input.value !== found.dataset.ids) input.checked = false;
      input.value = found.dataset.ids;
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }
  form.addEventListener("input", (event) => {
    if (!watched.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(look, 500);
  });
  if (form.elements.last_name?.value && form.elements.date_of_birth?.value && !tick.querySelector("input").value) look();
}
