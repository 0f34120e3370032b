// Signing in: the token goes to the server once, and a cookie that no script can read comes back.
"use strict";
document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const token = document.getElementById("token");
  const told = document.getElementById("told");
  told.textContent = "";
  try {
    const answer = await fetch("api/session", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: token.value }),
    });
    if (answer.ok) {
      location.assign("./#policy");
      return;
    }
    told.textContent = `${(await answer.json()).detail}.`;
  } catch {
    told.textContent = "The dashboard doesn't answer.";
  }
  token.select();
});
