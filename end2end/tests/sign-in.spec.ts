// Who may come in, and what they may do: with a real browser, a real database and real passwords.
import AxeBuilder from '@axe-core/playwright';
import { expect, password, test } from './cluster';
import { enter, guarded, viewer } from './sign-in';

test.use({ auth: 'password' });

test('the set-up code makes the first admin, who then looks, leaves and comes back', async ({ cluster, page }) => {
  await guarded(cluster, page);
  await page.locator('summary#user').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/\/sign-in$/);
  await page.goto(`${cluster.url}?sort=-version`);
  await expect(page).toHaveURL(/\/sign-in\?then=/);
  await expect(page.getByLabel('Set-up code')).toHaveCount(0);
  await enter(page, 'ann', password);
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
    await expect(alert).toHaveText('Incorrect name or password.');
    await expect(page.getByLabel('Name')).toHaveValue('Ann');
    await enter(page, 'nobody', password);
    await expect(alert).toHaveText('Incorrect name or password.');
  });

  test('a session that is ended elsewhere leads the open page to where one signs in', async ({ cluster, page }) => {
    await guarded(cluster, page);
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(cluster.url);
    await elsewhere.locator('summary#user').click();
    await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.bringToFront();
    await expect(page).toHaveURL(/\/sign-in$/, { timeout: 15_000 });
  });
});

test('a viewer sees what an admin could do, why it is not for viewers, and everything else', async ({ cluster, page, browser }) => {
  await guarded(cluster, page);
  const other = await viewer(cluster, browser);
  const configure = other.getByRole('link', { name: 'Edit settings' });
  await expect(configure).toBeDisabled();
  await expect(configure).toHaveAccessibleDescription('Read-only: only an admin can make changes.');
  await other.getByRole('link', { name: 'this-server' }).first().click();
  await expect(other.getByRole('dialog')).toBeVisible();
  await expect(other.getByRole('link', { name: 'Remove server' })).toBeDisabled();
  await other.goto(`${cluster.url}?configure=`);
  await other.getByRole('button', { name: 'Save' }).click();
  await expect(other.getByText('Nothing was changed: only an admin can make changes.')).toBeVisible();
});

test('without scripts one signs in, changes something, and signs out', async ({ cluster, browser }) => {
  const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await guarded(cluster, page);
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
    const noBarrier = async () => {
      const found = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).analyze();
      expect(found.violations).toEqual([]);
    };
    await noBarrier();
    await guarded(cluster, page);
    await page.locator('summary#user').click();
    await noBarrier();
  });
}
