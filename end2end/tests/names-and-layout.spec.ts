// Do unusual names break the layout or run as code, at any width?

import { Page } from '@playwright/test';
import {
  expect, focusedId, Heartbeat, horizontalOverflow, openPage, problem, quickTimers, server, shownServers, test,
} from './cluster';

const hostile: Heartbeat[] = [
  { server: `${'a-very-long-name.'.repeat(14)}example.org`.padEnd(253, 'x').slice(0, 253) },
  { server: 'X'.repeat(200), product: 'P'.repeat(100), os: { name: 'O'.repeat(100), version: 'V'.repeat(100) } },
  { server: 'v6', ip: '2001:db8:1111:2222:3333:4444:5555:6666', role: 'web', machineKey: 'm' },
  { server: 'שרת-ראשי', key: 'another key' },
  { server: 'خادم الويب', role: 'web' },
  { server: 'long-version', version: '2026.2.1-rc.12+build.20261122.1234567890' },
  { server: '"><img src=x onerror=alert(1)><script>alert("1")' },
  { server: "it's & it's? #100% + a=b&c", leaving: true },
];
const names = hostile.map((heartbeat) => heartbeat.server);

/** The elements that reach beyond the edge of the page; the filters scroll by themselves. */
const elementsBeyondEdge = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('.page *:not(svg *)')]
      .filter((element) => !element.closest('.visually-hidden, .filter-list, .summary dl') && element.getBoundingClientRect().width > 0)
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return right > document.documentElement.clientWidth + 1 || left < -1;
      })
      .map((element) => `${element.tagName}.${element.className}#${element.id}: ${element.textContent?.slice(0, 40)}`),
  );

for (const width of [360, 1440, 3840]) {
  test(`nothing scrolls horizontally at ${width} px, whatever the names`, async ({ cluster, page }) => {
    await page.setViewportSize({ width, height: 900 });
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
    await cluster.sendHeartbeats(hostile);
    const places = [
      '', '?configure&stale_timeout_s=soon&heartbeat_interval_s=1&web_window_s=24+h',
      ...names.slice(0, 4).map((name) => `?${new URLSearchParams({ server: name })}`),
      ...names.slice(0, 4).map((name) => `?${new URLSearchParams({ remove: name })}`),
      `?${new URLSearchParams({ q: 'zulu'.repeat(60) })}`,
    ];
    for (const place of places) {
      await openPage(page, cluster.url + place);
      expect(await horizontalOverflow(page), place).toBeLessThanOrEqual(0);
      expect(await elementsBeyondEdge(page), place).toEqual([]);
    }
  });
}

test('every name is shown as it was reported, and opens its details', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await cluster.sendHeartbeats(hostile);
  let dialogs = 0;
  page.on('dialog', async (dialog) => { dialogs += 1; await dialog.dismiss(); });
  await openPage(page, `${cluster.url}?sort=name`);
  expect([...(await shownServers(page))].sort()).toEqual([...names, 'app-1', 'app-2'].sort());
  for (const name of names) {
    const block = page.locator('[data-server]').filter({ has: page.getByRole('link', { name, exact: true }) });
    await expect(block).toHaveCount(1);
    await block.getByRole('link', { name, exact: true }).click();
    await expect(page.getByRole('heading', { level: 2, name, exact: true })).toBeVisible();
    expect(new URL(page.url()).searchParams.get('server')).toBe(name);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect.poll(() => focusedId(page)).toMatch(/^open-server-/);
  }
  const ids = await page.locator('[id]').evaluateAll((elements) => elements.map((element) => element.id));
  expect(ids.filter((id, place) => ids.indexOf(id) !== place), 'every id is unique').toEqual([]);
  expect(ids.filter((id) => /\s/.test(id)), 'and has no spaces').toEqual([]);
  expect(dialogs).toBe(0);
});

for (const scripts of [true, false]) {
  test(`a server with a hostile name can be removed ${scripts ? 'with' : 'without'} scripts`, async ({ cluster, browser }) => {
    await cluster.sendHeartbeats([{ server: 'app-1' }]);
    const stopped = names.slice(3).map((name) => ({ server: name }));
    await cluster.sendHeartbeats(stopped);
    await cluster.sendHeartbeats(stopped.map((heartbeat) => ({ ...heartbeat, leaving: true })));
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    const page = await context.newPage();
    for (const { server: name } of stopped) {
      await openPage(page, cluster.url, scripts);
      await page.getByRole('link', { name, exact: true }).click();
      await page.getByRole('link', { name: 'Remove server' }).click();
      await expect(page.getByRole('heading', { name: /^Remove / }).filter({ hasText: name })).toBeVisible();
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      await expect(page.getByTestId('done')).toContainText(/removed/i);
      await expect(page.getByRole('link', { name, exact: true })).toHaveCount(0);
    }
    expect(await shownServers(page)).toEqual(['app-1']);
    await context.close();
  });
}

test('a right-to-left name changes the direction of nothing else', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'שרת-1', key: 'another key' }]);
  await openPage(page, cluster.url);
  const row = server(page, 'שרת-1');
  const name = await row.locator('.server-name a').boundingBox();
  const facts = await row.locator('.facts').boundingBox();
  expect(name && facts && name.x + name.width <= facts.x, 'the name, then its facts').toBe(true);
  const bare = await page.locator('.page').evaluate((root) => {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found: string[] = [];
    while (texts.nextNode()) {
      const text = texts.currentNode.textContent ?? '';
      // A name is alone in an element that isolates it, or in a sentence between U+2068 and U+2069.
      const isolated = texts.currentNode.parentElement?.closest('bdi') || text.includes('\u2068שרת-1\u2069');
      if (text.includes('שרת-1') && !isolated) found.push(text);
    }
    return found;
  });
  expect(bare).toEqual([]);
});

test('a healthy server is one line, each problem is one more, and the whole line opens the details', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await cluster.sendHeartbeats(['web', 'service'].map((role) => ({ server: 'app-1', role })));
  await cluster.sendHeartbeat({ server: 'app-2' });
  await cluster.sendHeartbeats(['web', 'service'].map((role) => ({ server: 'bad-1', role, key: 'another key', version: '2026.1.9' })));
  await openPage(page, cluster.url);
  expect((await server(page, 'app-1').boundingBox())?.height, 'one line').toBeLessThan(40);
  await expect(server(page, 'app-1').getByRole('row')).toHaveCount(1);
  await expect(server(page, 'bad-1').getByRole('row'), 'what both components have is said once').toHaveCount(3);
  await expect(problem(page, 'bad-1', 'service', 'Encryption key')).toContainText('Web, Service Decryption failure');
  const system = page.getByRole('columnheader', { name: 'System' });
  await expect(system).toBeVisible();
  await page.setViewportSize({ width: 1100, height: 900 });
  await expect(system, 'it gives way').toBeHidden();
  await expect(page.getByRole('columnheader', { name: 'Version' })).toBeVisible();
  await server(page, 'app-2').click({ position: { x: 600, y: 12 } });
  await expect(page.getByRole('dialog', { name: 'app-2' })).toBeVisible();
});

test('on a narrow screen the order is verdict, configuration, servers, hints, and the worst server is on the first screen', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await openPage(page, cluster.url);
  const top = async (selector: string) => (await page.locator(selector).boundingBox())?.y ?? NaN;
  const [verdict, strip, hints, servers] = await Promise.all(['#verdict', '.summary', '#troubleshooting', '.servers'].map(top));
  expect(verdict).toBeLessThan(strip);
  expect(strip).toBeLessThan(servers);
  expect(servers).toBeLessThan(hints);
  await expect(server(page, 'bad-1')).toBeInViewport({ ratio: 1 });
  await expect(page.locator('#to-hints')).toBeVisible();
  await page.locator('#to-hints').click();
  await expect(page.locator('#troubleshooting-head')).toBeInViewport();
  await expect(problem(page, 'bad-1', 'service', 'Encryption key')).toContainText('Service Decryption failure');
  await page.setViewportSize({ width: 1440, height: 800 });
  await expect(page.locator('#to-hints')).toBeHidden();
});

test('nothing is animated with reduced motion', async ({ cluster, page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
  await openPage(page, cluster.url);
  await cluster.sendHeartbeat({ server: 'bad-1', leaving: true });
  await expect(server(page, 'bad-1')).toHaveCount(1);
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
});
