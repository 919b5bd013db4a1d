// Who can sign in, and what can admins and viewers do?
import AxeBuilder from '@axe-core/playwright';
import { expect, password, test } from './cluster';
import { openAsViewer, signIn, signInFirstAdmin } from './sign-in';

test.use({ auth: 'password' });

test('the set-up code creates the first admin, who can sign out and in again', async ({ cluster, page }) => {
  await signInFirstAdmin(cluster, page);
  await page.locator('summary#user').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto(`${cluster.url}?sort=-version`);
  await expect(page).toHaveURL(/\/sign-in\?then=/);
  await expect(page.getByLabel('Set-up code')).toHaveCount(0);
  await signIn(page, 'ann', password);
  await expect(page).toHaveURL(/\?sort=-version$/);
});

test.describe('a user without a session', () => {
  test.use({ allowedOnConsole: /401/ });

  test('gets the same message for a wrong password and an unknown name, and the name stays', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.context().clearCookies();
    await page.goto(cluster.url);
    await signIn(page, 'Ann', 'wrong horse battery');
    const alert = page.getByRole('alert');
    await expect(alert).toHaveText('Incorrect name or password.');
    await expect(page.getByLabel('Name')).toHaveValue('Ann');
    await signIn(page, 'nobody', password);
    await expect(alert).toHaveText('Incorrect name or password.');
  });

  test('is led to the sign-in page when another page ends the session', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(cluster.url);
    await elsewhere.locator('summary#user').click();
    await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.bringToFront();
    await expect(page).toHaveURL(/\/sign-in$/, { timeout: 15_000 });
  });
});

test('a viewer sees everything but the controls, and reads who can make changes', async ({ cluster, page, browser }) => {
  await signInFirstAdmin(cluster, page);
  const other = await openAsViewer(cluster, browser);
  await expect(other.locator('#read-only')).toContainText('Read-only: only an admin can make changes.');
  await expect(other.getByRole('link', { name: 'Edit settings' })).toHaveCount(0);
  await other.getByRole('link', { name: 'this-server' }).first().click();
  await expect(other.getByRole('dialog')).toBeVisible();
  await expect(other.getByRole('link', { name: 'Remove server' })).toHaveCount(0);
  await other.goto(`${cluster.url}?configure=`);
  await expect(other.getByRole('button', { name: 'Save' })).toHaveCount(0);
  await expect(other.locator('#read-only')).toBeVisible();
});

test('without scripts an admin signs in, changes a setting, and signs out', async ({ cluster, browser }) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await signInFirstAdmin(cluster, page);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Load balancing').check();
  await page.getByRole('button', { name: 'Save' }).click();
  const save = page.getByRole('button', { name: 'Save' });
  if (await save.isVisible()) await save.click();
  await expect(page.locator('.summary')).toContainText('On');
  await page.locator('summary#user').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`the sign-in page and the menu are accessible in ${colorScheme}`, async ({ cluster, page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(cluster.url);
    const expectAccessible = async () => {
      const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
      expect(found.violations).toEqual([]);
    };
    await expectAccessible();
    await signInFirstAdmin(cluster, page);
    await page.locator('summary#user').click();
    await expectAccessible();
  });
}
