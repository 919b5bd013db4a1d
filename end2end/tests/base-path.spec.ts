// Does every address of the page stay below its base path?

import { component, expect, openPage, server, test } from './cluster';

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'without scripts', () => {
    test.use({ javaScriptEnabled: scripts });

    test('an admin opens the page below a path, sorts, changes settings and removes a server', async ({ cluster, page }) => {
      await cluster.endProcess('serve', 'SIGTERM');
      await cluster.start('none', '/admin/cluster');
      if (!cluster.url.endsWith('/')) cluster.url += '/';
      expect(cluster.url).toContain('/admin/cluster/');
      const away: string[] = [];
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (!pathname.startsWith('/admin/cluster')) away.push(pathname);
      });
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', leaving: true }]);
      await openPage(page, cluster.url, scripts);
      await page.getByRole('link', { name: 'Server', exact: true }).click();
      await expect(page).toHaveURL(/\/admin\/cluster\/?\?sort=name$/);
      await page.getByRole('link', { name: 'Edit settings' }).click();
      await page.getByLabel('Stale timeout').fill('6 min');
      await page.getByRole('button', { name: 'Save' }).click();
      await expect(page.getByTestId('done')).toContainText('Settings saved.');
      expect((await cluster.settings()).stale_timeout_s).toBe(360);
      await page.getByRole('link', { name: 'Dismiss' }).click();
      await expect(page.getByTestId('done')).toHaveCount(0);
      await server(page, 'app-2').getByRole('link').click();
      await page.getByRole('link', { name: 'Remove server' }).click();
      await page.getByRole('button', { name: 'Remove' }).click();
      await expect(server(page, 'app-2')).toHaveCount(0);
      await expect(page).toHaveURL(/\/admin\/cluster\/?(\?|$)/);
      if (scripts) {
        await cluster.sendHeartbeat({ server: 'app-3' });
        await expect(component(page, 'app-3', 'service'), 'updates arrive').toBeVisible({ timeout: 10_000 });
      }
      expect(away).toEqual([]);
    });
  });
}
