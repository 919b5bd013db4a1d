// Large clusters: only what is near the screen is in the document, and the map shows all servers at once.

import { expect, focusedId, Heartbeat, horizontalOverflow, openPage, server, shownServers, test } from './cluster';

/** So many servers with a service each; every hundredth has another key. */
const servers = (count: number): Heartbeat[] => Array.from({ length: count }, (_, number) => ({
  server: `app-${number + 1}`,
  version: number % 50 === 7 ? '2026.1.4' : '2026.2.1',
  key: number % 100 === 99 ? 'another key' : undefined,
}));

test.describe('of a thousand servers', () => {
  test.beforeEach(async ({ cluster, page }) => {
    await cluster.sendHeartbeats(servers(1000));
    await openPage(page, `${cluster.url}?sort=name`);
  });

  test('only the rows near the screen are in the document, and scrolling brings the others', async ({ page }) => {
    await expect.poll(() => page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(10_000);
    await expect(server(page, 'app-1')).toBeVisible();
    await expect(server(page, 'app-1000')).toHaveCount(0);
    await page.locator('.chunk').last().scrollIntoViewIfNeeded();
    await expect(server(page, 'app-1000')).toBeVisible();
    await expect(server(page, 'app-1'), 'what left the screen is not kept').toHaveCount(0);
    await page.evaluate(() => scrollTo(0, 0));
    await expect(server(page, 'app-1')).toBeVisible();
  });

  test('a server that is far down is found from its hint', async ({ page }) => {
    const card = page.locator('[data-hint="key-mismatch"]');
    await expect(card.getByRole('heading')).toHaveText('10 servers use a different encryption key');
    await card.getByRole('link', { name: 'app-900' }).click();
    await expect(server(page, 'app-900')).toBeInViewport();
  });

  test('a row with the focus stays in the document however far it is', async ({ page }) => {
    await server(page, 'app-1').getByRole('link', { name: 'app-1', exact: true }).focus();
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await expect(server(page, 'app-1000')).toBeVisible();
    expect(await focusedId(page)).toBe('open-server-app-1');
  });

  test('a page of 200 is in the document as a whole, so that the browser finds and prints everything on it', async ({ page }) => {
    await page.getByRole('link', { name: 'Show 200 per page' }).click();
    await expect.poll(() => shownServers(page)).toHaveLength(200);
    await page.getByRole('link', { name: 'Next' }).click();
    await expect(server(page, 'app-201')).toHaveCount(1);
    await expect.poll(() => shownServers(page)).toHaveLength(200);
    await page.getByRole('link', { name: 'Show all on one page' }).click();
    await expect(page).toHaveURL(/\?sort=name$/);
  });

  test('each problem that the verdict counts leads to the servers that have it', async ({ page }) => {
    await page.getByTestId('problems').getByRole('link', { name: '10 servers use a different encryption key' }).click();
    await expect.poll(() => shownServers(page)).toHaveLength(10);
    await expect(page).toHaveURL(/q=hint%3Akey-mismatch/);
    await expect(page.locator('#search')).toHaveValue('hint:key-mismatch');
  });

  test('a filter by version counts its servers, and a second click takes it away', async ({ page }) => {
    const filter = page.locator('.filter', { hasText: '2026.1.4' });
    await expect(filter).toHaveText('2026.1.4 20');
    await filter.click();
    await expect.poll(() => shownServers(page)).toHaveLength(20);
    await expect(filter).toHaveAttribute('aria-current', 'true');
    await filter.click();
    await expect(page.locator('#search')).toHaveValue('');
  });
});

for (const scripts of [true, false]) {
  test.describe(`60 servers in groups, ${scripts ? 'with' : 'without'} scripts`, () => {
    test.use({ javaScriptEnabled: scripts });

    test('stand under heads that count them, the worst group first, and those that are well are folded until one opens them', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(servers(60));
      await openPage(page, cluster.url, scripts);
      await page.locator('.groups').getByRole('link', { name: 'Version' }).click();
      const heads = page.locator('.group-head');
      await expect(heads).toHaveText([/2026\.1\.4\s+2$/, /2026\.2\.1\s+58$/]);
      const rows = page.locator('.server .table-row:visible .server-name');
      await expect(rows).toHaveText([/app-8$/, /app-58$/]);
      const folded = heads.getByRole('link', { name: '2026.2.1' });
      await expect(folded).toHaveAttribute('aria-expanded', 'false');
      await folded.click();
      await expect(rows).toHaveCount(60);
      await expect(page).toHaveURL(/group=version&unfolded=2026\.2\.1/);
      await page.reload();
      await expect(rows).toHaveCount(60);
      await heads.getByRole('link', { name: '2026.2.1' }).click();
      await expect(rows).toHaveCount(2);
      await page.locator('.groups').getByRole('link', { name: 'Version' }).click();
      await expect(heads).toHaveCount(0);
      await expect(rows).toHaveCount(60);
    });
  });
}

test.describe('the map of 60 servers', () => {
  test.beforeEach(async ({ cluster, page }) => {
    await cluster.sendHeartbeats(servers(60));
    await openPage(page, `${cluster.url}?sort=name`);
  });

  test('is walked by the arrow keys, says each server, and opens its details', async ({ page }) => {
    const link = page.locator('#map-current');
    await expect(link).toHaveAccessibleName('Map of the servers, app-1: OK');
    await link.focus();
    await page.keyboard.press('ArrowRight');
    await expect(link).toHaveAccessibleName('Map of the servers, app-2: OK');
    await expect(link).toBeFocused();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    for (let step = 0; step < 6; step += 1) await page.keyboard.press('ArrowRight');
    await expect(link).toHaveAccessibleName('Map of the servers, app-8: Warning');
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowRight');
    await expect(link, 'the end is the end').toHaveAccessibleName('Map of the servers, app-60: OK');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('heading', { name: 'app-60' })).toBeVisible();
  });

  test('names the server under the pointer, and a click opens it', async ({ page }) => {
    const picture = page.locator('.map svg').first();
    const box = (await picture.boundingBox())!;
    // The eighth cell of the first row.
    await page.mouse.move(box.x + 7.5 * 16, box.y + 8);
    await expect(page.locator('#map-current title')).toHaveText('app-8: Warning');
    await page.mouse.down();
    await page.mouse.up();
    await expect(page.getByRole('dialog').getByRole('heading', { name: 'app-8' })).toBeVisible();
  });

  test('fits a narrow screen', async ({ page }) => {
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
    await expect(page.locator('.map svg').first()).toBeVisible();
  });
});

test('a short list has no map, and says the one version and key once, above the list', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-3' }]);
  await openPage(page, cluster.url);
  await expect(page.locator('.map svg')).toHaveCount(0);
  const facts = page.locator('.summary dl');
  await expect(facts).toContainText('2026.2.1 · on all 3');
  await expect(facts).toContainText('In sync · on all 3');
  await expect(page.getByRole('columnheader', { name: 'Version' })).toBeHidden();
  await expect(page.locator('.server .version').first()).toBeHidden();
  await cluster.sendHeartbeat({ server: 'app-3', version: '2026.1.4' });
  await expect(page.getByRole('columnheader', { name: 'Version' })).toBeVisible();
  await expect(server(page, 'app-1').locator('.version')).toHaveText(/2026\.2\.1/);
  await expect(facts).toContainText('2026.2.1 · on 2 of 3 servers');
});

test('a row that moves under the pointer between press and release acts on what was pressed', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-3' }]);
  await openPage(page, cluster.url);
  const box = (await server(page, 'app-1').locator('.server-name').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  // Its problem puts another server in its place.
  await cluster.sendHeartbeat({ server: 'app-3', key: 'another key' });
  await expect.poll(() => shownServers(page)).toEqual(['app-3', 'app-1', 'app-2']);
  await page.mouse.up();
  await expect(page.getByRole('dialog').getByRole('heading', { name: 'app-1' })).toBeVisible();
  await expect(page).toHaveURL(/\?server=app-1$/);
});
