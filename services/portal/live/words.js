// Links, alerts and times in the words of those who act on them.

import { ended, stateOf } from "./links.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const zone = document.documentElement.dataset.zone || undefined;
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
const clock = format({ weekday: "short", hour: "2-digit", minute: "2-digit" });
const dated = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const yearly = format({ day: "numeric", month: "short", year: "numeric" });
const hour = { hour: "2-digit", minute: "2-digit" };
const whole = format({ weekday: "short", day: "numeric", month: "short", year: "numeric", ...hour });
const zoned = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "short" });

const names = (select) => Object.fromEntries([...document.querySelector(select).options].map((o) => [o.value, o.text]));
const agencies = names("#f-agency");
const urgencies = names("#f-urgency");
export const AGENCIES = Object.keys(agencies).filter(Boolean);

export const agencyName = (id) => agencies[id] ?? id;
export const urgencyName = (id) => urgencies[id] ?? id;
export const who = ({ agency, role }) => `${agencyName(agency)}, ${role}`;

export const STATES = {
  escalated: "Escalated",
  overdue: "Overdue",
  warned: "Warned",
  opened: "Owed",
  acknowledged: "Received",
  satisfied: "Done",
  waived: "Waived",
  cancelled: "Withdrawn",
};

export const GROUP_TITLES = {
  escalated: "Escalated",
  overdue: "Overdue",
  immediate: "Immediate",
  same_shift: "Same shift",
  same_day: "Same day",
  routine: "Routine",
  ended: "Ended lately",
};

export const wholeTime = (at) => whole.format(at).replace(/,/g, "");
export const zoneName = (at) => zoned.formatToParts(at).find(({ type }) => type === "timeZoneName").value;

// "Tue 22:41", the date instead of the weekday when it is not within six days, and the year when it may be another.
export function clockTime(at, now) {
  const away = Math.abs(at - now);
  return (away < 6 * DAY ? clock : away < 300 * DAY ? dated : yearly).format(at).replace(/,/g, "");
}

// "12 min", "3 h 5 min", "2 d 4 h".
export function span(ms) {
  const minutes = Math.floor(Math.abs(ms) / MINUTE);
  if (minutes < 1) return "under 1 min";
  const parts = [
    [Math.floor(minutes / 1440), "d"],
    [Math.floor(minutes / 60) % 24, "h"],
    [minutes % 60, "min"],
  ];
  return parts
    .filter(([number]) => number > 0)
    .slice(0, 2)
    .map(([number, unit]) => `${number} ${unit}`)
    .join(" ");
}

// How far off the due time is, or how the link ended.
export function dueWords(link, now) {
  if (ended(link)) {
    const late = link.state === "satisfied" && link.due_at !== null && link.ended_at > link.due_at;
    return late ? `${span(link.ended_at - link.due_at)} late` : link.state === "satisfied" ? "in time" : "";
  }
  if (link.due_at === null) return "no deadline";
  return now >= link.due_at ? `${span(now - link.due_at)} late` : `in ${span(link.due_at - now)}`;
}

// Who was told that it is late, or soon will be.
export function stateNote(link) {
  if (ended(link) || !link.hears) return link.acknowledged_at && link.overdue && !ended(link) ? "received" : "";
  return `${link.hears.role} told`;
}

export const kindOfNumber = (kind) => kind.replace(/_no$/, "").replaceAll("_", " ");

// What an alert says beyond its kind, after "Received · Jail, booking officer: block his phone calls"; often nothing.
export function detail({ kind, at, link, to }) {
  const left = link.due_at === null ? null : link.due_at - at;
  switch (kind) {
    case "opened":
    case "rescheduled":
      return left === null ? "no deadline" : `due ${clockTime(link.due_at, at)}`;
    case "satisfied":
      return link.due_at !== null && link.ended_at > link.due_at ? `${span(link.ended_at - link.due_at)} late` : "";
    case "waived":
      return "the reason is on record";
    case "escalated": {
      const told = `${to.agency === link.agency ? to.role : who(to)} told`;
      if (left === null || left === 0) return told;
      return left > 0 ? `due in ${span(left)}, ${told}` : `${span(left)} late, ${told}`;
    }
    case "cancelled":
      return "what opened it was corrected";
    case "reopened":
      return "what had answered it was taken back";
    case "notified":
      return `to ${agencyName(to.agency)}`;
    default:
      return "";
  }
}

export const KINDS = {
  opened: "New",
  acknowledged: "Received",
  satisfied: "Done",
  waived: "Waived",
  overdue: "Overdue",
  escalated: "Escalated",
  cancelled: "Withdrawn",
  reopened: "Owed again",
  rescheduled: "Rescheduled",
  notified: "Delivered",
};
