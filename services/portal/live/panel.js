// One link from beginning to end: what happened to it, who hears next, and what happened in its case.

import { chip, element, say } from "./dom.js";
import { ended, stateOf } from "./links.js";
import { agencyName, clockTime, detail, dueWords, KINDS, kindOfNumber, span } from "./words.js";
import { STATES, urgencyName, wholeTime, who } from "./words.js";

const MAX_CASE_EVENTS = 12;
const NARROW = matchMedia("(max-width: 60rem)");

export class Panel {
  #dialog;
  #ask;
  #link = null;
  #asked = 0;
  #form = null;
  #events = null;
  #from = null;

  // ask(path) → promise of JSON; closed(id, button) when it was closed, with what it was opened from.
  constructor(dialog, ask, closed) {
    this.#dialog = dialog;
    this.#ask = ask;
    dialog.addEventListener("close", () => {
      const id = this.#link?.id;
      this.#link = null;
      closed(id, this.#from);
    });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "Escape") dialog.close();
    });
  }

  get id() {
    return this.#link?.id ?? null;
  }

  open(link, now, from) {
    this.#from = from;
    this.#link = link;
    this.#form = this.#events = null;
    this.#draw(now);
    if (!this.#dialog.open) NARROW.matches ? this.#dialog.showModal() : this.#dialog.show();
    this.#dialog.scrollTop = 0;
    this.#dialog.querySelector("h2").focus({ preventScroll: true });
    this.#load(now);
  }

  changed(link, now) {
    if (this.#link === null || link.id !== this.#link.id) return;
    this.#link = link;
    this.#draw(now);
    this.#load(now);
  }

  // Relative times go on while nothing else happens.
  tick(now) {
    if (this.#link === null) return;
    say(this.#dialog.querySelector("#panel-since"), `${span(now - this.#link.opened_at)} ago`);
    say(this.#dialog.querySelector("#panel-due"), dueWords(this.#link, now));
  }

  async #load(now) {
    const turn = ++this.#asked;
    const { id, case_id } = this.#link;
    const [form, found] = await Promise.all([
      this.#ask(`/v1/links/${encodeURIComponent(id)}`).catch(() => null),
      this.#ask(`/v1/cases/${encodeURIComponent(case_id)}`).catch(() => null),
    ]);
    if (turn !== this.#asked || this.#link === null) return;
    this.#form = form;
    const acts = found?.timeline.filter(({ type }) => !type.startsWith("link.")) ?? [];
    this.#events = acts.slice(-MAX_CASE_EVENTS).reverse();
    this.#draw(now);
  }

  #draw(now) {
    const link = this.#link;
    const focused = this.#dialog.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    const close = element("button", { type: "button", class: "close", "data-focus": "close" }, "Close");
    close.addEventListener("click", () => this.#dialog.close());
    const state = stateOf(link);
    this.#dialog.replaceChildren(
      element("div", { class: "panel-top" }, chip(state, STATES[state]), close),
      element("h2", { id: "panel-title", tabindex: "-1", "data-focus": "title" }, link.title),
      element("p", { class: "action" }, link.action),
      facts(link),
      element("h3", {}, "What happened, and who hears next"),
      element("ol", { class: "history" }, ...history(link, this.#form).map((item) => line(item, now))),
      ...caseEvents(this.#events, now),
    );
    this.tick(now);
    if (focused) this.#dialog.querySelector(`[data-focus=${focused}]`)?.focus({ preventScroll: true });
  }
}

function facts(link) {
  const small = (text, id) => element("span", { class: "small", id }, text);
  const rows = [
    ["Owed by", who(link)],
    ["Urgency", urgencyName(link.urgency)],
    ["Since", wholeTime(link.opened_at), small("", "panel-since")],
    ["Due", link.due_at === null ? "" : wholeTime(link.due_at), small("", "panel-due")],
    ...link.references.map(({ kind, number }) => [kindOfNumber(kind), number]),
    ["Rule", link.rule, small(`policies ${link.edition}`)],
  ];
  const row = ([name, ...told]) => element("div", {}, element("dt", {}, name), element("dd", {}, ...told));
  return element("dl", { class: "facts" }, ...rows.map(row));
}

// Its life: what the alerts seen on this page told, and for the rest the link as it stands.
function history(link, form) {
  const items = [];
  const told = new Set();
  const add = (name, state, at, text, ahead = false) => {
    told.add(name);
    items.push({ at, text, state, ahead });
  };
  const fill = (name, state, at, text) => at !== null && !told.has(name) && add(name, state, at, text);
  for (const { kind, at, step, to } of link.seen) {
    const warned = kind === "escalated" && isBefore(at, link);
    const more = detail({ kind, at, link, to });
    const name = warned ? STATES.warned : KINDS[kind] ?? kind;
    add(kind === "escalated" ? `step ${step}` : kind, warned ? "warned" : kind, at, more ? `${name}: ${more}` : name);
  }
  fill("opened", "opened", link.opened_at, KINDS.opened);
  fill("notified", "notified", link.notified_at, KINDS.notified);
  fill("acknowledged", "acknowledged", link.acknowledged_at, KINDS.acknowledged);
  for (const { number, agency, role, reached, at: text } of form?.steps ?? []) {
    const at = Date.parse(text);
    const rung = who({ agency, role });
    if (!reached) {
      if (!ended(link)) add("", number ? "warned" : "opened", at, number ? `${rung} will be told` : "Due", true);
    } else if (number) {
      const warned = isBefore(at, link);
      const name = warned ? STATES.warned : KINDS.escalated;
      fill(`step ${number}`, warned ? "warned" : "escalated", at, `${name}: ${rung} told`);
    } else {
      fill("overdue", "overdue", at, KINDS.overdue);
    }
  }
  if (ended(link)) fill(link.state, link.state, link.ended_at, STATES[link.state]);
  return items.sort((a, b) => a.at - b.at);
}

const isBefore = (at, link) => link.due_at === null || at < link.due_at;

function line({ at, text, state, ahead }, now) {
  const when = element("time", { datetime: new Date(at).toISOString() }, clockTime(at, now));
  const attributes = { class: ahead ? "ahead" : null, "data-state": state };
  return element("li", attributes, when, chip(state, ""), element("span", {}, text));
}

function caseEvents(events, now) {
  if (!events?.length) return [];
  const rows = events.map((event) => {
    const at = Date.parse(event.occurred_at);
    const when = element("time", { datetime: event.occurred_at }, clockTime(at, now));
    const words = event.type.replace(/[._]/g, " ");
    const by = element("span", { class: "small" }, agencyName(event.agency));
    return element("li", {}, when, element("span", {}, `${words}, `, by));
  });
  return [element("h3", {}, "Latest in this case"), element("ol", { class: "history events" }, ...rows)];
}
