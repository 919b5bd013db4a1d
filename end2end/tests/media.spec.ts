// Can the page be read on paper, in forced colours, enlarged, and on the narrowest screens?

import { Page } from '@playwright/test';
import { Cluster, expect, Heartbeat, horizontalOverflow, openPage, server, shownServers, test } from './cluster';

/** Healthy servers, one with a wrong key, and two that are outdated. */
const report = async (cluster: Cluster, count: number) => {
  const servers: Heartbeat[] = Array.from({ length: count }, (_, number) => ({
    server: `app-${number + 1}`,
    version: number < 2 ? '2026.1.4' : '2026.2.1',
  }));
  await cluster.sendHeartbeats([...servers, { server: 'bad-1', key: 'another key' }, { server: 'bad-1', role: 'web', machineKey: 'm' }]);
};

const heightOf = (page: Page, name: string) =>
  server(page, name).evaluate((row) => row.getBoundingClientRect().height);

/** The pages of a PDF. */
const pages = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length;

for (const scripts of [true, false]) {
  test.describe(scripts ? 'printed' : 'printed without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('the page has the date and its address, no controls, and a line for each server', async ({ cluster, page }) => {
      await report(cluster, 40);
      await openPage(page, `${cluster.url}?sort=name`, scripts);
      await page.emulateMedia({ media: 'print' });
      await page.setViewportSize({ width: 720, height: 1000 });
      await expect(page.locator('#printed')).toContainText(/20\d\d.*\/\?sort=name/);
      for (const control of ['button', '.button', '.filter', '#search', 'header', 'footer', '.skip']) {
        await expect(page.locator(control).filter({ visible: true }), control).toHaveCount(0);
      }
      expect(await heightOf(page, 'app-3')).toBeLessThan(33);
      await expect(page.getByText('Only the servers near the screen')).toBeHidden();
    });
  });
}

test('printed, folded hints are shown as a whole, after the servers', async ({ cluster, page }) => {
  await report(cluster, 5);
  await openPage(page, cluster.url);
  const step = page.locator('[data-hint="version-skew"] li').first();
  await page.locator('[data-hint="version-skew"] summary').click();
  await expect(step).toBeHidden();
  await page.emulateMedia({ media: 'print' });
  await expect(step).toBeVisible();
  const bottom = await page.locator('.servers').evaluate((list) => list.getBoundingClientRect().bottom);
  expect(await step.evaluate((text) => text.getBoundingClientRect().top)).toBeGreaterThan(bottom);
});

test('a page of 200 of a thousand servers prints whole, and the list that follows the screen says that it does not', async ({ cluster, page }) => {
  await report(cluster, 900);
  await openPage(page, `${cluster.url}?sort=name`);
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText('Only the servers near the screen')).toBeVisible();
  await page.emulateMedia({ media: 'screen' });
  // Its address keeps the place, which a click at the end of the list would move.
  const link = page.getByRole('link', { name: 'Show 200 per page' });
  await page.evaluate(() => scrollTo(0, 0));
  await page.goto(new URL((await link.getAttribute('href'))!, page.url()).href);
  await expect.poll(() => shownServers(page)).toHaveLength(200);
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText('Only the servers near the screen')).toBeHidden();
  await expect(server(page, 'app-200')).toBeVisible();
  expect(pages(await page.pdf({ format: 'A4' }))).toBeGreaterThan(3);
});

test('in forced colours the chosen filter and the live dot are seen', async ({ cluster, page }) => {
  await report(cluster, 3);
  await page.emulateMedia({ forcedColors: 'active' });
  await openPage(page, `${cluster.url}?state=error`);
  const background = (selector: string) =>
    page.locator(selector).first().evaluate((element) => getComputedStyle(element).backgroundColor);
  const chosen = await background('.filter[aria-current]');
  expect(chosen).not.toBe(await background('.filter:not([aria-current])'));
  expect(await background('.dot')).not.toBe(await background('body'));
});

// 720 px are a laptop's 1440 px at a zoom of 200 %, 320 px its 1280 px at 400 %.
for (const width of [720, 390, 320]) {
  for (const language of ['en', 'de']) {
    test(`at ${width} px nothing is cut, no word is broken, and everything can be hit (${language})`, async ({ cluster, page }) => {
      await page.setViewportSize({ width, height: 450 });
      await report(cluster, 40);
      for (const query of ['?', '?server=bad-1&', '?configure&']) {
        await openPage(page, `${cluster.url}${query}lang=${language}`);
        expect(await horizontalOverflow(page), query).toBeLessThanOrEqual(0);
        expect(await brokenWords(page), query).toEqual([]);
        expect(await smallTargets(page), query).toEqual([]);
      }
    });
  }
}

/** Words that go over two lines. Long names, IDs, and what is long in German may. */
const brokenWords = (page: Page) => page.evaluate(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const broken: string[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement?.checkVisibility({ visibilityProperty: true }) || node.parentElement.closest('.visually-hidden')) continue;
    for (const { 0: word, index } of node.textContent?.matchAll(/(?<!\p{L})\p{L}{2,16}(?!\p{L})/gu) ?? []) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(word);
    }
  }
  return broken;
});

/** Buttons, fields and links that are no part of a sentence and smaller than 24 px. */
const smallTargets = (page: Page) => page.evaluate(() => {
  const targets = [...document.querySelectorAll('button, .button, summary, .filter, input:not([type=hidden], [type=checkbox])')];
  return targets.filter((target) => target.checkVisibility({ visibilityProperty: true })).flatMap((target) => {
    const { width, height } = target.getBoundingClientRect();
    return width > 0 && (width < 24 || height < 24) ? [`${target.outerHTML.slice(0, 90)} ${width}x${height}`] : [];
  });
});
