// What does a viewer see, who may change nothing?

import { digits, expect, test } from './cluster';
import { openAsViewer, signInFirstAdmin } from './sign-in';

test.use({ auth: 'password' });

for (const scripts of [true, false]) {
  test(`no control that never works, and who may change something${scripts ? '' : ', without scripts'}`, async ({ cluster, page, browser }) => {
    await signInFirstAdmin(cluster, page);
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
    await cluster.sendHeartbeats([{ server: 'off-1' }, { server: 'off-1', leaving: true }]);
    const viewer = await openAsViewer(cluster, browser, scripts);
    const forbidden = /Edit settings|Remove|Accept|Reconnect|Save/;
    const addresses = ['', '?server=off-1', '?remove=off-1', `?accept=${digits('another key')}`, '?configure'];
    for (const address of addresses) {
      await viewer.goto(cluster.url + address);
      await expect(viewer.getByText('Read-only: only an admin can make changes.').first(), address).toBeVisible();
      await expect(viewer.getByRole('link', { name: forbidden }), address).toHaveCount(0);
      await expect(viewer.getByRole('button', { name: forbidden }), address).toHaveCount(0);
      await expect(viewer.locator('[aria-disabled], [disabled]'), address).toHaveCount(0);
    }
    await viewer.goto(`${cluster.url}?server=off-1`);
    await expect(viewer.locator('.panel')).toContainText('Stopped');
    await viewer.context().close();
  });
}
