// Lets people see the password that they type. Without it the fields work as they are.
for (const button of document.querySelectorAll("button.reveal")) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  const status = button.nextElementSibling;
  const show = { label: button.getAttribute("aria-label"), text: button.textContent };
  const hide = { label: button.dataset.hideLabel, text: button.dataset.hide };

  const reveal = (isShown) => {
    field.type = isShown ? "text" : "password";
    const next = isShown ? hide : show;
    button.textContent = next.text;
    button.setAttribute("aria-label", next.label);
  };

  button.addEventListener("click", () => {
    const isShown = field.type === "password";
    reveal(isShown);
    status.textContent = isShown ? button.dataset.shown : button.dataset.hidden;
  });
  // What was sent as text is what browsers offer to fill in again, in other people's sight.
  field.form.addEventListener("submit", () => reveal(false));
  // A page that comes back as it was left.
  addEventListener("pagehide", () => reveal(false));
  button.hidden = false;
}
