// Does the page "Add server" lead from an empty cluster to the first heartbeat, with scripts and without?

import AxeBuilder from '@axe-core/playwright';
import { ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { Cluster, expect, horizontalOverflow, terminate, test } from './cluster';
import { signInFirstAdmin } from './sign-in';

/** Creates a join token on the page and returns it. */
const createToken = async (page: Page, cluster: Cluster) => {
  await page.getByLabel('Name of the token').fill('rack 7');
  await page.getByRole('button', { name: 'Create join token' }).click();
  const secret = (await page.locator('#secret').textContent()) ?? '';
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  cluster.expectNeverLogged(secret);
  return secret;
};

/** Runs a command of the page as a shell does, with this program, and with a temporary folder in place of the system's. */
const runShown = (cluster: Cluster, command: string, name: string): ChildProcess => {
  const adjusted = command
    .replaceAll('/etc/cluster-overview', join(cluster.folder, 'etc'))
    .replace(/^cluster-overview /m, `exec '${cluster.program}' `);
  const child = spawn('sh', ['-e', '-c', adjusted], {
    env: { ...process.env, CLUSTER_OVERVIEW_NAME: name, CLUSTER_OVERVIEW_MESSENGER_PORT: '33999' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cluster.collectOutput(name, child);
  return child;
};

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ auth: 'password', javaScriptEnabled: scripts });

    test('an admin makes a token, runs the command for Linux, and the page says that the server reports', async ({ cluster, page }) => {
      await signInFirstAdmin(cluster, page);
      await page.getByRole('link', { name: 'Add the first server' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Add server');
      const arrivals = page.frameLocator('#arrivals');
      await expect(arrivals.getByText('Waiting for the first heartbeat')).toBeVisible();
      await page.getByRole('link', { name: 'Any language' }).click();
      await expect(page.locator('#code-python')).toContainText('urllib.request');
      await page.getByRole('link', { name: 'Linux' }).click();
      await expect(page.getByRole('link', { name: 'Linux' })).toHaveAttribute('aria-current', 'page');
      await createToken(page, cluster);
      expect(page.url(), 'no secret in the address').toMatch(/\/add-server$/);
      const command = (await page.locator('#linux-agent').textContent()) ?? '';
      const agent = runShown(cluster, command, 'web-3');
      await expect(arrivals.getByRole('status')).toContainText(/web-3 has reported since .*\d\d/, { timeout: 20_000 });
      await expect(page.locator('#secret'), 'the token is still there').toBeVisible();
      await arrivals.getByRole('link', { name: 'web-3' }).click();
      await expect(page.getByRole('dialog', { name: 'web-3' })).toBeVisible();
      await expect(page.getByRole('link', { name: 'Add the first server' })).toHaveCount(0);
      await page.getByRole('link', { name: 'Close' }).click();
      await page.locator('summary#user').click();
      await page.getByRole('link', { name: 'Add server' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Add server');
      expect(await terminate(agent, 'the agent', 'SIGTERM')).toBe(0);
    });
  });
}

test('the link for the first server goes when one has come, without a reload', async ({ cluster, page }) => {
  await page.goto(cluster.url);
  const link = page.getByRole('link', { name: 'Add the first server' });
  await expect(link).toBeVisible();
  await cluster.sendHeartbeat({ server: 'app-1' });
  await expect(link).toBeHidden();
});

test.describe('the copy button', () => {
  test('copies by keyboard, and says so', async ({ cluster, page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(new URL('add-server?with=container', cluster.url).href);
    await page.locator('#container-docker').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Copied' })).toBeFocused();
    const shown = await page.locator('#container-docker').textContent();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
  });

  test('selects the text where there is no clipboard', async ({ cluster, page }) => {
    await page.addInitScript(() => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.execCommand = () => false;
    });
    await page.goto(new URL('add-server?with=code', cluster.url).href);
    await page.getByRole('button', { name: 'Copy' }).first().click();
    await expect(page.getByRole('button', { name: 'Selected: press Ctrl+C' })).toBeVisible();
    const shown = await page.locator('#code-environment').textContent();
    expect(await page.evaluate(() => getSelection()?.toString().trim())).toBe(shown?.trim());
  });

  test.describe('without scripts', () => {
    test.use({ javaScriptEnabled: false });

    test('is not there', async ({ cluster, page }) => {
      await page.goto(new URL('add-server', cluster.url).href);
      await expect(page.locator('#linux-agent')).toBeVisible();
      await expect(page.getByRole('button', { name: 'Copy' })).toHaveCount(0);
    });
  });

  test('stands beside a new token on Access', async ({ cluster, page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(new URL('access', cluster.url).href);
    await page.getByLabel('Name').fill('monitoring');
    await page.getByRole('button', { name: 'Create token' }).click();
    const secret = (await page.locator('#secret').textContent()) ?? '';
    cluster.expectNeverLogged(secret);
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  });
});

test('nothing scrolls horizontally on a phone, and no rule of accessibility is broken', async ({ cluster, page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  for (const tab of ['linux', 'windows', 'container', 'code']) {
    await page.goto(new URL(`add-server?with=${tab}`, cluster.url).href);
    expect(await horizontalOverflow(page), tab).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations, tab).toEqual([]);
  }
});
