// Finding a server: orders, filters with true counts, search; the address says all of it.

import { BrowserContext, Page } from '@playwright/test';
import { Beat, Cluster, expect, open, quick, shown, test } from './cluster';

/** Two well, one with a wrong key, one behind, one stopped. */
const five: Beat[] = [
  { server: 'alpha', ip: '10.0.0.1' },
  { server: 'bravo', ip: '10.0.0.2', key: 'another key' },
  { server: 'charlie', ip: '10.0.1.3', version: '2026.1.9' },
  { server: 'delta', ip: '10.0.1.4', leaving: true },
  { server: 'echo', ip: 'fd00::5' },
];
const well = ['alpha', 'echo'];

const form = async (cluster: Cluster) => {
  await cluster.beats([{ server: 'alpha' }, { server: 'delta' }]);
  await cluster.beats(five);
};

/** What the chips say. */
const chips = async (page: Page) => {
  const words = await page.locator('.filter').allInnerTexts();
  return Object.fromEntries(words.map((text) => text.split(/\s+/)));
};

test('trouble stands first, and each order is a link of its own, either way round', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
  expect(await shown(page)).toEqual(['bravo', 'charlie', 'delta', ...well]);
  await expect(page.locator('#sort-trouble')).toHaveAttribute('aria-current', 'true');

  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=name$/);
  await expect(page.getByRole('columnheader', { name: 'Server' })).toHaveAttribute('aria-sort', 'ascending');
  expect(await shown(page)).toEqual(['alpha', 'bravo', 'charlie', 'delta', 'echo']);
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=-name$/);
  await expect(page.getByRole('columnheader', { name: 'Server' })).toHaveAttribute('aria-sort', 'descending');
  expect(await shown(page)).toEqual(['echo', 'delta', 'charlie', 'bravo', 'alpha']);

  await page.getByRole('link', { name: 'Version', exact: true }).click();
  await expect(page.getByRole('columnheader', { name: 'Version' })).toHaveAttribute('aria-sort', 'ascending');
  await expect(page.getByRole('columnheader', { name: 'Server' })).not.toHaveAttribute('aria-sort');
  expect((await shown(page))[0]).toBe('charlie');
  await page.getByRole('link', { name: 'Heartbeat', exact: true }).click();
  await expect(page).toHaveURL(/\?sort=heartbeat$/);
  expect((await shown(page))[0], 'the one that does not beat').toBe('delta');
  await page.getByRole('link', { name: 'Problems first' }).click();
  await expect(page).toHaveURL(/\/(\?)?$/);
  expect(await shown(page)).toEqual(['bravo', 'charlie', 'delta', ...well]);
});

test('a chip shows as many servers as it counts, under a search too', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
  expect(await chips(page)).toEqual({ All: '5', Error: '1', Warning: '2', OK: '2' });
  for (const search of ['', '10.0.1', 'a']) {
    await page.getByRole('searchbox').fill(search);
    await page.locator('#filter-all').click();
    const counts = await chips(page);
    for (const [word, count] of Object.entries(counts)) {
      await page.locator(`#filter-${word.toLowerCase()}`).click();
      await expect(page.locator(`#filter-${word.toLowerCase()}`)).toHaveAttribute('aria-current', 'true');
      await expect(page.locator('[data-server]')).toHaveCount(Number(count));
      expect((await chips(page)).All, 'the others count on').toBe(counts.All);
    }
  }
});

test('a search finds names, addresses and versions while it is typed', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
  const search = page.getByRole('searchbox', { name: 'Search name, address, version' });
  for (const [typed, found] of [
    ['ALPH', ['alpha']],
    ['10.0.1.', ['charlie', 'delta']],
    ['fd00::5', ['echo']],
    ['2026.1', ['charlie']],
  ] as const) {
    await search.fill('');
    await search.pressSequentially(typed);
    await expect(page.locator('[data-server]')).toHaveCount(found.length);
    expect(await shown(page)).toEqual(found);
    expect(new URL(page.url()).searchParams.get('q')).toBe(typed);
    await expect(search).toBeFocused();
  }
  await search.press('Enter');
  expect(await shown(page)).toEqual(['charlie']);
});

test('a search may hold blanks and what means something in an address', async ({ cluster, page }) => {
  await cluster.beats([{ server: 'app 1 & co' }, { server: 'app 2' }, { server: 'app-3' }]);
  await open(page, cluster.url);
  const search = page.getByRole('searchbox');
  await search.pressSequentially('app ', { delay: 50 });
  await expect(search).toHaveValue('app ');
  await search.pressSequentially('1 &', { delay: 50 });
  await expect(search).toHaveValue('app 1 &');
  await expect.poll(() => shown(page)).toEqual(['app 1 & co']);
  await page.reload();
  await expect(search).toHaveValue('app 1 &');
  expect(await shown(page)).toEqual(['app 1 & co']);
});

test('a search that finds nothing says so and leads back, the box emptied', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
  await page.getByRole('searchbox').fill('zulu');
  await expect(page.getByText("No server's name, address or version contains “zulu”.")).toBeVisible();
  await expect(page.getByText('On each server of the product')).toHaveCount(0);
  await page.locator('#filter-all').click();
  await page.getByRole('link', { name: 'Clear filters' }).click();
  await expect(page.locator('[data-server]')).toHaveCount(5);
  await expect(page.getByRole('searchbox'), 'the box says what is searched').toHaveValue('');
  await open(page, `${cluster.url}?state=unknown`);
  await expect(page.getByText('No server has the status Unknown.')).toBeVisible();
});

test('the same address shows the same servers in the same order, with scripts and without', async ({ cluster, page, browser }) => {
  await form(cluster);
  await open(page, cluster.url);
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await page.getByRole('link', { name: 'Server', exact: true }).click();
  await page.locator('#filter-warning').click();
  await page.getByRole('searchbox').fill('10.0.1');
  await expect(page).toHaveURL(/q=10\.0\.1/);
  const here = await shown(page);
  expect(here).toEqual(['delta', 'charlie']);
  const contexts: BrowserContext[] = [];
  for (const scripts of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled: scripts });
    contexts.push(context);
    const there = await context.newPage();
    await open(there, page.url(), scripts);
    expect(await shown(there)).toEqual(here);
    await expect(there.getByRole('searchbox')).toHaveValue('10.0.1');
    await expect(there.locator('#filter-warning')).toHaveAttribute('aria-current', 'true');
    await expect(there.locator('#sort-name')).toHaveAttribute('aria-current', 'true');
  }
  for (const context of contexts) await context.close();
});

test('back and forward walk through what was looked at', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
  await page.locator('#sort-name').click();
  await page.locator('#filter-ok').click();
  await page.locator('#open-server-echo').click();
  await expect(page.getByRole('dialog', { name: 'echo' })).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.locator('[data-server]')).toHaveCount(2);
  await page.goBack();
  await expect(page.locator('[data-server]')).toHaveCount(5);
  expect((await shown(page))[0]).toBe('alpha');
  await page.goBack();
  await expect(page.locator('[data-server]').first()).toHaveAttribute('data-server', 'bravo');
  await page.goForward();
  await page.goForward();
  await expect(page.locator('[data-server]')).toHaveCount(2);
  await page.goForward();
  await expect(page.getByRole('dialog', { name: 'echo' })).toBeVisible();
});

test('the search box follows the way back and forth', async ({ cluster, page }) => {
  await form(cluster);
  await open(page, cluster.url);
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

test('an order holds while news comes', async ({ cluster, page }) => {
  await cluster.configure(quick);
  await cluster.keepBeating([{ server: 'alpha' }, { server: 'bravo' }]);
  await open(page, `${cluster.url}?sort=-name`);
  await cluster.keepBeating([{ server: 'bravo-2' }]);
  await expect(page.locator('[data-server]')).toHaveCount(3);
  expect(await shown(page)).toEqual(['bravo-2', 'bravo', 'alpha']);
});

test.describe('two hundred and thirty servers', () => {
  const many = Array.from({ length: 230 }, (_, n) => ({ server: `app-${String(n + 1).padStart(3, '0')}` }));

  test('with scripts all of them are there, whatever page a link names', async ({ cluster, page }) => {
    await cluster.beats(many);
    await open(page, cluster.url);
    await expect(page.locator('[data-server]')).toHaveCount(230);
    await expect(page.getByRole('navigation', { name: 'Pages' })).toHaveCount(0);
    await open(page, `${cluster.url}?page=2`);
    await expect(page.locator('[data-server]')).toHaveCount(230);
    await expect(page.getByText('On each server of the product')).toHaveCount(0);
  });

  test.describe('without scripts', () => {
    test.use({ javaScriptEnabled: false });

    test('links lead from page to page, and orders and filters hold there', async ({ cluster, page }) => {
      await cluster.beats(many);
      await page.goto(`${cluster.url}?sort=-name&state=ok`);
      await expect(page.locator('[data-server]')).toHaveCount(200);
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
      expect((await shown(page))[0]).toBe('app-230');
      await page.getByRole('link', { name: 'Next' }).click();
      await expect(page.getByText('201 to 230 of 230')).toBeVisible();
      expect((await shown(page))[0]).toBe('app-030');
      await expect(page.getByRole('link', { name: 'Next' })).toHaveCount(0);
      await page.getByRole('link', { name: 'Previous' }).click();
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
      await page.getByRole('searchbox').fill('app-00');
      await page.getByRole('button', { name: 'Search' }).click();
      await expect(page.locator('[data-server]')).toHaveCount(9);
      expect((await shown(page))[0], 'the order is kept').toBe('app-009');
    });

    test('a page beyond the last is the last', async ({ cluster, page }) => {
      await cluster.beats(many);
      await page.goto(`${cluster.url}?page=9`);
      await expect(page.locator('[data-server]')).toHaveCount(30);
      await expect(page.getByText('On each server of the product')).toHaveCount(0);
      await page.getByRole('link', { name: 'Previous' }).click();
      await expect(page.getByText('1 to 200 of 230')).toBeVisible();
    });
  });
});
