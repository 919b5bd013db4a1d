// Who may come in, and what they may do: with a real browser, a real database and real passwords.
import AxeBuilder from '@axe-core/playwright';
import { spawnSync } from 'node:child_process';
import type { Browser, Page } from '@playwright/test';
import { Cluster, expect, test } from './cluster';

const PASSWORD = 'correct horse battery';

/** Fills the form in and sends it. */
const enter = async (page: Page, name: string, password: string, code?: string) => {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  if (code) await page.getByLabel('Set-up code').fill(code);
  await page.getByRole('button').click();
};

/** An overview where people sign in, with its first admin, who is signed in on this page. */
const guarded = async (cluster: Cluster, page: Page) => {
  await page.goto(cluster.url);
  await expect(page).toHaveURL(/\/sign-in$/);
  await enter(page, 'Ann', PASSWORD, cluster.setupCode);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The server is in sync');
};

/** Another browser, with a viewer in it. */
const viewer = async (cluster: Cluster, browser: Browser, scripts = true) => {
  const made = spawnSync(cluster.program, ['admin', 'set-password', 'viv', '--rank', 'viewer', '--database', cluster.database], {
    input: `${PASSWORD}\n`,
  });
  expect(made.status).toBe(0);
  const page = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await expect(async () => {
    await page.goto(cluster.url);
    await enter(page, 'viv', PASSWORD);
    await expect(page.locator('#visitor')).toHaveText('viv', { timeout: 500 });
  }).toPass();
  return page;
};

test.use({ auth: 'password' });

test('the set-up code makes the first admin, who then looks, leaves and comes back', async ({ cluster, page }) => {
  await guarded(cluster, page);
  await page.locator('summary#visitor').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto(`${cluster.url}?sort=-version`);
  await expect(page).toHaveURL(/\/sign-in\?then=/);
  await expect(page.getByLabel('Set-up code')).toHaveCount(0);
  await enter(page, 'ann', PASSWORD);
  await expect(page).toHaveURL(/\?sort=-version$/);
});

test.describe('who is refused', () => {
  test.use({ forgiven: /401/ });

  test('a wrong password and an unknown name are told the same, and the name stays', async ({ cluster, page }) => {
    await guarded(cluster, page);
    await page.context().clearCookies();
    await page.goto(cluster.url);
    await enter(page, 'Ann', 'wrong horse battery');
    const alert = page.getByRole('alert');
    await expect(alert).toHaveText('This name and password do not belong together.');
    await expect(page.getByLabel('Name')).toHaveValue('Ann');
    await enter(page, 'nobody', PASSWORD);
    await expect(alert).toHaveText('This name and password do not belong together.');
  });

  test('a session that is ended elsewhere leads the open page to where one signs in', async ({ cluster, page }) => {
    await guarded(cluster, page);
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(cluster.url);
    await elsewhere.locator('summary#visitor').click();
    await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.bringToFront();
    await expect(page).toHaveURL(/\/sign-in$/, { timeout: 15_000 });
  });
});

test('a viewer sees what an admin could do, why it is not for viewers, and everything else', async ({ cluster, page, browser }) => {
  await guarded(cluster, page);
  const other = await viewer(cluster, browser);
  const configure = other.getByRole('link', { name: 'Configure' });
  await expect(configure).toBeDisabled();
  await expect(configure).toHaveAccessibleDescription('You may look; only an admin may change things.');
  await other.getByRole('link', { name: 'this-server' }).first().click();
  await expect(other.getByRole('dialog')).toBeVisible();
  await expect(other.getByRole('link', { name: 'Remove server' })).toBeDisabled();
  await other.goto(`${cluster.url}?configure=`);
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByText('Only an admin may change things. Nothing was changed.')).toBeVisible();
});

test('without scripts one signs in, changes something, and signs out', async ({ cluster, browser }) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await guarded(cluster, page);
  await page.getByRole('link', { name: 'Configure' }).click();
  await page.getByLabel('Load balancing').check();
  await page.getByRole('button', { name: 'Save' }).click();
  const save = page.getByRole('button', { name: 'Save' });
  if (await save.isVisible()) await save.click();
  await expect(page.locator('.strip')).toContainText('On');
  await page.locator('summary#visitor').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the sign-in page and the menu are accessible in ${colorScheme}`, async ({ cluster, page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(cluster.url);
    const noBarrier = async () => {
      const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
      expect(found.violations).toEqual([]);
    };
    await noBarrier();
    await guarded(cluster, page);
    await page.locator('summary#visitor').click();
    await noBarrier();
  });
}
