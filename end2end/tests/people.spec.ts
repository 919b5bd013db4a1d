// Can an admin invite people and manage them, with scripts and without?
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from '@playwright/test';
import { Cluster, expect, horizontalOverflow, password, test } from './cluster';
import { signIn, signInFirstAdmin } from './sign-in';

const newPassword = 'my cluster keeps green hats';

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });
const openAccess = (page: Page, cluster: Cluster) => page.goto(new URL('access', cluster.url).href);

/** The link that the page shows once. */
const newLink = async (page: Page, cluster: Cluster) => {
  const link = (await page.locator('#link').textContent()) ?? '';
  expect(link.startsWith(new URL('invitation#', cluster.url).href)).toBe(true);
  cluster.expectNeverLogged(link.split('#')[1]);
  return link;
};

const invite = async (page: Page, cluster: Cluster, name: string, role: string) => {
  await openAccess(page, cluster);
  await page.getByLabel('New user').fill(name);
  await page.locator('#person-role').selectOption({ label: role });
  await page.getByRole('button', { name: 'Create invitation' }).click();
  return newLink(page, cluster);
};

/** Opens the action of a person and confirms it. */
const act = async (page: Page, cluster: Cluster, action: string, name: string, confirm: string, prepare = async () => {}) => {
  await openAccess(page, cluster);
  await page.getByLabel(`${action} ${name}`).click();
  await prepare();
  await row(page, name).getByRole('button', { name: confirm }).click();
};

/** Another browser that opens a link, without scripts by pasting its code. */
const openLink = async (browser: Browser, link: string, scripts: boolean) => {
  const page = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
  await page.goto(link);
  if (!scripts) {
    await page.getByLabel('Code').fill(link.split('#')[1]);
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  await expect(page.getByLabel('New password')).toBeVisible();
  expect(page.url()).not.toContain('#');
  return page;
};

const choose = async (page: Page, text: string) => {
  await page.getByLabel('New password').fill(text);
  await page.getByRole('button', { name: 'Save password and sign in' }).click();
};

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ auth: 'password', javaScriptEnabled: scripts, allowedOnConsole: /^Failed to load resource.*422/ });

    test('an invited person chooses a password, and an admin resets it, demotes and signs them out', async ({ cluster, page, browser }) => {
      await signInFirstAdmin(cluster, page);
      const bob = await openLink(browser, await invite(page, cluster, 'Bob', 'admin: full access'), scripts);
      await expect(bob.getByLabel('Name')).toHaveValue('Bob');
      await choose(bob, 'password1234');
      await expect(bob.getByRole('alert')).toContainText('easy to guess');
      await choose(bob, password);
      await expect(bob.locator('#user')).toHaveText('Bob');

      await act(page, cluster, 'Change role', 'Bob', 'Save role', async () => {
        await row(page, 'Bob').getByLabel('Role', { exact: true }).selectOption({ label: 'viewer: read only' });
      });
      await expect(row(page, 'Bob')).toContainText('viewer');
      await bob.reload();
      await expect(bob.locator('#read-only')).toBeVisible();

      await act(page, cluster, 'Reset password', 'Bob', 'Create link');
      const reset = await newLink(page, cluster);
      await act(page, cluster, 'End sessions', 'Bob', 'End sessions');
      await expect(row(page, 'Bob')).toContainText('none');
      await bob.goto(cluster.url);
      await expect(bob).toHaveURL(/\/sign-in/);
      await signIn(bob, 'Bob', password);
      await expect(bob.locator('#user')).toHaveText('Bob');
      const again = await openLink(browser, reset, scripts);
      await choose(again, newPassword);
      await expect(again.locator('#user')).toHaveText('Bob');
      await bob.goto(cluster.url);
      await expect(bob).toHaveURL(/\/sign-in/);

      await act(page, cluster, 'Remove', 'Bob', 'Remove user');
      await expect(row(page, 'Bob')).toHaveCount(0);
      await page.goto(new URL('audit', cluster.url).href);
      for (const entry of ['Delete user', 'Accept invitation', 'End sessions', 'Reset password', 'Change role', 'Invite user'])
        await expect(page.locator('tbody tr').filter({ hasText: entry }).first()).toContainText('Success');
    });

    test('a person changes their own password, which signs them out elsewhere', async ({ cluster, page, browser }) => {
      await signInFirstAdmin(cluster, page);
      const other = await (await browser.newContext({ javaScriptEnabled: scripts })).newPage();
      await other.goto(cluster.url);
      await signIn(other, 'Ann', password);
      await expect(other.locator('#user')).toHaveText('Ann');
      await page.locator('summary#user').click();
      await page.getByRole('link', { name: 'Your account' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toHaveText('Your account');
      await expect(page.getByRole('row')).toHaveCount(3);
      const change = async (current: string) => {
        await page.getByLabel('Current password').fill(current);
        await page.getByLabel('New password').fill(newPassword);
        await page.getByRole('button', { name: 'Change password' }).click();
      };
      await change('wrong horse battery');
      await expect(page.getByRole('alert')).toHaveText('This is not your current password.');
      await change(password);
      await expect(page.getByRole('status')).toHaveText('Your password was changed. You are signed out everywhere else.');
      await other.goto(cluster.url);
      await expect(other).toHaveURL(/\/sign-in/);
      await page.getByRole('button', { name: 'Sign out everywhere' }).click();
      await signIn(page, 'Ann', newPassword);
      await expect(page.locator('#user')).toHaveText('Ann');
    });
  });
}

test.describe('where people sign in', () => {
  test.use({ auth: 'password', allowedOnConsole: /^Failed to load resource/ });

  test('a reload makes no second link, and the last admin stays', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await invite(page, cluster, 'Bob', 'admin: full access');
    await page.reload();
    await expect(page.locator('#link')).toHaveCount(0);
    await expect(page.getByRole('alert')).toContainText('There is a user with this name already.');
    await act(page, cluster, 'Remove', 'Ann', 'Remove user');
    await expect(page.getByText('This is the last admin who can sign in.')).toBeVisible();
  });

  test('the link of the set-up fills in its code', async ({ cluster, page }) => {
    await page.goto(new URL(`sign-in#${cluster.setupCode}`, cluster.url).href);
    await expect(page.getByLabel('Set-up code')).toHaveValue(cluster.setupCode);
    expect(page.url()).not.toContain('#');
    await signIn(page, 'Ann', password);
    await expect(page.locator('#user')).toHaveText('Ann');
  });

  test('the pages about people are accessible in both themes and at every width', async ({ cluster, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    const link = await invite(page, cluster, 'Bob', 'viewer: read only');
    const invited = await openLink(browser, link, true);
    for (const [name, shown] of [['invitation', invited], ['access', page], ['account', page]] as const) {
      if (name === 'account') await page.goto(new URL('account', cluster.url).href);
      for (const theme of ['light', 'dark'] as const) {
        for (const width of [390, 1440]) {
          await shown.emulateMedia({ colorScheme: theme });
          await shown.setViewportSize({ width, height: 900 });
          expect((await new AxeBuilder({ page: shown }).analyze()).violations).toEqual([]);
          expect(await horizontalOverflow(shown)).toBeLessThanOrEqual(0);
          const folder = process.env.SCREENSHOTS;
          if (folder) await shown.screenshot({ path: `${folder}/${name}-${theme}-${width}.png`, fullPage: true });
        }
      }
    }
  });
});
