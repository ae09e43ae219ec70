// Sends forms and buttons as JSON to the accounts plugin. It accepts nothing else, so no other site can post to it.
const post = (url, body) =>
  fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

for (const form of document.querySelectorAll("form[data-json]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    const error = form.querySelector(".error");
    button.disabled = true;
    error.hidden = true;
    const body = Object.fromEntries(new FormData(form));
    if (form.dataset.json.includes("authenticate")) body.next = form.dataset.then;
    try {
      const answer = await post(form.dataset.json, body);
      const said = await answer.json();
      // Our own answers are in Chinese; the plugin's are in English, and the form says it better.
      if (!said.ok) throw new Error(/[^\x00-\x7f]/.test(said.error) ? said.error : "", { cause: "said" });
      location.assign(said.must_change_password ? "/-/account" : said.redirect || form.dataset.then);
    } catch (refused) {
      error.textContent = (refused.cause === "said" && refused.message) || error.dataset.default;
      error.hidden = false;
      button.disabled = false;
    }
  });
}

for (const button of document.querySelectorAll("button[data-post]")) {
  button.addEventListener("click", async () => {
    await post(button.dataset.post, JSON.parse(button.dataset.body || "{}"));
    location.assign(button.dataset.then);
  });
}
