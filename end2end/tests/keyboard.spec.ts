// Can the page be used with the keyboard alone, and what does it copy?

import { Page } from '@playwright/test';
import { digits, expect, focusedId, openPage, server, shownServers, test } from './cluster';

/** Opens the page, and waits for the script of the shortcuts, which comes last. */
const openWithShortcuts = async (page: Page, address: string) => {
  await openPage(page, address);
  await expect(page.locator('#open-help')).not.toHaveAttribute('hidden');
};

const servers = (count: number) => Array.from({ length: count }, (_, number) => ({ server: `app-${number + 1}` }));

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('the first two links skip to the servers and to troubleshooting', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(servers(3));
      await openPage(page, cluster.url, scripts);
      const skip = page.getByRole('link', { name: 'Skip to the servers' });
      await page.keyboard.press('Tab');
      await expect(skip).toBeFocused();
      await expect(skip).toBeInViewport();
      await page.keyboard.press('Tab');
      await expect(page.getByRole('link', { name: 'Skip to troubleshooting' })).toBeFocused();
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      await expect(page).toHaveURL(/#servers$/);
      await page.keyboard.press('Tab');
      await expect(page.locator('#filter-all, .servers a, .servers input').first(), 'the next stop is in the list').toBeFocused();
    });
  });
}

test.describe('the shortcuts', () => {
  test.beforeEach(async ({ cluster, page }) => {
    await cluster.sendHeartbeats(servers(60));
    await openWithShortcuts(page, `${cluster.url}?sort=name`);
  });

  test('lead from row to row, and Enter and Escape open and close the details', async ({ page }) => {
    await page.keyboard.press('j');
    await expect.poll(() => focusedId(page)).toBe('open-server-app-1');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const second = (await shownServers(page))[1];
    await expect.poll(() => focusedId(page)).toBe(`open-server-${second}`);
    await page.keyboard.press('Enter');
    await expect(page.locator('#panel-title')).toHaveText(second ?? '');
    await page.keyboard.press('Escape');
    await expect(page.locator('.panel')).toHaveCount(0);
    await expect.poll(() => focusedId(page)).toBe(`open-server-${second}`);
  });

  test('are explained in a help, which Escape closes before anything else', async ({ page }) => {
    await server(page, 'app-1').getByRole('link', { name: 'app-1', exact: true }).click();
    await expect(page.locator('.panel')).toBeVisible();
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await expect(help).toContainText('Search the servers');
    await page.keyboard.press('Escape');
    await expect(help).toBeHidden();
    await expect(page.locator('.panel'), 'the details stay').toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.locator('.panel')).toHaveCount(0);
  });

  test('can be found in the menu, and switched off for good', async ({ page }) => {
    await page.locator('#user').click();
    await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await help.getByLabel('Use the shortcuts').uncheck();
    await help.getByRole('button', { name: 'Close' }).click();
    await expect(page.locator('#user')).toBeFocused();
    await page.keyboard.press('/');
    await expect(page.locator('#search')).not.toBeFocused();
    await page.reload();
    await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
    await page.keyboard.press('/');
    await expect(page.locator('#search')).not.toBeFocused();
  });

  test('begin a search, and are text while one types', async ({ page }) => {
    await page.keyboard.press('/');
    await expect(page.locator('#search')).toBeFocused();
    await page.keyboard.type('app-1/j?');
    await expect(page.locator('#search')).toHaveValue('app-1/j?');
    await expect(page.getByRole('dialog')).toHaveCount(0);
  });

  test('leave the browser its own: nothing happens with Ctrl, Alt or Meta', async ({ page }) => {
    for (const key of ['Alt+j', 'Meta+j', 'Control+/']) await page.keyboard.press(key);
    expect(await focusedId(page)).toBe('BODY');
  });
});

test('of a thousand servers every row can be reached', async ({ cluster, page }) => {
  await cluster.sendHeartbeats(servers(1000));
  await openWithShortcuts(page, `${cluster.url}?sort=name`);
  for (let row = 0; row < 120; row += 1) await page.keyboard.press('j');
  await expect.poll(() => focusedId(page)).toBe('open-server-app-120');
  await expect(server(page, 'app-120')).toBeInViewport();
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await expect(server(page, 'app-1000')).toBeVisible();
  await page.keyboard.press('j');
  await expect.poll(() => focusedId(page), 'the neighbour, not the next row that is in the document').toBe('open-server-app-121');
  await expect(server(page, 'app-121')).toBeInViewport();
});

for (const clipboard of ['the clipboard', 'no clipboard, as over plain HTTP']) {
  test.describe(`with ${clipboard}`, () => {
    test.use({ permissions: clipboard === 'the clipboard' ? ['clipboard-read', 'clipboard-write'] : ['clipboard-read'] });

    test('the address, the digits of the key and the link of a hint are copied', async ({ cluster, page }) => {
      if (clipboard !== 'the clipboard') {
        await page.addInitScript(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed')); });
      }
      const copied = () => page.evaluate(() => navigator.clipboard.readText());
      await cluster.sendHeartbeats([...servers(2), { server: 'bad-1', key: 'another key', ip: '10.0.3.7' }]);
      await openPage(page, `${cluster.url}?server=bad-1`);
      const button = page.getByRole('button', { name: 'Copy: Address' }).first();
      await button.click();
      await expect.poll(copied).toBe('10.0.3.7');
      await expect(page.locator('#copied')).toHaveText('Copied');
      await expect(button).toBeFocused();
      await page.getByRole('button', { name: 'Copy: Encryption key' }).click();
      await expect.poll(copied).toBe(digits('another key'));
      await page.keyboard.press('Escape');
      await page.locator('[data-hint="key-mismatch"]').getByRole('button', { name: 'Copy link' }).click();
      await expect.poll(copied).toBe(`${cluster.url}#hint-key-mismatch-bad-1`);
      await expect(page.locator('#copied'), 'it is said once').toHaveText('');
    });
  });
}

test('the icon of the tab follows the verdict, and is neutral while the page is paused', async ({ cluster, page }) => {
  const icon = page.locator('link[rel=icon]');
  await cluster.sendHeartbeats(servers(2));
  await openPage(page, cluster.url);
  await expect(icon).toHaveAttribute('href', /favicon-ok\.svg$/);
  await cluster.sendHeartbeat({ server: 'bad-1', key: 'another key' });
  await expect(icon).toHaveAttribute('href', /favicon-error\.svg$/);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(icon).toHaveAttribute('href', /favicon\.svg$/);
});
