// Tables of many rows that stay where they are while their numbers change, and that can be sorted by any column.

import {element} from "./charts.js";

/**
 * Puts a table into a section. columns: {group, title, about, of(row), show(row), kind(row)}, where `of` is what is
 * sorted by, `show` a text or an element, and `kind` the cell's class. The first column is each row's heading.
 * Returns what shows rows, each with a `key`, and with the row `under` which it stays, if any.
 */
export function table(section, columns, sorted, descending = true) {
  const body = element("tbody");
  const headings = columns.map((column) => element("th", {scope: "col", class: column.text ? "text" : null}, heading(column)));
  const head = element("thead", {}, groups(columns), element("tr", {}, ...headings));
  const caption = section.querySelector("h2").id;
  const scroll = element("div", {class: "scroll", tabindex: 0, role: "region", "aria-labelledby": caption});
  scroll.append(element("table", {"aria-labelledby": caption}, head, body));
  const note = element("p", {class: "note"});
  section.append(scroll, note);
  const shown = new Map();
  let rows = [];

  headings.forEach((each, place) => each.firstChild.addEventListener("click", () => {
    descending = sorted === place ? !descending : !columns[place].text;
    sorted = place;
    order();
  }));

  function order() {
    headings.forEach((each, place) => {
      if (place === sorted) each.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else each.removeAttribute("aria-sort");
    });
    const {of} = columns[sorted] ?? {};
    if (of) rows.sort((one, other) => compared(of(one.under ?? one), of(other.under ?? other), descending));
    // A row that is in its place already is left there: it may have the focus.
    rows.forEach((row, place) => {
      const line = shown.get(row.key).line;
      if (body.children[place] !== line) body.insertBefore(line, body.children[place] ?? null);
    });
  }

  function heading({title, about}) {
    return element("button", {type: "button", title: about}, title);
  }

  return (given, text) => {
    rows = [...given];
    const kept = new Set(rows.map((row) => row.key));
    for (const [key, {line}] of shown) if (!kept.has(key)) { line.remove(); shown.delete(key); }
    for (const row of rows) {
      if (!shown.has(row.key)) shown.set(row.key, blank(columns, row));
      update(shown.get(row.key), columns, row);
    }
    order();
    note.textContent = text;
    scroll.hidden = !rows.length;
  };
}

function groups(columns) {
  const line = element("tr");
  for (let place = 0; place < columns.length;) {
    const {group} = columns[place];
    let end = place + 1;
    while (group && columns[end]?.group === group) end++;
    line.append(group ? element("th", {scope: "colgroup", colspan: end - place}, group) : element("td"));
    place = end;
  }
  return columns.some((column) => column.group) ? line : "";
}

function blank(columns, row) {
  const cells = columns.map((column, place) => (place ? element("td") : element("th", {scope: "row"})));
  return {line: element("tr", {class: row.class}, ...cells), cells, shown: []};
}

function update(line, columns, row) {
  columns.forEach((column, place) => {
    const value = column.show(row);
    const mark = typeof value === "string" ? value : value.outerHTML;
    if (line.shown[place] !== mark) line.cells[place].replaceChildren(value);
    line.shown[place] = mark;
    line.cells[place].className = [column.text ? "text" : "", column.kind?.(row) ?? ""].join(" ").trim();
  });
}

/** What is not known comes last, either way. */
function compared(one, other, descending) {
  if (one === other) return 0;
  if (one === undefined || one === null) return 1;
  if (other === undefined || other === null) return -1;
  const order = typeof one === "string" ? one.localeCompare(other) : one - other;
  return descending ? -order : order;
}
