// What is known of the links: plain data, no page. Fed by the list of open links and by alerts.

export const MAX_OPEN = 2000;
export const MAX_ENDED = 200;
export const MAX_FEED = 80;
const MAX_SEEN = 40; // alerts kept per link
const MAX_ROWS = 60; // rows of one group
const URGENCIES = ["immediate", "same_shift", "same_day", "routine"];
const ENDED = new Set(["satisfied", "waived", "cancelled"]);
const FIRED = new Set(["overdue", "escalated"]);
const UNTOLD = new Set(["notified"]); // counted, not told

export const GROUPS = ["escalated", "overdue", ...URGENCIES, "ended"];

export const kindOf = (event) => event.type.slice("link.".length);
export const ended = (link) => ENDED.has(link.state);

// What a person sees as the state: the most pressing truth about it.
export function stateOf(link) {
  if (ended(link)) return link.state;
  if (link.escalated_to > 0) return link.overdue ? "escalated" : "warned";
  return link.overdue ? "overdue" : link.state;
}

function groupOf(link) {
  const state = stateOf(link);
  if (ended(link)) return "ended";
  if (state === "escalated" || state === "overdue") return state;
  return URGENCIES.includes(link.urgency) ? link.urgency : "routine";
}

export class Links {
  counted = { satisfied: 0, waived: 0, alerts: 0 };
  feed = []; // newest first
  dropped = false; // whether more are open than are kept
  #links = new Map();
  #heard = new Set(); // links told of since the connection was made, so newer than the list of open links
  #lead = 0; // ms by which the backbone's clock, which a demonstration moves at will, is ahead of this device's

  // What the backbone says its time is.
  clockIs(at) {
    this.#lead = at - Date.now();
  }

  now() {
    return Date.now() + this.#lead;
  }

  get(id) {
    return this.#links.get(id);
  }

  connected() {
    this.#heard.clear();
  }

  // The open links as listed; whatever is not among them and was not heard of has ended meanwhile.
  listed(forms) {
    const open = new Set(forms.map((form) => form.id));
    for (const [id, link] of this.#links) {
      if (!ended(link) && !open.has(id) && !this.#heard.has(id)) this.#links.delete(id);
    }
    for (const form of forms) {
      if (!this.#heard.has(form.id)) this.#put(fromForm(form, this.#links.get(form.id)));
    }
    this.#bound();
  }

  heard(event, seq) {
    const kind = kindOf(event);
    const link = fromAlert(event, this.#links.get(event.subject));
    const passed = provenPassed(event);
    if (passed > this.now()) this.clockIs(passed);
    this.#heard.add(link.id);
    this.counted.alerts += 1;
    if (kind in this.counted) this.counted[kind] += 1;
    const to = { agency: event.toagency, role: event.torole };
    link.seen = [...link.seen, { kind, at: at(event.time), step: event.data.step, to }].slice(-MAX_SEEN);
    this.#put(link);
    this.#bound();
    if (!UNTOLD.has(kind)) {
      this.feed.unshift({ seq, kind, at: at(event.time), link, to });
      this.feed.length = Math.min(this.feed.length, MAX_FEED);
    }
    return { kind, link };
  }

  counts() {
    const found = { open: 0, overdue: 0, escalated: 0 };
    for (const link of this.#links.values()) {
      if (ended(link)) continue;
      found.open += 1;
      if (link.overdue) found.overdue += 1;
      if (link.escalated_to > 0) found.escalated += 1;
    }
    return { ...found, ...this.counted };
  }

  // [group, rows, how many more there are], the most pressing group and row first; empty groups are left out.
  groups(wanted) {
    const found = new Map(GROUPS.map((name) => [name, []]));
    for (const link of this.#links.values()) {
      if (wanted(link)) found.get(groupOf(link)).push(link);
    }
    const told = [];
    for (const [name, links] of found) {
      if (!links.length) continue;
      links.sort(name === "ended" ? (a, b) => b.ended_at - a.ended_at : byDue);
      told.push([name, links.slice(0, MAX_ROWS), links.length]);
    }
    return told;
  }

  #put(link) {
    this.#links.set(link.id, link);
  }

  // Seldom: ended ones go first, then the least pressing.
  #bound() {
    if (this.#links.size <= MAX_OPEN + MAX_ENDED) return;
    const all = [...this.#links.values()];
    const over = all.filter(ended).sort((a, b) => b.ended_at - a.ended_at);
    const open = all.filter((link) => !ended(link)).sort(byPressing);
    for (const { id } of [...over.slice(MAX_ENDED / 2), ...open.slice(MAX_OPEN)]) this.#links.delete(id);
    this.dropped ||= open.length > MAX_OPEN;
  }
}

export const at = (text) => (text === undefined ? null : Date.parse(text));
const byDue = (a, b) => (a.due_at ?? Infinity) - (b.due_at ?? Infinity) || a.opened_at - b.opened_at;
const byPressing = (a, b) => GROUPS.indexOf(groupOf(a)) - GROUPS.indexOf(groupOf(b)) || byDue(a, b);

// The latest instant the alert proves to have passed on the backbone's clock: a deadline it fired, or when it recorded
// the trigger. Times that a publisher wrote prove nothing; they may be wrong.
function provenPassed(event) {
  const { link } = event.data;
  const fired = FIRED.has(kindOf(event)) ? at(event.time) : -Infinity;
  const recorded = link.lag_s > 0 ? at(link.opened_at) + link.lag_s * 1000 : -Infinity;
  return Math.max(fired, recorded);
}

function fromAlert(event, before) {
  const { link, rule_title, action, to_agency, to_role, step } = event.data;
  const hears = step > 0 ? { agency: to_agency, role: to_role } : before?.hears ?? null;
  return picture(link, event.caseid, rule_title, action, event.policyversion, hears, before);
}

function fromForm(form, before) {
  const rung = form.steps.filter((step) => step.reached && step.number > 0).at(-1);
  const hears = rung ? { agency: rung.agency, role: rung.role } : null;
  return picture(form, form.case_id, form.rule_title, form.action, form.edition, hears, before);
}

function picture(link, case_id, title, action, edition, hears, before) {
  return {
    id: link.id,
    case_id,
    rule: link.rule,
    edition,
    title,
    action,
    agency: link.agency,
    role: link.role,
    urgency: link.urgency,
    state: link.state,
    overdue: link.overdue,
    escalated_to: link.escalated_to,
    hears,
    opened_at: at(link.opened_at),
    due_at: at(link.due_at),
    notified_at: at(link.notified_at),
    acknowledged_at: at(link.acknowledged_at),
    ended_at: at(link.ended_at),
    references: link.references,
    seen: before?.seen ?? [],
  };
}
