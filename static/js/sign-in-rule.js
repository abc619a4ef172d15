// Says what a change of “Who may sign in” does, before it is saved. Without it the page says so afterwards.
(() => {
  const form = document.getElementById("api_form");
  const row = form && form.querySelector(".submit-row");
  if (!row || !form.elements.sign_in) return;

  const said = document.createElement("p");
  said.className = "changes";
  said.setAttribute("role", "status");
  row.prepend(said);

  const boxes = () => [...form.querySelectorAll("input[name=sign_in_connections]")];
  const way = () => form.elements.sign_in.value;
  const named = (box) => box.closest("label").querySelector("b").textContent;
  const people = (box) => Number(box.closest("label").querySelector("[data-people]").dataset.people);
  const was = { way: way(), checked: new Set(boxes().filter((box) => box.checked)) };

  const change = () => {
    const chosen = boxes().filter((box) => box.checked);
    if (way() !== "connections") {
      if (way() === was.way) return "";
      return way() === "own_login"
        ? "Whom your own login names can sign in; nobody else."
        : "Members of the client’s consumer can sign in; nobody else.";
    }
    const added = chosen.filter((box) => was.way !== "connections" || !was.checked.has(box));
    const removed = was.way === "connections" ? [...was.checked].filter((box) => !box.checked) : [];
    const sentences = [];
    if (added.length) sentences.push(`People of ${added.map(named).join(" and ")} can sign in at once.`);
    const known = added.reduce((sum, box) => sum + people(box), 0);
    if (known) sentences.push(`${known.toLocaleString("en")} ${known === 1 ? "is" : "are"} known already.`);
    if (removed.length) sentences.push(`Those of ${removed.map(named).join(" and ")} no longer.`);
    return sentences.join(" ");
  };

  form.addEventListener("change", () => {
    said.textContent = change();
  });
})();
