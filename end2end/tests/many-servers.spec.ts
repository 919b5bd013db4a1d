// Can an admin remove many servers at once and download what the list shows, with scripts and without?
import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Cluster, expect, horizontalOverflow, openPage, server, shownServers, test } from './cluster';
import { openAsViewer, signInFirstAdmin } from './sign-in';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);

/** 20 servers that report, and 40 that have stopped, as after a scale-down. */
const scaleDown = async (cluster: Cluster) => {
  const dead = names('pod', 40).map((name) => ({ server: name }));
  await cluster.sendHeartbeats([...names('app', 20).map((name) => ({ server: name })), ...dead]);
  await cluster.sendHeartbeats(dead.map((heartbeat) => ({ ...heartbeat, leaving: true })));
};

/** The rows of a CSV file whose cells need no quotes. */
const lines = (csv: string) => csv.trimEnd().split('\r\n').map((line) => line.split(','));

/** Follows a link to a file, and returns the file's name and contents. */
const download = async (page: Page, link: string) => {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: link, exact: true }).click()]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
};

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('remove 40 dead ones at once', async ({ cluster, page }) => {
      await scaleDown(cluster);
      await openPage(page, `${cluster.url}?q=pod`, scripts);
      await page.locator('summary#user').click();
      await page.getByRole('link', { name: 'Remove servers' }).click();
      await expect(page.getByLabel('Name')).toHaveValue('*pod*');
      await expect(page.getByText('No server matches.'), 'they stopped just now').toBeVisible();
      await page.getByLabel('Stopped or stale for at least').fill('0 s');
      await page.getByRole('button', { name: 'List servers' }).click();
      await expect(page.getByRole('heading', { name: '40 servers match' })).toBeVisible();
      await expect(page.locator('tbody tr')).toHaveCount(40);
      await expect(page.locator('tbody tr').first()).toContainText('pod-1');
      await expect(page.locator('tbody')).not.toContainText('app-');
      // One starts again while the admin reads the list.
      await cluster.sendHeartbeat({ server: 'pod-7' });
      await page.getByRole('button', { name: 'Remove 40 servers' }).click();
      await expect(page.getByText('39 servers were removed.')).toBeVisible();
      await expect(page.getByText('Not removed, because they report again: pod-7.')).toBeVisible();
      await page.getByRole('link', { name: 'Back to the overview' }).click();
      await expect(page.locator('[data-server]')).toHaveCount(21);
      await expect(server(page, 'pod-7')).toBeVisible();
      await page.goto(new URL('audit', cluster.url).href);
      await expect(page.locator('tbody tr')).toHaveCount(1);
      await expect(page.locator('tbody tr')).toContainText('39 servers: pod-1, pod-2,');
    });

    test('export what is shown', async ({ cluster, page }) => {
      await scaleDown(cluster);
      await openPage(page, `${cluster.url}?sort=-name`, scripts);
      if (scripts) {
        // The list follows each key, without a new document.
        await page.getByRole('searchbox').pressSequentially('pod-3');
        await expect(page.locator('[data-server]')).toHaveCount(11);
        await expect(page).toHaveURL(/q=pod-3/);
      } else {
        await page.getByRole('searchbox').fill('pod-3');
        await page.getByRole('button', { name: 'Search' }).click();
        await expect(page.locator('[data-server]')).toHaveCount(11);
      }
      const shown = await shownServers(page);
      const csv = await download(page, 'CSV');
      expect(csv.name).toMatch(/^cluster-overview-servers-\d{4}-\d\d-\d\d\.csv$/);
      const [heading, ...rows] = lines(csv.text);
      expect(heading.slice(0, 4)).toEqual(['server', 'role', 'product', 'version']);
      expect(rows.map((row) => row[0])).toEqual(shown);
      const json = await download(page, 'JSON');
      expect(JSON.parse(json.text).map((line: { server: string }) => line.server)).toEqual(shown);
    });
  });
}

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('a viewer reads the list of removals without a button, and exports', async ({ cluster, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    await scaleDown(cluster);
    await page.locator('summary#user').click();
    await page.getByRole('link', { name: 'Remove servers' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Remove servers');
    const viewer = await openAsViewer(cluster, browser);
    await viewer.goto(new URL('removals?stale_for=0+s', cluster.url).href);
    await expect(viewer.getByRole('heading', { name: '40 servers match' })).toBeVisible();
    await expect(viewer.locator('#read-only')).toBeVisible();
    await expect(viewer.getByRole('button', { name: /Remove/ })).toHaveCount(0);
    await viewer.goto(cluster.url);
    expect(lines((await download(viewer, 'CSV')).text).length).toBeGreaterThan(60);
    await viewer.context().close();
  });
});

test('the page of removals is accessible, light and dark, narrow and wide', async ({ cluster, page }) => {
  await scaleDown(cluster);
  for (const query of ['stale_for=0+s', 'stale_for=soon', 'removed=2&left=pod-1&left=app-1']) {
    await page.goto(new URL(`removals?${query}`, cluster.url).href);
    for (const [width, colorScheme] of [[390, 'light'], [1440, 'dark']] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await horizontalOverflow(page)).toBeLessThanOrEqual(0);
      const found = await new AxeBuilder({ page }).analyze();
      expect(found.violations.map((broken) => [broken.id, broken.nodes.map((node) => node.html)])).toEqual([]);
    }
  }
});
