// Can an admin manage access and read the audit, with scripts and without?
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { Cluster, expect, fetchWithDeadline, horizontalOverflow, openPage, server, test } from './cluster';
import { openAsViewer, signIn, signInFirstAdmin } from './sign-in';

const fetchOverview = (cluster: Cluster, token: string) =>
  fetchWithDeadline(new URL('api/v1/overview', cluster.url), { headers: { authorization: `Bearer ${token}` } });

/** Creates a token on the page and returns it. */
const create = async (page: Page, cluster: Cluster, name: string, role: string, life = '90 days') => {
  await page.goto(new URL('access', cluster.url).href);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Permissions').selectOption({ label: role });
  await page.getByLabel('Expires after').selectOption({ label: life });
  await page.getByRole('button', { name: 'Create token' }).click();
  const secret = (await page.locator('#secret').textContent()) ?? '';
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  cluster.expectNeverLogged(secret);
  return secret;
};

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

test.describe('where people sign in', () => {
  test.use({ auth: 'password' });

  test('an admin creates a token, sees it once, and revokes it while it is in use', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.locator('summary#user').click();
    await page.getByRole('link', { name: 'Access' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Access');
    const token = await create(page, cluster, 'monitoring', 'viewer: read only');
    expect((await fetchOverview(cluster, token)).status).toBe(200);
    await page.goto(new URL('access', cluster.url).href);
    await expect(page.getByText(token)).toHaveCount(0);
    await expect(row(page, 'monitoring')).toContainText('by Ann from 127.0.0.1');
    await page.getByLabel('Revoke monitoring').click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await expect(row(page, 'monitoring')).toContainText('revoked');
    expect((await fetchOverview(cluster, token)).status).toBe(401);
    await page.locator('summary#user').click();
    await page.getByRole('link', { name: 'Audit' }).click();
    const lines = page.locator('tbody tr');
    await expect(lines.nth(0)).toContainText('Revoke token');
    await expect(lines.nth(1)).toContainText('Create token');
    await expect(lines.nth(1)).toContainText(/viewer token monitoring \([0-9a-f]{16}\)/);
  });

  test('the audit can be filtered by action and by user', async ({ cluster, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    await openAsViewer(cluster, browser);
    await page.goto(new URL('audit', cluster.url).href);
    await page.getByLabel('Action').selectOption({ label: 'Sign in' });
    await page.getByRole('button', { name: 'Filter' }).click();
    const lines = page.locator('tbody tr');
    await expect(lines.first()).toContainText('viv');
    for (const line of await lines.all()) await expect(line).toContainText('Sign in');
    await page.getByLabel('User, address or target').fill('nobody at all');
    await page.getByRole('button', { name: 'Filter' }).click();
    await expect(page.getByText('No matching entries.')).toBeVisible();
    await page.getByRole('link', { name: 'Newest' }).click();
    await expect(page.locator('tbody')).toContainText('First admin');
  });

  test.describe('names with markup or line breaks', () => {
    test.use({ allowedOnConsole: /401/ });

    test('are shown as text, or not at all', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    const hostile = '"><script>document.title=1</script>';
    await create(page, cluster, hostile, 'join: registers servers', 'no expiry');
    await expect(row(page, hostile)).toContainText('valid');
    await expect(page).toHaveTitle('Access - Cluster Overview');
    await page.context().clearCookies();
    await page.goto(cluster.url);
    await page.evaluate(() => {
      const name = document.querySelector<HTMLInputElement>('#name');
      if (name) name.type = 'hidden';
      if (name) name.value = 'eve\r\n2026-01-01 ann signed in\u202e';
    });
    await page.getByLabel('Password').fill('whatever it may be');
    const refused = page.waitForResponse((answer) => answer.request().method() === 'POST');
    await page.getByRole('button').click();
    expect((await refused).status()).toBe(401);
    await signIn(page, 'ann', 'correct horse battery');
    await page.goto(new URL('audit', cluster.url).href);
    // A user may have typed a password as the name, so an unknown name is not logged.
    await expect(row(page, 'eve')).toHaveCount(0);
    const refused_line = row(page, 'unknown name');
    await expect(refused_line).toHaveCount(1);
    await expect(refused_line).toContainText('Refused: wrong password.');
    });
  });

  test.describe('a viewer', () => {
    test.use({ allowedOnConsole: /40[13]/ });

    test('learns that the pages are for admins, and gets a link back', async ({ cluster, page, browser }) => {
      await signInFirstAdmin(cluster, page);
      const other = await openAsViewer(cluster, browser);
      await expect(other.getByRole('link', { name: 'Access' })).toHaveCount(0);
      for (const path of ['access', 'audit']) {
        await other.goto(new URL(path, cluster.url).href);
        await expect(other.getByText('only an admin', { exact: false })).toBeVisible();
        await other.getByRole('link', { name: 'Back to the overview' }).click();
        await expect(other.locator('#user')).toHaveText('viv');
      }
    });
  });

  test('without scripts an admin creates a token and revokes it', async ({ cluster, browser }) => {
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    await signInFirstAdmin(cluster, page);
    const token = await create(page, cluster, 'a script', 'admin: full access', '1 year');
    expect((await fetchOverview(cluster, token)).status).toBe(200);
    await page.getByLabel('Revoke a script').click();
    await page.getByRole('button', { name: 'Revoke' }).click();
    await expect(row(page, 'a script')).toContainText('revoked');
    expect((await fetchOverview(cluster, token)).status).toBe(401);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`both pages are accessible in ${colorScheme}, and never scroll horizontally`, async ({ cluster, page }) => {
      await page.emulateMedia({ colorScheme });
      await signInFirstAdmin(cluster, page);
      await create(page, cluster, 'a name of a hundred characters, or at least nearly so many', 'viewer: read only');
      for (const path of ['', 'access', 'audit']) {
        if (path) await page.goto(new URL(path, cluster.url).href);
        const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
        expect(found.violations).toEqual([]);
        for (const width of [360, 1440, 3840]) {
          await page.setViewportSize({ width, height: 800 });
          expect(await horizontalOverflow(page)).toBe(0);
        }
      }
    });
  }
});

test('an enrolled agent is listed with its server, and its credential can be revoked', async ({ cluster, page }) => {
  cluster.agent('web-1', 'service');
  await expect(async () => {
    await page.goto(new URL('access', cluster.url).href);
    await expect(row(page, 'web-1')).toContainText('valid', { timeout: 500 });
  }).toPass();
  await page.getByLabel('Revoke web-1').click();
  await page.getByRole('button', { name: 'Revoke' }).click();
  // The agent has a join token, so it enrols again.
  await expect(async () => {
    await page.reload();
    await expect(row(page, 'web-1')).toHaveCount(2, { timeout: 500 });
  }).toPass({ timeout: 45_000 });
  await expect(row(page, 'web-1').last()).toContainText('revoked');
});

test('a row says that heartbeats for its server are rejected, why, and where they came from', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'web-1' });
  await openPage(page, cluster.url);
  await expect(server(page, 'web-1')).not.toContainText('refused');
  await fetchWithDeadline(new URL('api/v1/heartbeats', cluster.url), {
    method: 'POST',
    headers: { authorization: 'Bearer of-yesterday' },
    body: JSON.stringify({ server: 'web-1' }),
  });
  await expect(server(page, 'web-1')).toContainText(
    /Heartbeats for this server have been rejected since [\d:]+ UTC\. The last one came from 127\.0\.0\.1, without a valid token\./,
  );
});
