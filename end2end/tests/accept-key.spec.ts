// What happens when an admin accepts a changed key?

import { digits, expect, hint, openPage, problem, server, test, value } from './cluster';

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('an admin accepts a key from its hint, then the other servers have the mismatch', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'web-1' }, { server: 'web-2' }, { server: 'web-3', key: 'the new key' }]);
      await openPage(page, cluster.url, scripts);
      await expect(problem(page, 'web-3', 'service', 'Encryption key')).toContainText('Decryption failure');
      await hint(page, 'key-mismatch-web-3').getByRole('link', { name: `Accept key ${digits('the new key')}` }).click();
      const panel = page.getByRole('dialog', { name: `Accept key ${digits('the new key')}?` });
      await expect(panel).toContainText(/These servers will show a decryption failure: web-1( and |, )web-2\./);
      await expect(panel).toContainText('These servers will match: web-3.');
      await expect(panel).toContainText(`The cluster uses ${digits('the key of the cluster')} now`);
      expect((await cluster.overview()).servers[2].components[0].key_in_sync, 'opening the confirmation changes nothing').toBe(false);
      await page.getByLabel(`Type ${digits('the new key')} to confirm`).fill(digits('the new key'));
      await page.getByRole('button', { name: `Accept ${digits('the new key')}` }).click();
      await expect(page.getByTestId('done')).toContainText("This key is now the cluster's key.");
      await expect(server(page, 'web-3')).toHaveAttribute('data-health', 'ok');
      for (const name of ['web-1', 'web-2']) {
        await expect(server(page, name)).toHaveAttribute('data-health', 'error');
        await expect(problem(page, name, 'service', 'Encryption key')).toContainText('Decryption failure');
      }
      await expect(hint(page, 'key-mismatch-web-3')).toHaveCount(0);
      await expect(page.locator('[data-hint="key-mismatch"]')).toContainText(
        "Most live servers use a different key from the cluster's",
      );
    });

    test('an admin accepts a machine key in the same way', async ({ cluster, page }) => {
      const web = (name: string, machineKey: string) => ({ server: name, role: 'web' as const, machineKey });
      await cluster.sendHeartbeats([web('web-1', 'm'), web('web-2', 'm'), web('web-3', 'other')]);
      await openPage(page, cluster.url, scripts);
      await expect(problem(page, 'web-3', 'web', 'Encryption key')).toContainText('Machine key mismatch');
      await page.getByRole('link', { name: `Accept machine key ${digits('other')}` }).click();
      await expect(page).toHaveURL(/kind=machine/);
      await expect(page.getByRole('dialog')).toContainText(/These web servers will show a machine key mismatch: web-1( and |, )web-2\./);
      await page.getByLabel(`Type ${digits('other')} to confirm`).fill(digits('other'));
      await page.getByRole('button', { name: `Accept ${digits('other')}` }).click();
      await expect(value(page, 'web-3', 'Encryption key')).toContainText('Machine key in sync');
      await expect(problem(page, 'web-1', 'web', 'Encryption key')).toContainText('Machine key mismatch');
    });

    test('a key that would turn more than half of the servers red is accepted only after its digits were typed', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([
        ...['web-1', 'web-2', 'web-3'].map((server) => ({ server })), { server: 'web-4', key: 'the new key' },
      ]);
      await openPage(page, `${cluster.url}?accept=${digits('the new key')}`, scripts);
      const typed = page.locator('#typed');
      await expect(typed).toHaveAttribute('required');
      await expect(typed).toHaveAttribute('pattern', digits('the new key'));
      for (const wrong of ['', digits('the key of the cluster')]) {
        await typed.fill(wrong);
        await page.locator('#confirm').click();
        await expect(typed).toBeFocused();
        await expect(page.getByRole('dialog')).toBeVisible();
      }
      expect((await cluster.overview()).servers[3].components[0].key_in_sync, 'nothing was accepted').toBe(false);
      await typed.fill(digits('the new key'));
      await page.locator('#confirm').click();
      await expect(page.getByTestId('done')).toContainText("This key is now the cluster's key.");
      await expect(server(page, 'web-4')).toHaveAttribute('data-health', 'ok');
    });

    test('a key that half of the servers have already needs no typing', async ({ cluster, page }) => {
      await cluster.sendHeartbeats(['web-1', 'web-2'].map((server) => ({ server })));
      await cluster.sendHeartbeats(['web-3', 'web-4'].map((server) => ({ server, key: 'the new key' })));
      await openPage(page, `${cluster.url}?accept=${digits('the new key')}`, scripts);
      await expect(page.locator('#confirm')).toBeVisible();
      await expect(page.locator('#typed')).toHaveCount(0);
    });

    test('a key that no server reports, or that is in use, cannot be accepted', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'web-1' }, { server: 'web-2' }]);
      await openPage(page, `${cluster.url}?accept=00000000`, scripts);
      await expect(page.getByRole('dialog')).toContainText('no server reports such a key');
      await expect(page.locator('#confirm')).toHaveCount(0);
      await openPage(page, `${cluster.url}?accept=${digits('the key of the cluster')}`, scripts);
      await expect(page.getByRole('dialog')).toContainText('The cluster uses this key already.');
      await expect(page.locator('#confirm')).toHaveCount(0);
    });
  });
}
