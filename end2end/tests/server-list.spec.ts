// Can an admin find a server by order, filter and search, and is the view in the address?

import { BrowserContext, Page } from '@playwright/test';
import { Cluster, expect, Heartbeat, openPage, quickTimers, server, shownServers, test } from './cluster';

/** Two healthy servers, one with a wrong key, one outdated, one that stopped a moment ago, which is no problem yet. */
const five: Heartbeat[] = [
  { server: 'alpha', ip: '10.0.0.1' },
  { server: 'bravo', ip: '10.0.0.2', key: 'another key' },
  { server: 'charlie', ip: '10.0.1.3', version: '2026.1.9' },
  { server: 'delta', ip: '10.0.1.4', leaving: true },
  { server: 'echo', ip: 'fd00::5' },
];
const healthy = ['alpha', 'delta', 'echo'];

const reportFive = async (cluster: Cluster) => {
  await cluster.sendHeartbeats([{ server: 'alpha' }, { server: 'delta' }]);
  await cluster.sendHeartbeats(five);
};

/** The count of each filter. */
const filterCounts = async (page: Page) => {
  const words = await page.locator('#filter-all, #filter-error, #filter-warning, #filter-unknown, #filter-ok').allInnerTexts();
  return Object.fromEntries(words.map((text) => text.split(/\s+/)));
};

test('problems come first, and each sort order is a link, in both directions', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  expect(await shownServers(page)).toEqual(['bravo', 'charlie', ...healthy]);
  await expect(page.locator('#sort-trouble')).toHaveAttribute('aria-current', 'true');

  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=name$/);
  await expect(page.getByRole('columnheader', { name: 'Server' })).toHaveAttribute('aria-sort', 'ascending');
  expect(await shownServers(page)).toEqual(['alpha', 'bravo', 'charlie', 'delta', 'echo']);
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=-name$/);
  await expect(page.getByRole('columnheader', { name: 'Server' })).toHaveAttribute('aria-sort', 'descending');
  expect(await shownServers(page)).toEqual(['echo', 'delta', 'charlie', 'bravo', 'alpha']);

  await page.getByRole('link', { name: 'Version', exact: true }).click();
  await expect(page.getByRole('columnheader', { name: 'Version' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(page.getByRole('columnheader', { name: 'Server' })).not.toHaveAttribute('aria-sort');
  expect((await shownServers(page))[0]).toBe('charlie');
  await page.getByRole('link', { name: 'Heartbeat', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=heartbeat$/);
  expect((await shownServers(page))[0], 'the one without heartbeats').toBe('delta');
  await page.getByRole('link', { name: 'Problems first' }).click();
  await expect(page).toHaveURL(/\/(\?)?$/);
  expect(await shownServers(page)).toEqual(['bravo', 'charlie', ...healthy]);
});

test('a filter shows as many servers as it counts, also with a search', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  expect(await filterCounts(page)).toEqual({ All: '5', Error: '1', Warning: '1', OK: '3' });
  for (const search of ['', '10.0.1', 'a']) {
    await page.getByRole('searchbox').fill(search);
    await page.locator('#filter-all').click();
    const counts = await filterCounts(page);
    for (const [word, count] of Object.entries(counts)) {
      await page.locator(`#filter-${word.toLowerCase()}`).click();
      await expect(page.locator(`#filter-${word.toLowerCase()}`)).toHaveAttribute('aria-current', 'true');
      await expect(page.locator('[data-server]')).toHaveCount(Number(count));
      expect((await filterCounts(page)).All, 'the times of the others go on').toBe(counts.All);
    }
  }
});

test('the menu of a row copies its name, its address and its problems as Markdown, and removes it', async ({ cluster, page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await openPage(page, cluster.url);
  const menu = page.getByLabel('Actions for bad-1');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await menu.click();
  await page.getByRole('button', { name: 'Copy name' }).click();
  await expect.poll(copied).toBe('bad-1');
  await page.getByRole('button', { name: 'Copy as Markdown' }).click();
  await expect.poll(copied).toMatch(/^\*\*bad-1\*\* \(.*\): Error\n- Service Decryption failure/);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Copy name' })).toHaveCount(0);
  await expect(menu).toBeFocused();
  await menu.click();
  await server(page, 'bad-1').getByRole('link', { name: 'Remove' }).click();
  await expect(page.getByRole('dialog')).toContainText('bad-1');
});

test('a search finds names, addresses and versions while it is typed', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  const search = page.getByRole('searchbox', { name: 'Search name, address, version' });
  for (const [typed, found] of [
    ['ALPH', ['alpha']],
    ['10.0.1.', ['charlie', 'delta']],
    ['fd00::5', ['echo']],
    ['2026.1', ['charlie']],
    ['10.0.1. version:2026.2', ['delta']],
    ['state:stopped role:service', ['delta']],
    ['address:10.0.0. 2026', ['bravo', 'alpha']],
  ] as const) {
    await search.fill('');
    await search.pressSequentially(typed);
    await expect(page.locator('[data-server]')).toHaveCount(found.length);
    expect(await shownServers(page)).toEqual(found);
    expect(new URL(page.url()).searchParams.get('q')).toBe(typed);
    await expect(search).toBeFocused();
  }
  await search.press('Enter');
  expect(await shownServers(page)).toEqual(['bravo', 'alpha']);
});

test('a search can contain spaces and characters with a meaning in URLs', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app 1 & co' }, { server: 'app 2' }, { server: 'app-3' }]);
  await openPage(page, cluster.url);
  const search = page.getByRole('searchbox');
  await search.pressSequentially('app ', { delay: 50 });
  await expect(search).toHaveValue('app ');
  await search.pressSequentially('1 &', { delay: 50 });
  await expect(search).toHaveValue('app 1 &');
  await expect.poll(() => shownServers(page)).toEqual(['app 1 & co']);
  await page.reload();
  await expect(search).toHaveValue('app 1 &');
  expect(await shownServers(page)).toEqual(['app 1 & co']);
});

test('a search without a match says so and links to all servers', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  await page.getByRole('searchbox').fill('zulu');
  await expect(page.getByText("No server has “zulu” in its name, address, version, product or system.")).toBeVisible();
  await expect(page.getByText('No server reports here yet')).toHaveCount(0);
  await page.locator('#filter-all').click();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(page.locator('[data-server]')).toHaveCount(5);
  await expect(page.getByRole('searchbox'), 'the search box has the text').toHaveValue('');
  await openPage(page, `${cluster.url}?state=unknown`);
  await expect(page.getByText('No server has the status Unknown.')).toBeVisible();
});

test('the same address shows the same servers in the same order, with scripts and without', async ({ cluster, page, browser }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await page.locator('#filter-warning').click();
  await page.getByRole('searchbox').fill('10.0.1');
  await expect(page).toHaveURL(/q=10\.0\.1/);
  const here = await shownServers(page);
  expect(here).toEqual(['charlie']);
  const contexts: BrowserContext[] = [];
  for (const scripts of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    contexts.push(context);
    const there = await context.newPage();
    await openPage(there, page.url(), scripts);
    expect(await shownServers(there)).toEqual(here);
    await expect(there.getByRole('searchbox')).toHaveValue('10.0.1');
    await expect(there.locator('#filter-warning')).toHaveAttribute('aria-current', 'true');
    await expect(there.locator('#sort-name')).toHaveAttribute('aria-current', 'true');
  }
  for (const context of contexts) await context.close();
});

test('the back and forward buttons go through filters, orders and details', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  await page.locator('#sort-name').click();
  await page.locator('#filter-ok').click();
  await page.locator('#open-server-echo').click();
  await expect(page.getByRole('dialog', { name: 'echo' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.locator('[data-server]')).toHaveCount(3);
  await page.goBack();
  await expect(page.locator('[data-server]')).toHaveCount(5);
  expect((await shownServers(page))[0]).toBe('alpha');
  await page.goBack();
  await expect(page.locator('[data-server]').first()).toHaveAttribute('data-server', 'bravo');
  await page.goForward();
  await page.goForward();
  await expect(page.locator('[data-server]')).toHaveCount(3);
  await page.goForward();
  await expect(page.getByRole('dialog', { name: 'echo' })).toBeVisible();
});

test('the search box follows the back button', async ({ cluster, page }) => {
  await reportFive(cluster);
  await openPage(page, cluster.url);
  const search = page.getByRole('searchbox');
  await search.fill('alpha');
  await expect(page.locator('[data-server]')).toHaveCount(1);
  await page.locator('#open-server-alpha').click();
  await page.keyboard.press('Escape');
  await page.locator('#filter-all').click();
  await search.fill('');
  await expect(page.locator('[data-server]')).toHaveCount(5);
  await page.goBack();
  await expect(page.locator('[data-server]')).toHaveCount(1);
  await expect(search).toHaveValue('alpha');
});

test('a sort order is kept while updates arrive', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'alpha' }, { server: 'bravo' }]);
  await openPage(page, `${cluster.url}?sort=-name`);
  await cluster.keepSendingHeartbeats([{ server: 'bravo-2' }]);
  await expect(page.locator('[data-server]')).toHaveCount(3);
  expect(await shownServers(page)).toEqual(['bravo-2', 'bravo', 'alpha']);
});

test.describe('230 servers', () => {
  const many = Array.from({ length: 230 }, (_, n) => ({ server: `app-${String(n + 1).padStart(3, '0')}` }));

  test('with scripts the list goes on below the screen, and an address that names a page shows that page', async ({ cluster, page }) => {
    await cluster.sendHeartbeats(many);
    await openPage(page, cluster.url);
    await expect(page.locator('.chunk')).toHaveCount(12);
    await expect(page.locator('#filter-all')).toHaveText('All 230');
    await page.locator('.chunk').last().scrollIntoViewIfNeeded();
    await expect(server(page, 'app-230')).toBeVisible();
    await openPage(page, `${cluster.url}?page=2`);
    await expect(page.locator('[data-server]')).toHaveCount(30);
    await expect(page.getByText('201 to 230 of 230')).toBeVisible();
    await expect(page.getByText('No server reports here yet')).toHaveCount(0);
  });

  test.describe('without scripts', () => {
    test.use({ javaScriptEnabled: false });

    test('links lead from page to page and keep order and filter', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(many);
      await page.goto(`${cluster.url}?sort=-name&state=ok`);
      await expect(page.locator('[data-server]')).toHaveCount(200);
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
      expect((await shownServers(page))[0]).toBe('app-230');
      await page.getByRole('link', { name: 'Next' }).click();
      await expect(page.getByText('201 to 230 of 230')).toBeVisible();
      expect((await shownServers(page))[0]).toBe('app-030');
      await expect(page.getByRole('link', { name: 'Next' })).toHaveCount(0);
      await page.getByRole('link', { name: 'Previous' }).click();
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
      await page.getByRole('searchbox').fill('app-00');
      await page.getByRole('button', { name: 'Search' }).click();
      await expect(page.locator('[data-server]')).toHaveCount(9);
      expect((await shownServers(page))[0], 'the order is kept').toBe('app-009');
    });

    test('a page number beyond the last shows the last page', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(many);
      await page.goto(`${cluster.url}?page=9`);
      await expect(page.locator('[data-server]')).toHaveCount(30);
      await expect(page.getByText('No server reports here yet')).toHaveCount(0);
      await page.getByRole('link', { name: 'Previous' }).click();
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
    });
  });
});
