// Dragging a scheduled issue or a slot to another day sends the form that stands under “Move …”, with that day in it.

let dragged = null;

for (const form of document.querySelectorAll(".calendar .entry form")) {
  const entry = form.closest(".entry");
  entry.draggable = true;
  entry.addEventListener("dragstart", (event) => {
    dragged = form;
    event.dataTransfer.effectAllowed = "move";
  });
  entry.addEventListener("dragend", () => {
    dragged = null;
  });
}

for (const day of document.querySelectorAll(".calendar [data-day]")) {
  day.addEventListener("dragover", (event) => {
    if (dragged) event.preventDefault();
  });
  day.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!dragged || dragged.elements.day.value === day.dataset.day) return;
    dragged.elements.day.value = day.dataset.day;
    dragged.requestSubmit();
  });
}
