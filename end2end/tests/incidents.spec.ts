// Does everybody see who takes care of an incident, and can a viewer say so, with scripts and without?
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Cluster, expect, focusedId, hint, horizontalOverflow, openPage, quickTimers, test } from './cluster';
import { openAsViewer, signInFirstAdmin } from './sign-in';

const anchor = 'key-mismatch-bad-1';
const acknowledge = (page: Page) => hint(page, anchor).getByRole('link', { name: 'Acknowledge', exact: true });
const acknowledged = (page: Page) => hint(page, anchor).locator('.acknowledged');

/** A server with another key, which is an incident until it has the right one. */
const withWrongKey = (cluster: Cluster) =>
  cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('somebody acknowledges an incident from its hint, another window sees it, and it can be withdrawn', async ({ cluster, page, browser }) => {
      await withWrongKey(cluster);
      const other = await (await browser.newContext({ javaScriptEnabled: true })).newPage();
      await openPage(other, cluster.url);
      await openPage(page, cluster.url, scripts);
      // The incident begins a moment after the hint.
      await expect(async () => {
        if (!scripts) await page.reload();
        await expect(acknowledge(page)).toBeVisible({ timeout: 500 });
      }).toPass();
      await acknowledge(page).click();
      await expect(page).toHaveURL(/\/incidents\/\d+-[0-9a-f]{16}$/);
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('bad-1 uses a different encryption key');
      await expect(page.getByText('On bad-1, compare the encryption key')).toBeVisible();
      await page.getByLabel('Note for the others').fill('The new key comes at noon.\nAsk Bob.');
      await page.getByRole('button', { name: 'Acknowledge' }).click();
      await expect(page).toHaveURL(/#hint-key-mismatch-bad-1$/);
      for (const one of [page, other]) {
        await expect(acknowledged(one)).toContainText('Acknowledged by anybody at');
        await expect(acknowledged(one)).toContainText('The new key comes at noon.');
      }
      await hint(page, anchor).getByRole('link', { name: 'Withdraw acknowledgement' }).click();
      await expect(page.getByRole('definition').filter({ hasText: 'anybody' })).toContainText('Ask Bob.');
      await page.getByRole('button', { name: 'Withdraw acknowledgement' }).click();
      await expect(page).toHaveURL(/#hint-key-mismatch-bad-1$/);
      await expect(acknowledged(page)).toHaveCount(0);
      await expect(acknowledged(other)).toHaveCount(0);
      await other.context().close();
    });

    test('a page of the past offers nothing to acknowledge', async ({ cluster, page }) => {
      await withWrongKey(cluster);
      await expect.poll(async () => (await openIncidents(cluster)).length).toBe(1);
      await page.goto(`${cluster.url}?at=${encodeURIComponent(new Date().toISOString())}`);
      await expect(hint(page, anchor)).toBeVisible();
      await expect(page.getByRole('link', { name: /Acknowledge|Withdraw/ })).toHaveCount(0);
    });
  });
}

const openIncidents = async (cluster: Cluster) =>
  (await (await fetch(new URL('api/v1/incidents?open=true', cluster.url))).json()).incidents;

test('an acknowledgement goes with its incident', async ({ cluster, page }) => {
  await withWrongKey(cluster);
  await openPage(page, cluster.url);
  await acknowledge(page).click();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(acknowledged(page)).toHaveText(/^Acknowledged by anybody at \S+/);
  await cluster.sendHeartbeat({ server: 'bad-1' });
  await expect(hint(page, anchor)).toHaveCount(0);
  await page.goto(new URL('notifications', cluster.url).href);
  await expect(page.getByText('No open incidents.')).toBeVisible();
  const row = page.getByRole('row').filter({ hasText: 'bad-1 uses a different encryption key' });
  await expect(row).toContainText('anybody');
  await row.getByRole('link', { name: 'Show the overview at that moment' }).click();
  await expect(page).toHaveURL(/\?at=.*#hint-key-mismatch-bad-1$/);
  await expect(hint(page, anchor)).toBeVisible();
});

test('one form acknowledges all incidents of a kind', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-3' }]);
  await cluster.sendHeartbeats(['bad-1', 'bad-2', 'bad-3'].map((server) => ({ server, key: 'another key' })));
  await openPage(page, cluster.url);
  const card = page.locator('[data-hint="key-mismatch"]');
  await card.getByRole('link', { name: 'Acknowledge' }).click();
  await page.getByLabel('Also acknowledge 2 more open incidents of this kind').check();
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(card).toContainText('Acknowledged by anybody');
  for (const incident of await openIncidents(cluster)) expect(incident.acknowledged.by).toBe('anybody');
});

test('with the keyboard alone one acknowledges an incident', async ({ cluster, page }) => {
  await withWrongKey(cluster);
  await openPage(page, cluster.url);
  await acknowledge(page).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('bad-1');
  for (let presses = 0; (await focusedId(page)) !== 'note'; presses += 1) {
    expect(presses, 'the note is reached by Tab').toBeLessThan(20);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.type('mine');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(acknowledged(page)).toContainText(': mine');
  await hint(page, anchor).getByRole('link', { name: 'Withdraw acknowledgement' }).click();
  await expect(page.getByLabel('Note for the others'), 'who wrote it can change it').toHaveValue('mine');
  await page.getByLabel('Note for the others').fill('ours');
  await page.getByRole('button', { name: 'Save note' }).click();
  await expect(acknowledged(page)).toContainText(': ours');
});

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('a viewer acknowledges an incident, and the admin sees who it was at once', async ({ cluster, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    await withWrongKey(cluster);
    const viewer = await openAsViewer(cluster, browser);
    await acknowledge(viewer).click();
    await viewer.getByLabel('Note for the others').fill('I look');
    await viewer.getByRole('button', { name: 'Acknowledge' }).click();
    await expect(acknowledged(page)).toHaveText(/^Acknowledged by viv at .*: I look$/);
    await viewer.goto(new URL('notifications', cluster.url).href);
    await expect(viewer.getByRole('row').filter({ hasText: 'bad-1' })).toContainText('viv');
    await viewer.context().close();
    await hint(page, anchor).getByRole('link', { name: 'Withdraw acknowledgement' }).click();
    await page.getByRole('button', { name: 'Acknowledge in place of viv' }).click();
    await expect(acknowledged(page)).toHaveText(/^Acknowledged by Ann at \S+( UTC)?$/);
    await page.goto(new URL('audit?action=acknowledge', cluster.url).href);
    await expect(page.locator('tbody tr')).toContainText(['Ann', 'viv']);
    await page.getByRole('link', { name: 'key-mismatch of bad-1' }).first().click();
    await expect(page.locator('.panel')).toContainText('bad-1');
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1440, 390]) {
    test(`the pages are accessible and fit, ${colorScheme}, ${width} px`, async ({ cluster, page }) => {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await withWrongKey(cluster);
      await cluster.saveSettings({ ...quickTimers, stale_timeout_s: 2 });
      await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 30, stale_timeout_s: 300, web_window_s: 86_400 });
      await expect.poll(async () => (await openIncidents(cluster)).length).toBeGreaterThan(0);
      const [{ id }] = await openIncidents(cluster);
      for (const path of [`incidents/${id}`, 'notifications']) {
        await page.goto(new URL(path, cluster.url).href);
        expect((await new AxeBuilder({ page }).analyze()).violations, path).toEqual([]);
        expect(await horizontalOverflow(page), path).toBe(0);
      }
      await expect(page.getByRole('region', { name: 'Open' }).getByRole('link').first()).toBeVisible();
    });
  }
}
