// The board: every link that is owed, the most pressing first. Rows are kept and changed, not made anew.

import { arrange, chip, element, say } from "./dom.js";
import { stateOf } from "./links.js";
import { agencyName, clockTime, dueWords, GROUP_TITLES, span, STATES, stateNote } from "./words.js";

const COLUMNS = { state: "State", what: "What is owed", by: "By whom", numbers: "Numbers", began: "Since", due: "Due" };
const MAX_NUMBERS = 2; // the rest is in the panel

export class Board {
  #root;
  #open;
  #groups = new Map();
  #rows = new Map();

  constructor(root, open) {
    this.#root = root;
    this.#open = open;
  }

  // groups: as `Links.groups` gives them.
  show(groups, now) {
    const rows = new Map();
    const sections = [];
    for (const [name, links, total] of groups) {
      const group = this.#groups.get(name) ?? this.#group(name);
      this.#groups.set(name, group);
      const shown = links.map((link) => {
        const row = this.#rows.get(link.id) ?? this.#row(link);
        rows.set(link.id, row);
        fill(row, link, now);
        return row.root;
      });
      arrange(group.body, shown);
      say(group.count, String(total));
      const left = total - links.length;
      group.more.hidden = left === 0;
      say(group.more, left ? `and ${left} more: narrow the filter to see them` : "");
      sections.push(group.root);
    }
    arrange(this.#root, sections);
    this.#rows = rows;
  }

  // Relative times go on while nothing else happens.
  tick(find, now) {
    for (const [id, row] of this.#rows) {
      const link = find(id);
      if (link) fillTimes(row, link, now);
    }
  }

  select(id) {
    for (const [key, row] of this.#rows) row.root.classList.toggle("selected", key === id);
  }

  button(id) {
    return this.#rows.get(id)?.button;
  }

  #group(name) {
    const count = element("span", { class: "count" });
    const heading = element("h2", { id: `g-${name}` }, GROUP_TITLES[name], " ", count);
    const body = element("tbody");
    const head = element("tr", {}, ...Object.values(COLUMNS).map((text) => element("th", { scope: "col" }, text)));
    const widths = Object.keys(COLUMNS).map((column) => element("col", { class: `c-${column}` }));
    const table = element("table", { "aria-labelledby": `g-${name}` });
    table.append(element("colgroup", {}, ...widths), element("thead", {}, head), body);
    const more = element("p", { class: "more", hidden: true });
    const root =
      name === "ended"
        ? element("details", { class: "group" }, element("summary", {}, heading), table, more)
        : element("section", { class: "group", "aria-labelledby": `g-${name}` }, heading, table, more);
    return { root, body, count, more };
  }

  #row(link) {
    const cells = Object.keys(COLUMNS).map((name) => element("td", { class: name }));
    const [state, what, by, numbers, began, due] = cells;
    const button = element("button", { type: "button", class: "open" }, link.title);
    button.addEventListener("click", () => this.#open(link.id, button));
    const action = element("span", { class: "action" }, link.action);
    what.append(button, action);
    const agency = element("span", { class: "agency" });
    const role = element("span", { class: "small" });
    by.append(agency, role);
    const small = (text = "") => element("span", { class: "small" }, text);
    const parts = { since: element("span"), opened: small(), due: element("span"), at: small() };
    numbers.append(...link.references.slice(0, MAX_NUMBERS).map(({ number }) => small(number)));
    began.append(parts.since, parts.opened);
    due.append(parts.due, parts.at);
    const root = element("tr", { "data-link": link.id }, ...cells);
    return { root, button, action, state, agency, role, ...parts, shown: null };
  }
}

function fill(row, link, now) {
  const state = stateOf(link);
  const note = stateNote(link);
  const shown = `${state} ${note}`;
  if (row.shown !== shown) {
    if (row.shown !== null) flash(row.root);
    row.shown = shown;
    row.root.dataset.state = state;
    row.state.replaceChildren(chip(state, STATES[state]));
    if (note) row.state.append(element("span", { class: "small" }, note));
  }
  say(row.button, link.title);
  say(row.action, link.action);
  say(row.agency, agencyName(link.agency));
  say(row.role, link.role);
  fillTimes(row, link, now);
}

function fillTimes(row, link, now) {
  say(row.since, span(now - link.opened_at));
  say(row.opened, clockTime(link.opened_at, now));
  say(row.due, dueWords(link, now));
  const at = link.ended_at ?? link.due_at;
  say(row.at, at === null ? "" : clockTime(at, now));
}

function flash(row) {
  row.classList.remove("changed");
  void row.offsetWidth; // so that the animation starts again
  row.classList.add("changed");
}
