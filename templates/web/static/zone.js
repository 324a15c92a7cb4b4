// Chooses the reader's own time zone, as the browser knows it; without this script it is chosen by hand.
const field = document.getElementById("time-zone");
const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (field && !field.value && [...field.options].some((option) => option.value === mine)) {
  field.value = mine;
}
