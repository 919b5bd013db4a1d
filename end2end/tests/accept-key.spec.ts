// The key was changed on purpose: an admin accepts it after reading who would turn red.

import { digits, expect, hint, line, open, server, test } from './cluster';

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('a key is accepted from its hint, and the others are red instead', async ({ cluster, page }) => {
      await cluster.beats([{ server: 'web-1' }, { server: 'web-2' }, { server: 'web-3', key: 'the new key' }]);
      await open(page, cluster.url, scripts);
      await expect(line(page, 'web-3', 'service')).toContainText('Decryption failure');
      await hint(page, 'key-mismatch-web-3').getByRole('link', { name: `Accept key ${digits('the new key')}` }).click();
      const panel = page.getByRole('dialog', { name: `Accept key ${digits('the new key')}?` });
      await expect(panel).toContainText(/These servers will show a decryption failure: web-1( and |, )web-2\./);
      await expect(panel).toContainText('These servers will match: web-3.');
      await expect(panel).toContainText(`The cluster uses ${digits('the key of the cluster')} now`);
      expect((await cluster.overview()).servers[2].components[0].key_in_sync, 'asking changes nothing').toBe(false);
      await page.getByRole('button', { name: `Accept ${digits('the new key')}` }).click();
      await expect(page.getByTestId('done')).toContainText("This key is now the cluster's key.");
      await expect(server(page, 'web-3')).toHaveAttribute('data-health', 'ok');
      for (const name of ['web-1', 'web-2']) {
        await expect(server(page, name)).toHaveAttribute('data-health', 'error');
        await expect(line(page, name, 'service')).toContainText('Decryption failure');
      }
      await expect(hint(page, 'key-mismatch-web-3')).toHaveCount(0);
      await expect(hint(page, 'key-mismatch-web-1')).toContainText(
        "Most live servers use a different key from the cluster's",
      );
    });

    test('a machine key is accepted the same way', async ({ cluster, page }) => {
      const web = (name: string, machineKey: string) => ({ server: name, role: 'web' as const, machineKey });
      await cluster.beats([web('web-1', 'm'), web('web-2', 'm'), web('web-3', 'other')]);
      await open(page, cluster.url, scripts);
      await expect(line(page, 'web-3', 'web')).toContainText('Machine key mismatch');
      await page.getByRole('link', { name: `Accept machine key ${digits('other')}` }).click();
      await expect(page).toHaveURL(/kind=machine/);
      await expect(page.getByRole('dialog')).toContainText(/These web servers will show a machine key mismatch: web-1( and |, )web-2\./);
      await page.getByRole('button', { name: `Accept ${digits('other')}` }).click();
      await expect(line(page, 'web-3', 'web')).toContainText('Machine key in sync');
      await expect(line(page, 'web-1', 'web')).toContainText('Machine key mismatch');
    });

    test('digits that nobody reports, or that are in use already, ask nothing', async ({ cluster, page }) => {
      await cluster.beats([{ server: 'web-1' }, { server: 'web-2' }]);
      await open(page, `${cluster.url}?accept=00000000`, scripts);
      await expect(page.getByRole('dialog')).toContainText('no server reports such a key');
      await expect(page.locator('#confirm')).toHaveCount(0);
      await open(page, `${cluster.url}?accept=${digits('the key of the cluster')}`, scripts);
      await expect(page.getByRole('dialog')).toContainText('The cluster uses this key already.');
      await expect(page.locator('#confirm')).toHaveCount(0);
    });
  });
}
