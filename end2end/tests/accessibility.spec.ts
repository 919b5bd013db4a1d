// Is the page accessible: with axe, with the keyboard alone, in both themes, narrow and wide?

import AxeBuilder from '@axe-core/playwright';
import { Page } from '@playwright/test';
import {
  Cluster, component, digits, expect, focusedId, hint, hintLink, horizontalOverflow, openPage, quickTimers, server,
  shownServers, test, waitForHydration,
} from './cluster';

/** Axe finds no violation and nothing scrolls horizontally, light and dark, narrow and wide. */
const expectAccessible = async (page: Page) => {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    expect(await horizontalOverflow(page), `nothing scrolls horizontally at ${width} px`).toBeLessThanOrEqual(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      // Without motion no transition between the themes is under way while axe reads colours.
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      // All rules once for each width. The dark theme can only break contrast.
      const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] });
      const rules = ['color-contrast', 'link-in-text-block'];
      const found = await (colorScheme === 'dark' ? axe.withRules(rules) : axe.withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])).analyze();
      expect(
        found.violations.map((broken) => [broken.id, broken.nodes.map((node) => [node.html, node.failureSummary])]),
        `${colorScheme}, ${width} px`,
      ).toEqual([]);
    }
  }
};

/** Two healthy servers, one with a wrong key, one outdated, one stopped, and a web component with a machine key. */
const reportProblems = async (cluster: Cluster) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', role: 'web', machineKey: 'm' }]);
  await cluster.sendHeartbeats([{ server: 'bad-1', key: 'another key' }, { server: 'old-1', version: '2026.1.9', key: null }]);
  await cluster.sendHeartbeats([{ server: 'off-1' }, { server: 'off-1', leaving: true }]);
};

test.describe('axe finds no violation', () => {
  test('on an empty cluster', async ({ cluster, page }) => {
    await openPage(page, cluster.url);
    await expect(page.getByText('No server reports here yet')).toBeVisible();
    await expectAccessible(page);
  });

  test('on a healthy cluster, and with a filter that matches nothing', async ({ cluster, page }) => {
    await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-1', role: 'web' }, { server: 'app-2' }]);
    await openPage(page, cluster.url);
    await expectAccessible(page);
    await openPage(page, `${cluster.url}?q=zulu&state=error`);
    await expect(page.getByText('No server with the status Error has “zulu”')).toBeVisible();
    await expectAccessible(page);
  });

  test('with problems, folded and not', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, cluster.url);
    await expectAccessible(page);
    await cluster.sendHeartbeats(Array.from({ length: 6 }, (_, n) => ({ server: `bad-${n + 2}`, key: 'another key' })));
    await page.reload();
    await waitForHydration(page);
    await hintLink(page, 'bad-3', 'service', 'Encryption key').click();
    await expect(hint(page, 'key-mismatch-bad-3')).toBeVisible();
    await expectAccessible(page);
  });

  test('with a late and a stale service', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
    await expectAccessible(page);
  });

  test('with the details of a server open', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, `${cluster.url}?server=app-2`);
    await expectAccessible(page);
  });

  test('in the settings form, with errors, warnings and effects', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, `${cluster.url}?configure`);
    await page.getByLabel('Stale timeout').fill('soon');
    await page.getByLabel('Heartbeat interval').fill('1');
    await expectAccessible(page);
    await page.getByLabel('Stale timeout').fill('2 s');
    await page.getByLabel('Load balancing').check();
    await expect(page.getByTestId('effects')).toContainText('After saving');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('done')).toBeVisible();
    await expectAccessible(page);
  });

  test('in the confirmations of a removal and a key', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, `${cluster.url}?remove=app-1&again`);
    await expect(page.getByRole('dialog')).toContainText('Remove it anyway?');
    await expectAccessible(page);
    await openPage(page, `${cluster.url}?accept=${digits('another key')}`);
    await expect(page.getByRole('dialog')).toContainText('will show a decryption failure');
    await expectAccessible(page);
  });

  test('while the database is lost and while the page is paused', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await reportProblems(cluster);
    await openPage(page, cluster.url);
    await cluster.lockDatabase();
    await expect(page.getByTestId('verdict')).toContainText('No live data', { timeout: 15_000 });
    await page.getByRole('button', { name: 'Pause' }).click();
    await expectAccessible(page);
  });
});

test('the focus stays on a row that moves, and on a link in it', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  const stop = await cluster.keepSendingHeartbeats([{ server: 'app-9' }]);
  await openPage(page, cluster.url);
  await page.locator('#open-server-app-9').focus();
  await stop();
  await expect.poll(() => shownServers(page), { timeout: 10_000 }).toEqual(['app-9', 'app-1', 'app-2']);
  await expect.poll(() => focusedId(page)).toBe('open-server-app-9');
  const reason = hintLink(page, 'app-9', 'service', 'Heartbeat');
  await reason.focus();
  await expect(component(page, 'app-9', 'service')).toHaveAttribute('data-pulse', 'stale', { timeout: 10_000 });
  await expect(reason).toBeFocused();
  await cluster.sendHeartbeat({ server: 'app-9' });
  await expect(reason).toHaveCount(0);
  await expect.poll(() => focusedId(page), 'the focus of a removed element goes to its heading').toBe('servers');
});

test('the focus stays on a hint whose text changes, and goes to the heading when the hint disappears', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  const stop = await cluster.keepSendingHeartbeats([{ server: 'bad-1', key: 'another key' }]);
  await openPage(page, cluster.url);
  await page.locator('#show-hint-key-mismatch-bad-1').focus();
  await cluster.sendHeartbeat({ server: 'app-3' });
  await expect(hint(page, 'key-mismatch-bad-1')).toContainText('3 servers share key');
  await expect.poll(() => focusedId(page)).toBe('show-hint-key-mismatch-bad-1');
  await stop();
  await cluster.keepSendingHeartbeats([{ server: 'bad-1' }]);
  await expect(hint(page, 'key-mismatch-bad-1')).toHaveCount(0);
  await expect.poll(() => focusedId(page)).toBe('troubleshooting-head');
});

test('the focused element never becomes another one', async ({ cluster, page }) => {
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2, stale_timeout_s: 300 });
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await cluster.sendHeartbeat({ server: 'old-1', version: '2026.1.9' });
  await openPage(page, cluster.url);
  await page.locator('#filter-ok').focus();
  await cluster.sendHeartbeat({ server: 'bad-1', key: 'another key' });
  await expect(page.locator('#filter-error')).toBeVisible();
  await expect.poll(() => focusedId(page), 'a new filter before this one').toBe('filter-ok');
  const reason = hintLink(page, 'old-1', 'service', 'Version');
  await reason.focus();
  await cluster.sendHeartbeat({ server: 'old-1', role: 'web', version: '2026.1.9' });
  await expect(component(page, 'old-1', 'web')).toBeVisible();
  await expect(reason, 'a new component before this one').toBeFocused();
  await server(page, 'app-1').getByRole('link').first().click();
  await page.getByRole('link', { name: 'Remove service' }).focus();
  await cluster.sendHeartbeat({ server: 'app-1', role: 'web' });
  await expect(page.getByRole('link', { name: 'Remove web component' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Remove service' }), 'a button for another component must not get the focus').toBeFocused();
});

/** Records what the live region announces from now on; returns a function that reads it. */
const recordAnnouncements = async (page: Page) => {
  await page.evaluate(() => {
    const announced: string[] = [];
    (window as unknown as { announced: string[] }).announced = announced;
    const region = document.querySelector('.visually-hidden');
    new MutationObserver(() => announced.push(region?.textContent ?? '')).observe(region as Node, {
      characterData: true, childList: true, subtree: true,
    });
  });
  return () => page.evaluate(() => (window as unknown as { announced: string[] }).announced);
};

test('one live region announces a new verdict or the result of a command, and nothing else', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  // The others answer what the user does: copying, pausing, and typing a timeout.
  const answers = '#copied, #rehearsal, [aria-live]:has(> .part)';
  await expect(page.locator(`:is([role="status"], [role="alert"], [aria-live]):not(${answers})`)).toHaveCount(1);
  await expect(page.getByRole('status')).toHaveText('');
  const announcements = await recordAnnouncements(page);
  const asOf = await page.getByTestId('connection').textContent();
  for (let times = 0, before = asOf; times < 4; times += 1) {
    await expect(page.getByTestId('connection')).not.toHaveText(before ?? '');
    before = await page.getByTestId('connection').textContent();
  }
  expect(await announcements(), 'a changed time alone is not announced').toEqual([]);
  await cluster.sendHeartbeat({ server: 'bad-1', key: 'another key' });
  await expect.poll(announcements).toEqual(['1 of 3 servers needs attention']);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Load balancing').check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(async () => (await announcements()).slice(1)).toEqual([
    'Settings saved. Each server receives them with the answer to its next heartbeat.',
  ]);
});

test('a verdict that keeps changing is announced at most every 10 s, and the last one always', async ({ cluster, page }) => {
  test.setTimeout(120_000);
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
  await cluster.sendHeartbeat({ server: 'app-2' });
  await openPage(page, cluster.url);
  const announcements = await recordAnnouncements(page);
  const verdict = page.getByTestId('verdict');
  for (let start = Date.now(), round = 0; Date.now() - start < 8_000; round += 1) {
    await cluster.sendHeartbeat({ server: 'app-2', key: round % 2 === 0 ? 'another key' : undefined });
    await expect(verdict).toHaveText(round % 2 === 0 ? '1 of 2 servers needs attention' : 'All 2 servers are in sync');
  }
  expect(await announcements()).toEqual(['1 of 2 servers needs attention']);
  await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
  await expect.poll(announcements, { timeout: 35_000 }).toEqual(['1 of 2 servers needs attention', 'All 2 servers are in sync']);
});

test('everything can be done with the keyboard alone', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }]);
  await openPage(page, cluster.url);
  const tabTo = async (id: string) => {
    for (let presses = 0; presses < 40; presses += 1) {
      await page.keyboard.press('Tab');
      if ((await focusedId(page)) === id) return;
    }
    throw new Error(`40 presses of Tab do not lead to ${id}`);
  };
  await tabTo('configure');
  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('load_balancing');
  await tabTo('stale_timeout_s');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('8 min');
  await tabTo('save');
  await page.keyboard.press('Enter');
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  await expect.poll(() => focusedId(page)).toBe('configure');
  expect((await cluster.settings()).stale_timeout_s).toBe(480);

  await tabTo('open-server-app-2');
  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await tabTo('close');
  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('open-server-app-2');

  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await tabTo('open-remove=app-2');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Remove app-2?' })).toBeVisible();
  await tabTo('confirm');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toContainText('Remove it anyway?');
  await tabTo('confirm');
  await page.keyboard.press('Enter');
  await expect(server(page, 'app-2')).toHaveCount(0);
  await expect.poll(() => focusedId(page), 'its row is gone: the heading has the focus').toBe('servers');
});

test('a confirmation that a hint opened returns the focus to the hint', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
  await openPage(page, cluster.url);
  await page.locator('#action-hint-key-mismatch-bad-1').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await page.keyboard.press('Escape');
  await expect.poll(() => focusedId(page)).toBe('action-hint-key-mismatch-bad-1');
  await page.keyboard.press('Enter');
  await expect.poll(() => focusedId(page)).toBe('panel-title');
  await page.locator('#typed').fill(digits('another key'));
  await page.locator('#confirm').press('Enter');
  await expect(page.getByTestId('done')).toContainText("now the cluster's key");
  await expect.poll(() => focusedId(page), 'its hint is gone: another element has the focus').not.toBe('BODY');
});

test('the page remembers the chosen theme', async ({ cluster, page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await openPage(page, cluster.url);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  const theme = page.locator('#theme');
  await page.locator('#user').click();
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
  await theme.click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  const dark = await background();
  expect(dark).not.toBe(light);
  await page.reload();
  expect(await background(), 'before the first paint').toBe(dark);
  await expect(page.locator('html')).toHaveAttribute('data-hydrated', 'true');
  await expect(theme).toContainText('Theme');
  await page.locator('#user').click();
  await theme.click();
  await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  await page.reload();
  expect(await background()).toBe(light);
});
