"""The live page in a real browser, over a real backbone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PHONE, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def row(page: Page, title: str):
    return page.locator("tr[data-link]", has=page.get_by_role("button", name=title))


ON_THE_WAY = "Premise, order and weapon history to the car before arrival"  # L01, of dispatch
CALLED = "call.received"
SEALED = ("Nowhere Lane", "555-01", "Sample-Birch", "Fakebirch")


async def test_an_alert_appears_and_an_acknowledgement_changes_its_state(county, desks, look):
    seen = await look()
    page = await seen.live(county)
    await expect(page.locator("#board-empty")).to_have_text("Nothing is owed right now.")

    await county.happens("birch", CALLED)
    owed = row(page, ON_THE_WAY)
    await expect(owed).to_contain_text("Owed")
    await expect(owed).to_contain_text("Dispatch")
    await expect(owed).to_contain_text("26-CAD-0102")
    await expect(page.locator("#alerts li").first).to_contain_text("premise, order and weapon history")
    await expect(page.locator("#n-open")).to_have_text(str(len(await county.backbone.links.links())))

    link = await county.the_link("L01")
    answered = await desks.answer("psap", link.id, "acknowledge", {"role": link.role})
    assert answered.status == "accepted"
    await expect(owed).to_contain_text("Received")

    assert seen.complaints == []
    assert seen.hosts == {urlsplit(county.url).netloc}
    text = await page.content()
    assert not [value for value in SEALED if value in text]


async def test_a_passed_deadline_is_shown_counted_spoken_and_told_in_the_links_history(county, desks, look):
    seen = await look()
    page = await seen.live(county)
    await county.happens("birch", CALLED)
    await expect(row(page, ON_THE_WAY)).to_contain_text("Owed")
    link = await county.the_link("L01")

    county.clock.move_to(link.due_at + timedelta(seconds=1))
    late = row(page, ON_THE_WAY)
    await expect(late).to_contain_text("Escalated")
    await expect(late).to_contain_text("dispatch supervisor told")
    await expect(late).to_contain_text("late")
    await expect(page.locator("section.group h2").first).to_contain_text("Escalated")
    await expect(page.locator("#n-overdue")).to_have_text("1")
    await expect(page.locator("#spoken")).to_contain_text(ON_THE_WAY)
    assert await page.title() == "1 overdue · CCR live"

    await late.get_by_role("button").click()
    panel = page.locator("#panel")
    await expect(panel).to_contain_text("What happened, and who hears next")
    for told in ("New: due", "Overdue", "Escalated: dispatch supervisor told", "will be told", "call received"):
        await expect(panel).to_contain_text(told)
    assert seen.complaints == []


async def test_what_was_owed_before_the_page_was_opened_is_shown_to_those_who_may_see_it(county, desks, look):
    await county.happens("birch", CALLED)
    page = await (await look()).live(county, "psap")
    await expect(row(page, ON_THE_WAY)).to_contain_text("Owed")
    await expect(page.locator("#as")).to_contain_text("Dispatch")
    other = await (await look()).live(county, "bip")
    await expect(other.locator("#board-empty")).to_be_visible()


async def test_a_lost_connection_is_said_and_resumed_without_a_gap(county, look):
    seen = await look()
    async with county.serving():
        page = await seen.live(county)
        await county.happens("birch", CALLED)
        await expect(row(page, ON_THE_WAY)).to_be_visible()
        before = await county.backbone.alerts.last_seq()
        await expect(page.locator("#n-alerts")).to_have_text(str(before))
    await expect(page.locator("#line")).to_contain_text("Not live since")
    await county.happens("birch", "call.dispatched", "call.on_scene")
    async with county.serving():
        await page.get_by_role("button", name="Try now").click()
        await expect(page.locator("#line")).to_have_text(re.compile("^Live"), use_inner_text=True)
        after = await county.backbone.alerts.last_seq()
        assert after > before
        await expect(page.locator("#n-alerts")).to_have_text(str(after))


async def test_the_key_leaves_the_address_and_stays_in_the_tab_only(county, desks, look):
    seen = await look()
    page = await seen.live(county)
    assert page.url == f"{county.url}/"
    secret = county.keys["ccr"]
    assert secret not in await page.evaluate("JSON.stringify([history.state, document.cookie, {...localStorage}])")
    await page.reload()
    await expect(page.locator("#line")).to_have_attribute("data-state", "live")
    assert secret not in await page.content()
    assert seen.complaints == []


async def test_without_a_key_the_page_asks_for_one_and_refuses_a_wrong_one(county, desks, look):
    seen = await look()
    page = await seen.open(county.url)
    field = page.get_by_label("Access key")
    await expect(field).to_be_focused()
    assert seen.complaints == []
    await field.fill("ccr_0000000000000000_wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("not accepted")
    assert await page.evaluate("sessionStorage.length") == 0
    await field.fill(county.keys["adv"])
    await page.keyboard.press("Enter")
    await expect(page.locator("#line")).to_have_attribute("data-state", "live")
    await expect(page.locator("#as")).to_contain_text("Advocacy")


async def test_the_filter_narrows_board_and_alerts_and_is_taken_back(county, desks, look):
    page = await (await look()).live(county)
    await county.happens("birch", CALLED, "call.on_scene", "incident.reported", "arrest.not_made")
    await expect(row(page, ON_THE_WAY)).to_be_visible()
    rows = page.locator("section.group tr[data-link]")
    everything = len(await county.backbone.links.links())
    await expect(rows).to_have_count(everything)

    await page.get_by_label("Owed by").select_option("psap")
    await expect(rows).to_have_count(1)
    await expect(page.locator("#alerts li:not(:has-text('Dispatch'))")).to_have_count(0)
    await page.get_by_label("Urgency").select_option("routine")
    await expect(rows).to_have_count(0)
    await expect(page.locator("#board-empty")).to_have_text("Nothing matches the filter.")
    await page.get_by_label("Urgency").select_option("")
    await page.get_by_label("State", exact=True).select_option("acknowledged")
    await expect(rows).to_have_count(0)
    await page.get_by_role("button", name="Clear").click()
    await expect(rows).to_have_count(everything)


async def test_the_page_is_worked_with_the_keyboard_alone(county, desks, look):
    page = await (await look()).live(county)
    await county.happens("birch", CALLED)
    link = row(page, ON_THE_WAY).get_by_role("button")
    await expect(link).to_be_visible()
    names = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        names.append(await page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        if names[-1] == ON_THE_WAY:
            break
    assert names[0] == "Skip to what is owed"
    assert names[1:4] == ["f-agency", "f-urgency", "f-state"]
    assert names[-1] == ON_THE_WAY
    await page.keyboard.press("Enter")
    await expect(page.locator("#panel-title")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.locator("#panel")).to_be_hidden()
    await expect(link).to_be_focused()


UNNAMED = """() => [...document.querySelectorAll('button, input, select, a, dialog[open], table')]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim()
    || document.getElementById(e.getAttribute('aria-labelledby'))))
  .map((e) => e.outerHTML)"""

FAINT = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => (c * a + under[i] * (255 - a)) / 255);
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) layers.unshift(rgba(getComputedStyle(e).backgroundColor));
    return layers.reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const light = (c) => c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const texts = [...document.querySelectorAll('body *')]
    .filter((e) => own(e) && e.checkVisibility() && e.tagName !== 'OPTION');
  const told = texts.map((e) => {
    const under = behind(e);
    const [a, b] = [light(over(rgba(getComputedStyle(e).color), under)), light(under)].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.textContent.trim()];
  });
  return { checked: told.length, faint: told.filter(([ratio]) => ratio < 4.5) };
}"""


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide by day", "phone by night"])
async def test_everybody_can_read_and_name_everything(county, desks, look, size, scheme):
    seen = await look(size, scheme)
    page = await seen.live(county)
    await county.happens("birch", CALLED, "call.on_scene", "incident.reported", "arrest.not_made")
    first = await county.the_link("L01")
    county.clock.move_to(first.due_at + timedelta(seconds=1))
    await expect(row(page, ON_THE_WAY)).to_contain_text("Escalated")

    async def checked(at_least: int) -> None:
        assert await page.evaluate(UNNAMED) == []
        found = await page.evaluate(FAINT)
        assert found["checked"] > at_least
        assert found["faint"] == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    await checked(30)
    assert await page.locator("h1").count() == 1
    assert await page.locator("html").get_attribute("lang") == "en"
    assert await page.locator("main:visible").count() == 1
    await row(page, ON_THE_WAY).get_by_role("button").click()
    await expect(page.locator("#panel")).to_contain_text("Latest in this case")
    await checked(20)
    await page.keyboard.press("Escape")
    if size == PHONE:
        await page.get_by_role("button", name="Alerts", exact=True).click()
        await expect(page.locator("#alerts li").first).to_be_visible()
        await expect(page.locator("#board")).to_be_hidden()
        await checked(20)
    assert seen.complaints == []


FLOOD = """async () => {
  const { Links, MAX_OPEN, MAX_ENDED, MAX_FEED } = await import('/live/links.js');
  const links = new Links();
  const opened = Date.UTC(2026, 1, 2);
  const alert = (n, urgency, kind, state) => links.heard({
    type: `link.${kind}`, subject: `link-${n}`, caseid: 'c', policyversion: 'e', toagency: 'le', torole: 'clerk',
    time: new Date(opened + n).toISOString(),
    data: { rule_title: 'T', action: 'A', step: 0, to_agency: 'le', to_role: 'clerk', link: {
      id: `link-${n}`, rule: 'R', agency: 'le', role: 'clerk', urgency, state, overdue: false, escalated_to: 0,
      opened_at: new Date(opened).toISOString(), lag_s: 0, references: [],
      ended_at: state === 'satisfied' ? new Date(opened + n).toISOString() : undefined } } }, n);
  for (let n = 0; n < 100; n++) alert(n, 'immediate', 'opened', 'opened');
  for (let n = 100; n < 6000; n++) alert(n, 'routine', 'opened', 'opened');
  for (let n = 6000; n < 9000; n++) alert(n, 'routine', 'satisfied', 'satisfied');
  for (let n = 0; n < 500; n++) alert(7, 'immediate', 'notified', 'opened');
  const kept = (name) => links.groups(() => true).find(([group]) => group === name)[2];
  return {
    immediate: kept('immediate'), open: links.counts().open <= MAX_OPEN + MAX_ENDED, dropped: links.dropped,
    ended: kept('ended') <= MAX_ENDED, feed: links.feed.length === MAX_FEED, seen: links.get('link-7').seen.length,
    rows: Math.max(...links.groups(() => true).map(([, rows]) => rows.length)), alerts: links.counts().alerts,
  };
}"""


async def test_a_flood_of_alerts_leaves_page_and_memory_bounded_and_the_urgent_in_sight(county, desks, look):
    page = await (await look()).live(county)
    assert await page.evaluate(FLOOD) == {
        "immediate": 100,
        "open": True,
        "dropped": True,
        "ended": True,
        "feed": True,
        "seen": 40,
        "rows": 60,
        "alerts": 9500,
    }


async def test_a_wrong_time_in_a_report_does_not_move_the_pages_clock(county, desks, look):
    page = await (await look()).live(county)
    ahead = """async (day) => {
      const { Links } = await import('/live/links.js');
      const links = new Links();
      links.clockIs(Date.UTC(2026, 1, 2));
      const link = { id: 'l', opened_at: day, lag_s: 0, references: [] };
      const told = (type) => links.heard({ type, subject: 'l', time: day, data: { step: 0, link } }, 1);
      told('link.opened');
      told('link.acknowledged');
      const before = links.now() < Date.UTC(2026, 1, 3);
      told('link.overdue');
      return [before, links.now() >= Date.UTC(2026, 5, 1)];
    }"""
    assert await page.evaluate(ahead, "2026-06-01T00:00:00Z") == [True, True]


async def test_the_page_shows_the_backbones_time_in_the_countys_zone(county, desks, look):
    county.clock.move_to(datetime(2026, 2, 3, 12, 0, tzinfo=UTC))
    page = await (await look()).live(county)
    await expect(page.locator("#clock")).to_have_text("Tue 3 Feb 2026 06:00 CST")
    county.clock.move_to(datetime(2026, 2, 3, 15, 30, tzinfo=UTC))
    await county.happens("birch", CALLED)
    await expect(page.locator("#clock")).to_have_text(re.compile("^Tue 3 Feb 2026 22:1[23] CST$"))
