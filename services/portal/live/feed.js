// The latest alerts as sentences, the newest on top.

import { arrange, chip, element } from "./dom.js";
import { agencyName, clockTime, detail, KINDS, STATES } from "./words.js";

export class Feed {
  #list;
  #open;
  #items = new Map();

  constructor(list, open) {
    this.#list = list;
    this.#open = open;
  }

  // entries: as in `Links.feed`, newest first.
  show(entries, now) {
    const items = new Map(entries.map((entry) => [entry.seq, this.#items.get(entry.seq) ?? this.#item(entry, now)]));
    arrange(this.#list, [...items.values()]);
    this.#items = items;
  }

  #item(entry, now) {
    const { kind, link } = entry;
    const warned = kind === "escalated" && !link.overdue;
    const title = link.title.slice(0, 1).toLowerCase() + link.title.slice(1);
    const more = detail(entry) || null;
    const button = element(
      "button",
      { type: "button" },
      element("span", { class: "who" }, `${agencyName(link.agency)}, ${link.role}: `),
      title,
      more && element("span", { class: "then" }, ` — ${more}`),
    );
    button.addEventListener("click", () => this.#open(link.id, button));
    const at = element("time", { datetime: new Date(entry.at).toISOString() }, clockTime(entry.at, now));
    const state = warned ? chip("warned", STATES.warned) : chip(kind, KINDS[kind] ?? kind);
    const head = element("div", { class: "head" }, at, state);
    return element("li", {}, head, button);
  }
}
