// The live page: takes the key, follows the stream, and shows what is owed.

import { Board } from "./board.js";
import { say } from "./dom.js";
import { Feed } from "./feed.js";
import { ended, Links, stateOf } from "./links.js";
import { Panel } from "./panel.js";
import { getJson, Stream } from "./stream.js";
import { AGENCIES, agencyName, clockTime, wholeTime, zoneName } from "./words.js";

const KEPT = "ccr-key";
const DRAW_MS = 150; // at most one drawing in so long, however many alerts come
const TICK_MS = 1000;
const CLOCK_MS = 20_000;
const ASK_MS = 500;
const SPEAK_MS = 1500;
const MAX_LISTED = 500; // open links asked for, per agency

const $ = (id) => document.getElementById(id);
const links = new Links();
let key = takeKey();
let listed = false;
let drawing = 0;
let unspoken = [];
let speaking = 0;
let asking = 0;
let stream = null;
let lostAt = null;

const panel = new Panel($("panel"), (path) => getJson(path, key), left);
const board = new Board($("groups"), select);
const feed = new Feed($("alerts"), select);

key ? begin() : ask("");
setInterval(tick, TICK_MS);
setInterval(() => listed && askClock(), CLOCK_MS);

// The key is in the fragment, which is never sent; it must not stay in the address bar or in the history.
function takeKey() {
  const found = new URLSearchParams(location.hash.slice(1)).get("key");
  if (found !== null) {
    history.replaceState(null, "", location.pathname);
    if (found) sessionStorage.setItem(KEPT, found);
  }
  return sessionStorage.getItem(KEPT) ?? "";
}

function ask(problem) {
  $("gate").hidden = false;
  $("desk").hidden = true;
  say($("key-problem"), problem);
  $("key").value = "";
  $("key").focus();
}

$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $("key").value.trim();
  if (!key) return;
  sessionStorage.setItem(KEPT, key);
  begin();
});

addEventListener("hashchange", () => {
  if (new URLSearchParams(location.hash.slice(1)).has("key")) location.reload();
});

function begin() {
  $("gate").hidden = true;
  $("desk").hidden = false;
  stream = new Stream(key, { line, connected, alert: heard, refused, restarted: () => location.reload() });
  stream.follow();
}

function refused(words) {
  sessionStorage.removeItem(KEPT);
  line("off", "Not connected");
  ask(words);
}

function line(state, words) {
  if (state === "live") lostAt = null;
  if (state === "lost") {
    lostAt ??= links.now();
    words = `Not live since ${clockTime(lostAt, links.now())}. ${words}`;
  }
  $("line").dataset.state = state;
  say($("line-text"), words);
  $("retry").hidden = state !== "lost";
}

$("retry").addEventListener("click", () => stream?.retryNow());

// The stream is open first and the list is read then, so nothing can come between them.
async function connected(resumed) {
  if (resumed && listed) return;
  links.connected();
  await readClock();
  const answers = await Promise.all(
    AGENCIES.map((agency) => getJson(`/v1/links?agency=${agency}&open_only=true&limit=${MAX_LISTED}`, key)),
  );
  links.dropped ||= answers.some((answer) => answer.links.length >= MAX_LISTED);
  links.listed(answers.flatMap((answer) => answer.links));
  listed = true;
  draw();
}

async function readClock() {
  const mine = await getJson("/v1/key", key);
  links.clockIs(Date.parse(mine.now));
  say($("as"), ` · seen by ${agencyName(mine.agency)}`);
}

function askClock() {
  asking ||= setTimeout(() => {
    asking = 0;
    readClock().then(tick, () => {}); // when it fails, it is asked again before long
  }, ASK_MS);
}

function heard(event, seq) {
  const { kind, link } = links.heard(event, seq);
  if (Date.parse(event.time) > links.now()) askClock(); // its publisher may be wrong, the backbone is not
  if (kind === "overdue" || (kind === "escalated" && link.overdue)) speak(kind, link);
  panel.changed(link, links.now());
  drawSoon();
}

function speak(kind, link) {
  unspoken.push(`${kind === "overdue" ? "Overdue" : "Escalated"}: ${link.title}, ${agencyName(link.agency)}`);
  speaking ||= setTimeout(() => {
    speaking = 0;
    const many = unspoken.length > 2;
    $("spoken").textContent = many ? `${unspoken.length} links went overdue or escalated` : unspoken.join(". ");
    unspoken = [];
  }, SPEAK_MS);
}

function drawSoon() {
  drawing ||= setTimeout(() => {
    drawing = 0;
    draw();
  }, DRAW_MS);
}

function wanted() {
  const [agency, urgency, state] = ["agency", "urgency", "state"].map((name) => $(`f-${name}`).value);
  $("clear").hidden = !(agency || urgency || state);
  return (link) =>
    (!agency || link.agency === agency) &&
    (!urgency || link.urgency === urgency) &&
    (!state || (state === "ended" ? ended(link) : stateOf(link) === state));
}

function draw() {
  const now = links.now();
  const counts = links.counts();
  for (const [name, count] of Object.entries(counts)) {
    const more = links.dropped && ["open", "overdue", "escalated"].includes(name) ? "+" : "";
    say($(`n-${name}`), count.toLocaleString("en-GB") + more);
  }
  document.title = counts.overdue ? `${counts.overdue} overdue · CCR live` : "CCR live";
  const takes = wanted();
  const groups = links.groups(takes);
  board.show(groups, now);
  board.select(panel.id);
  const told = links.feed.filter(({ link }) => takes(links.get(link.id) ?? link));
  feed.show(told, now);
  $("board-empty").hidden = groups.some(([name]) => name !== "ended");
  say($("board-empty"), $("clear").hidden ? "Nothing is owed right now." : "Nothing matches the filter.");
  $("feed-empty").hidden = told.length > 0;
  $("board-more").hidden = !links.dropped;
  say($("board-more"), "More links are open than this page keeps: the least pressing are left out.");
  tick();
}

function tick() {
  const now = links.now();
  say($("clock"), `${wholeTime(now)} ${zoneName(now)}`);
  board.tick((id) => links.get(id), now);
  panel.tick(now);
}

function select(id, button) {
  const link = links.get(id) ?? links.feed.find((entry) => entry.link.id === id)?.link;
  if (!link) return;
  $("columns").classList.add("with-panel"); // first, since it makes room
  panel.open(link, links.now(), button);
  board.select(id);
}

function left(id, button) {
  $("columns").classList.remove("with-panel");
  board.select(null);
  const back = button?.isConnected ? button : board.button(id) ?? $("board");
  back.focus();
}

$("filter").addEventListener("change", draw);
$("filter").addEventListener("reset", () => setTimeout(draw)); // once the fields are empty
$("filter").addEventListener("submit", (event) => event.preventDefault());

for (const button of document.querySelectorAll("[data-view]:is(button)")) {
  button.addEventListener("click", () => {
    $("columns").dataset.view = button.dataset.view;
    for (const other of document.querySelectorAll("[data-view]:is(button)")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  });
}
