// Follows the alert stream and keeps the board in step. Only text nodes are made from what arrives.
"use strict";

const STORED = "ccr-key";
const SILENT_MS = 40_000; // no bytes, not even a heartbeat: the connection is dead
const SHOWN = 200;
const FED = 60;
const KINDS = {
  opened: "Opened", notified: "Sent to", acknowledged: "Received by", satisfied: "Done by", waived: "Waived for",
  overdue: "Overdue at", escalated: "Escalated to", cancelled: "Taken back for", reopened: "Opened again for",
  rescheduled: "New due time for",
};
const URGENCIES = { immediate: "Immediate", same_shift: "Same shift", same_day: "Same day", routine: "Routine" };
const REFERENCES = {
  cad_no: "Call", incident_no: "Incident", booking_no: "Booking", court_case_no: "Court file", order_no: "Order",
  referral_no: "Referral",
};
const ENDED = new Set(["satisfied", "waived", "cancelled"]);

const at = (id) => document.getElementById(id);
const links = new Map(); // link id → link, open ones and those just ended
const cards = new Map(); // link id → its element
const cases = new Set();
let key = "";
let agency = "";
let done = 0;
let lastId = "";
let clockMs = 0; // the backbone's clock when it was last told, and this browser's then
let toldMs = 0;
let session = 0; // raised at sign-in and sign-out: what an older one still has under way is dropped
let pending = false;
let announced = [];

const names = Object.fromEntries([...at("agency").options].map((o) => [o.value, o.textContent]));
const nameOf = (value) => names[value] || value;

function nowMs() { return clockMs + (performance.now() - toldMs); }
function tellTime(iso) {
  const ms = Date.parse(iso);
  if (ms > nowMs() || !clockMs) { clockMs = ms; toldMs = performance.now(); }
}

// ── the key

function takeKey() {
  const fromAddress = new URLSearchParams(location.hash.slice(1)).get("key");
  if (fromAddress) {
    history.replaceState(null, "", location.pathname);
    sessionStorage.setItem(STORED, fromAddress);
  }
  return fromAddress || sessionStorage.getItem(STORED) || "";
}

function ask(why) {
  session += 1;
  key = "";
  if (at("case").open) at("case").close();
  sessionStorage.removeItem(STORED);
  at("board").hidden = true;
  at("leave").hidden = true;
  at("enter").hidden = false;
  at("key-error").textContent = why;
  at("key").setAttribute("aria-invalid", why ? "true" : "false");
  at("whose").textContent = "Coordinated Community Response";
  connection("off", "Not connected");
  at("key").focus();
}

async function enter(candidate) {
  session += 1;
  const mine = session;
  key = candidate;
  links.clear(); cards.clear(); cases.clear();
  at("links").replaceChildren(); at("feed").replaceChildren();
  at("quiet").hidden = false;
  done = 0; lastId = ""; clockMs = 0;
  at("enter").hidden = true;
  at("board").hidden = false;
  at("leave").hidden = false;
  await follow(mine);
}

// ── the connection

function connection(state, words) {
  at("connection").dataset.state = state;
  if (at("connection-words").textContent !== words) at("connection-words").textContent = words;
}

async function call(path, options = {}) {
  const headers = { authorization: `Bearer ${key}`, ...options.headers };
  return fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
}

async function follow(mine) {
  let wait = 500;
  while (mine === session) {
    const cut = new AbortController();
    try {
      connection("off", lastId ? "Reconnecting" : "Connecting");
      const headers = lastId ? { "last-event-id": lastId } : {};
      const stream = await call("/v1/alerts", { headers, signal: cut.signal });
      if (mine !== session) { cut.abort(); return; }
      if (stream.status === 401) return ask("This key is not valid. Check that all of it was pasted.");
      if (stream.status === 409) { lastId = ""; continue; }
      if (!stream.ok) throw new Error(`status ${stream.status}`);
      await load(mine); // after the stream is open, so that nothing falls between
      connection("live", "Live");
      wait = 500;
      await read(stream.body.getReader(), cut, mine);
    } catch { /* told below; the loop tries again */ }
    cut.abort();
    if (mine !== session) return;
    connection("lost", "Connection lost, trying again");
    await new Promise((resume) => setTimeout(resume, wait));
    wait = Math.min(wait * 2, 10_000);
  }
}

async function load(mine) {
  const [who, owed] = await Promise.all([call("/v1/key"), call("/v1/links?open_only=true&limit=1000")]);
  if (!who.ok || !owed.ok) throw new Error("not loaded");
  const [me, found] = [await who.json(), await owed.json()];
  if (mine !== session) return;
  agency = me.agency;
  tellTime(me.now);
  at("whose").textContent = agency === "ccr" ? "Tracking entity: every agency" : `As seen by: ${nameOf(agency)}`;
  const current = new Set(found.links.map((link) => link.id));
  for (const id of [...links.keys()]) if (!current.has(id)) links.delete(id);
  for (const link of found.links) { links.set(link.id, link); cases.add(link.case_id); }
  show();
}

async function read(reader, cut, mine) {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const silence = setTimeout(() => cut.abort(), SILENT_MS);
    const { value, done: over } = await reader.read().finally(() => clearTimeout(silence));
    if (over || mine !== session) return;
    text += decoder.decode(value, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop();
    for (const block of blocks) take(block);
  }
}

function take(block) {
  let id = "", data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (!data) return;
  lastId = id;
  heard(JSON.parse(data));
}

// ── the board

function heard(event) {
  const kind = event.type.slice("link.".length);
  const { link: state, rule_title, action, to_agency, to_role } = event.data;
  const before = links.get(state.id);
  const link = { ...before, ...state, case_id: event.caseid, rule_title, action };
  tellTime(event.time);
  cases.add(link.case_id);
  if (!ENDED.has(link.state)) links.set(link.id, link);
  else if (links.delete(link.id) && link.state !== "cancelled") done += 1;
  if (kind !== "notified") feed(event, kind, link, to_agency, to_role);
  if (["opened", "overdue", "escalated"].includes(kind)) announced.push(`${KINDS[kind]} ${nameOf(to_agency)}: ${rule_title}`);
  show();
}

function feed(event, kind, link, toAgency, toRole) {
  const item = at("feed-template").content.firstElementChild.cloneNode(true);
  const time = item.querySelector("time");
  item.dataset.kind = kind;
  time.dateTime = event.time;
  time.textContent = clock(event.time);
  const to = kind === "opened" ? `Owed by ${nameOf(toAgency)}` : `${KINDS[kind]} ${nameOf(toAgency)}`;
  item.querySelector(".what").textContent = kind === "escalated" ? `${to}, ${toRole}` : to;
  item.querySelector(".which").textContent = `${link.rule} ${link.rule_title}`;
  item.classList.add("new");
  at("feed").prepend(item);
  while (at("feed").children.length > FED) at("feed").lastElementChild.remove();
  at("quiet").hidden = true;
}

function show() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; draw(); });
}

const standing = (link) => (link.escalated_to > 0 ? "escalated" : link.overdue ? "overdue" : link.state);
const dueMs = (link) => (link.due_at ? Date.parse(link.due_at) : Infinity);
const takes = {
  open: () => true,
  waiting: (link) => link.state === "opened",
  overdue: (link) => link.overdue,
  escalated: (link) => link.escalated_to > 0,
};

function draw() {
  const open = [...links.values()];
  count("cases", cases.size);
  count("open", open.length);
  count("waiting", open.filter(takes.waiting).length);
  count("overdue", open.filter(takes.overdue).length);
  count("escalated", open.filter(takes.escalated).length);
  count("done", done);

  const wanted = open
    .filter((link) => (!at("agency").value || link.agency === at("agency").value) && takes[at("standing").value](link))
    .sort((a, b) => dueMs(a) - dueMs(b) || (a.id < b.id ? -1 : 1));
  at("owed-count").textContent = wanted.length ? `(${wanted.length})` : "";
  at("nothing").hidden = wanted.length > 0;
  if (!wanted.length) {
    const filtered = at("agency").value || at("standing").value !== "open";
    at("nothing").textContent = filtered ? "Nothing owed fits these filters." : "Nothing is owed now.";
  }
  at("more").hidden = wanted.length <= SHOWN;
  at("more").textContent = `and ${wanted.length - SHOWN} more, due later: narrow them by agency or standing.`;
  place(wanted.slice(0, SHOWN));
}

function count(name, value) {
  const node = at(`count-${name}`);
  if (node.textContent !== String(value)) node.textContent = value;
}

function place(wanted) {
  const list = at("links");
  const focused = document.activeElement;
  const shown = new Set(wanted.map((link) => link.id));
  for (const [id, card] of cards) if (!shown.has(id)) { card.remove(); cards.delete(id); }
  wanted.forEach((link, i) => {
    let card = cards.get(link.id);
    if (!card) {
      card = at("link-template").content.firstElementChild.cloneNode(true);
      card.dataset.id = link.id;
      card.classList.add("new");
      cards.set(link.id, card);
    }
    if (card.shown !== link) fill(card, link);
    else late(card, link);
    if (list.children[i] !== card) list.insertBefore(card, list.children[i] || null);
  });
  if (focused && focused !== document.activeElement && focused.isConnected) focused.focus();
}

function fill(card, link) {
  card.shown = link;
  const where = standing(link);
  card.dataset.standing = where;
  const text = (selector, words) => { card.querySelector(selector).textContent = words; };
  const words = {
    escalated: `Escalated, step ${link.escalated_to}`, overdue: "Overdue", acknowledged: "Received", opened: "Not yet received",
  };
  const received = link.acknowledged_at && (where === "overdue" || where === "escalated") ? " · received" : "";
  text(".badge", words[where] + received);
  text(".urgency", URGENCIES[link.urgency] || link.urgency);
  text(".rule", link.rule);
  text(".title", link.rule_title);
  text(".owes", `${nameOf(link.agency)}: ${link.role}`);
  text(".action", link.action);
  const numbers = link.references.map((reference) => {
    const item = document.createElement("li");
    const number = document.createElement("b");
    number.textContent = reference.number;
    item.append(`${REFERENCES[reference.kind] || reference.kind} `, number);
    return item;
  });
  card.querySelector(".references").replaceChildren(...numbers);
  const act = card.querySelector(".act");
  act.hidden = link.agency !== agency || Boolean(link.acknowledged_at);
  act.setAttribute("aria-label", `Received: ${link.rule_title}`);
  card.querySelector(".case").setAttribute("aria-label", `Case of: ${link.rule_title}`);
  late(card, link);
}

function late(card, link) {
  const due = card.querySelector(".due");
  const left = dueMs(link) - nowMs();
  card.dataset.late = left < 0 ? "yes" : "no";
  if (!link.due_at) { due.textContent = "no due time"; return; }
  due.dateTime = link.due_at;
  due.title = new Date(link.due_at).toLocaleString();
  due.textContent = left < 0 ? `due ${span(-left)} ago` : `due in ${span(left)}`;
}

function span(ms) {
  const minutes = Math.max(1, Math.round(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
  return `${Math.floor(minutes / 1440)} days`;
}

function clock(iso) {
  const then = new Date(iso);
  const day = Math.abs(then - nowMs()) > 20 * 3_600_000 ? { weekday: "short" } : {};
  return then.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", ...day });
}

async function receive(card, button) {
  const link = links.get(card.dataset.id);
  button.disabled = true;
  card.querySelector(".said").textContent = "";
  try {
    const body = JSON.stringify({ role: link.role });
    const headers = { "content-type": "application/json" };
    const answer = await call(`/v1/links/${link.id}/acknowledge`, { method: "POST", headers, body });
    if (!answer.ok) throw new Error((await answer.json()).title);
    button.hidden = true; // the stream brings the new state
  } catch (error) {
    card.querySelector(".said").textContent = `Not recorded: ${error.message}. Try again.`;
  } finally {
    button.disabled = false;
  }
}

// ── one case

async function openCase(caseId) {
  const dialog = at("case");
  const told = at("case-told");
  at("case-title").textContent = "Case";
  at("timeline").replaceChildren();
  at("case-owed").textContent = "";
  told.textContent = "Loading";
  dialog.showModal();
  try {
    const answer = await call(`/v1/cases/${encodeURIComponent(caseId)}`);
    if (!answer.ok) throw new Error((await answer.json()).title);
    const found = await answer.json();
    at("case-title").textContent = `Case ${caseId.slice(0, 8)}`;
    const open = found.links.filter((link) => !ENDED.has(link.state)).length;
    at("case-owed").textContent = `${found.links.length} links, ${open} of them open. ${found.timeline.length} events:`;
    const inOrder = found.timeline.sort((a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at));
    at("timeline").replaceChildren(...inOrder.map(entry));
    told.textContent = "";
  } catch (error) {
    told.textContent = `Not shown: ${error.message}.`;
  }
}

function entry(event) {
  const item = at("entry-template").content.firstElementChild.cloneNode(true);
  const time = item.querySelector("time");
  time.dateTime = event.occurred_at;
  time.textContent = new Date(event.occurred_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const words = event.type.replace(/[._]/g, " ").replace(/^(ofp|nco|bip)\b/, (short) => short.toUpperCase());
  item.querySelector(".what").textContent = words[0].toUpperCase() + words.slice(1);
  const late = Date.parse(event.recorded_at) - Date.parse(event.occurred_at);
  const notes = [nameOf(event.agency)];
  if (late > 3_600_000) notes.push(`recorded ${span(late)} later`);
  if (event.corrects) notes.push("corrects an earlier report");
  if (event.sealed.length) notes.push(`sealed: ${event.sealed.join(", ")}`);
  item.querySelector(".which").textContent = notes.join(" · ");
  return item;
}

// ── begin

at("enter-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const candidate = at("key").value.trim();
  at("key").value = "";
  if (!/^[\x21-\x7e]{8,256}$/.test(candidate)) return ask("This is not an API key.");
  sessionStorage.setItem(STORED, candidate);
  enter(candidate);
});
at("leave").addEventListener("click", () => ask(""));
at("filters").addEventListener("change", show);
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("links").addEventListener("click", (event) => {
  const button = event.target.closest(".act");
  if (button) receive(button.closest(".link"), button);
  const shown = event.target.closest(".case");
  if (shown) openCase(links.get(shown.closest(".link").dataset.id).case_id);
});
window.addEventListener("hashchange", () => { const found = takeKey(); if (found) enter(found); });
setInterval(show, 15_000); // due times move even when nothing else does
setInterval(() => { // one sentence a while, not one an alert, to those who listen
  if (!announced.length) return;
  at("told").textContent = announced.length > 2 ? `${announced.length} new: ${announced[announced.length - 1]}` : announced.join(". ");
  announced = [];
}, 3_000);

const first = takeKey();
if (first) enter(first); else ask("");
