// What does the settings form show before saving, and what happens after?

import { component, expect, focusedId, hintLink, openPage, problem, quickTimers, test } from './cluster';

const fieldMessage = (field: string) => `#${field}-message`;

test('the form opens in place and checks each field while an admin types', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await expect(page).toHaveURL(/\?configure=$/);
  await expect(page.getByRole('form', { name: 'Edit settings' })).toBeVisible();
  await expect(page.locator('#configure')).toHaveAttribute('aria-expanded', 'true');
  await expect.poll(() => focusedId(page)).toBe('load_balancing');
  const timeout = page.getByLabel('Stale timeout');
  const interval = page.getByLabel('Heartbeat interval');
  await expect(timeout).toHaveValue('5 min');
  await expect(interval).toHaveValue('30 s');
  await expect(page.getByLabel('Web window')).toHaveValue('24 h');

  await timeout.fill('soon');
  await expect(timeout).toHaveAttribute('aria-invalid', 'true');
  await expect(timeout).toHaveAccessibleDescription(/Enter a duration, for example 30 s, 5 min or 24 h\./);
  await timeout.fill('1 s');
  await expect(page.locator(fieldMessage('stale_timeout_s'))).toContainText('Enter 2 s to');
  await timeout.fill('59 s');
  await expect(page.locator(fieldMessage('stale_timeout_s'))).toContainText('Enter 1 min or more (twice the heartbeat interval), not 59 s.');
  await timeout.fill('2 min');
  await expect(timeout).not.toHaveAttribute('aria-invalid');
  await expect(page.locator(fieldMessage('stale_timeout_s'))).toHaveText('Below 5 min, a short interruption looks like an outage.');
  await interval.fill('29');
  await expect(page.locator(fieldMessage('heartbeat_interval_s'))).toHaveText('Below 30 s, a short network problem looks like an outage.');
  await interval.fill('30');
  await timeout.fill('300 s');
  await expect(page.locator('.field-message .warning-text:not(:empty), .field-message .error-text:not(:empty)')).toHaveCount(0);

  await interval.fill('never');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('effects')).toContainText('Not saved. Check the marked fields.');
  await expect(interval).toHaveValue('never');
  expect((await cluster.settings()).heartbeat_interval_s).toBe(30);
});

test('the form previews its effect, applies at once, and a running agent follows with its next heartbeat', async ({ cluster, page }) => {
  await cluster.saveSettings({ ...quickTimers, heartbeat_interval_s: 2, stale_timeout_s: 60 });
  cluster.agent('app-1', 'service');
  await cluster.sendHeartbeat({ server: 'app-9' });
  await openPage(page, cluster.url);
  await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Heartbeat interval').fill('1 s');
  await page.getByLabel('Stale timeout').fill('2 s');
  await page.getByLabel('Automatic failover').check();
  const effects = page.getByTestId('effects');
  await expect(effects).toContainText('After saving:');
  await expect(effects).toContainText('The service of app-9 becomes stale immediately.');
  await expect(effects).toContainText('New hint: The stale timeout is too short');
  expect((await cluster.settings()).stale_timeout_s, 'nothing is saved before Save').toBe(60);

  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  await expect(page.getByRole('form', { name: 'Edit settings' })).toHaveCount(0);
  await expect.poll(() => focusedId(page), 'the focus returns').toBe('configure');
  expect(await cluster.settings()).toEqual({ ...quickTimers, automatic_failover: true, heartbeat_interval_s: 1, stale_timeout_s: 2 });
  await expect(component(page, 'app-9', 'service')).toHaveAttribute('data-pulse', 'stale');
  await expect(page.locator('.summary dl')).toContainText('every 1 s');
  await expect(page.locator('.summary dl')).toContainText('stale after 2 s');

  const lastHeartbeat = async () => {
    const overview = await cluster.overview();
    const facts = overview.servers.find((server: { name: string }) => server.name === 'app-1').components[0];
    return { at: Date.parse(facts.last_heartbeat), assignedIntervalMs: facts.told_interval_ms };
  };
  await expect.poll(async () => (await lastHeartbeat()).assignedIntervalMs).toBe(1_000);
  let former = (await lastHeartbeat()).at;
  const gap = async () => {
    const { at } = await lastHeartbeat();
    const since = at - former;
    former = at;
    return since;
  };
  await expect.poll(gap, { message: 'the agent sends at the new interval', intervals: [50] }).toBeGreaterThan(0);
  await expect.poll(gap, { intervals: [50] }).toBeGreaterThan(0);
  await expect
    .poll(async () => { const since = await gap(); return since > 0 && since < 1_500; }, { intervals: [50] })
    .toBe(true);
});

test('Escape and Cancel close the form, change nothing, and return the focus', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, cluster.url);
  for (const close of [() => page.keyboard.press('Escape'), () => page.getByRole('link', { name: 'Cancel' }).click()]) {
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('9 min');
    await close();
    await expect(page.getByRole('form', { name: 'Edit settings' })).toHaveCount(0);
    await expect(page).not.toHaveURL(/configure/);
    await expect.poll(() => focusedId(page)).toBe('configure');
  }
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await expect(page.getByLabel('Stale timeout'), 'a cancelled value is forgotten').toHaveValue('5 min');
  expect((await cluster.settings()).stale_timeout_s).toBe(300);
});

test('updates do not disturb an admin who types', async ({ cluster, page }) => {
  await cluster.saveSettings(quickTimers);
  await cluster.keepSendingHeartbeats(['app-1', 'app-2', 'app-3'].map((server) => ({ server })));
  await openPage(page, cluster.url);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  const timeout = page.getByLabel('Stale timeout');
  await timeout.fill('');
  await timeout.pressSequentially('1', { delay: 50 });
  cluster.agent('app-4', 'service', { version: '2026.1.9' });
  await expect(problem(page, 'app-4', 'service', 'Version')).toContainText('older');
  await timeout.pressSequentially('7 m', { delay: 200 });
  await cluster.endProcess('app-4 service', 'SIGTERM');
  await expect(component(page, 'app-4', 'service')).toHaveAttribute('data-pulse', 'stopped');
  await timeout.pressSequentially('in', { delay: 200 });
  await cluster.saveSettings({ ...quickTimers, load_balancing: true });
  await expect(page.locator('.summary dl')).toContainText(/Load balancing\s*On/);
  await expect(timeout).toHaveValue('17 min');
  expect(await focusedId(page)).toBe('stale_timeout_s');
  expect(await timeout.evaluate((field: HTMLInputElement) => field.selectionStart)).toBe(6);
});

test('following a link to a hint keeps what was typed', async ({ cluster, page }) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-3', key: 'another key' }]);
  await openPage(page, cluster.url);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Stale timeout').fill('7 min');
  await hintLink(page, 'app-3', 'service', 'Encryption key').click();
  await expect(page).toHaveURL(/#hint-key-mismatch-app-3$/);
  await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('done')).toBeVisible();
  expect((await cluster.settings()).stale_timeout_s, 'the result is the previewed one').toBe(420);
});

test('without a change there is no preview, and a harmless change says so', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, `${cluster.url}?configure`);
  await expect(page.getByTestId('effects')).toHaveText('');
  await page.getByLabel('Stale timeout').fill('6 min');
  await expect(page.getByTestId('effects')).toContainText('No server changes its status.');
});

test('Save can be pressed only when something was changed', async ({ cluster, page }) => {
  await openPage(page, `${cluster.url}?configure`);
  const save = page.getByRole('button', { name: 'Save' });
  await expect(save).toBeDisabled();
  await page.getByLabel('Stale timeout').fill('6 min');
  await expect(save).toBeEnabled();
  await page.getByLabel('Stale timeout').fill('300 s');
  await expect(save, 'it means the same as before').toBeDisabled();
  await page.getByLabel('Load balancing').check();
  await expect(save).toBeEnabled();
});

test('a duration may be written in words', async ({ cluster, page }) => {
  await openPage(page, `${cluster.url}?configure`);
  await page.getByLabel('Stale timeout').fill('10 minutes');
  await page.getByLabel('Heartbeat interval').fill('45 seconds');
  await page.getByLabel('Web window').fill('36 hours');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  expect(await cluster.settings()).toMatchObject({ stale_timeout_s: 600, heartbeat_interval_s: 45, web_window_s: 129_600 });
});

test('the form says when somebody saved other settings meanwhile, and keeps what was typed', async ({ cluster, page }) => {
  await openPage(page, `${cluster.url}?configure`);
  await page.getByLabel('Stale timeout').fill('7 min');
  const form = page.getByRole('form', { name: 'Edit settings' });
  await expect(form).not.toContainText('meanwhile');
  await cluster.saveSettings({ ...(await cluster.settings()), stale_timeout_s: 360, web_window_s: 7_200, load_balancing: true });
  await expect(form).toContainText('Somebody has saved other settings meanwhile. Fields that you have not edited show them.');
  await expect(page.getByLabel('Web window')).toHaveValue('2 h');
  await expect(page.getByLabel('Load balancing')).toBeChecked();
  await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  expect(await cluster.settings()).toMatchObject({ stale_timeout_s: 420, web_window_s: 7_200, load_balancing: true });
});

test('a result is shown once: a reload does not show it again', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, `${cluster.url}?sort=name`);
  await page.getByRole('link', { name: 'Edit settings' }).click();
  await page.getByLabel('Web window').fill('2 d');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('done')).toBeVisible();
  await expect(page, 'the order is kept').toHaveURL(/\?sort=name$/);
  await page.reload();
  await expect(page.getByTestId('verdict')).toBeVisible();
  await expect(page.getByTestId('done')).toHaveCount(0);
  expect((await cluster.settings()).web_window_s).toBe(172_800);
});

test('a slow command shows its progress and is sent once', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, `${cluster.url}?configure`);
  let requests = 0;
  let answer = () => {};
  const held = new Promise<void>((resolve) => { answer = resolve; });
  await page.route('**/fn/act', async (route) => {
    requests += 1;
    await held;
    await route.continue();
  });
  await page.getByLabel('Stale timeout').fill('11 min');
  const save = page.getByRole('button', { name: 'Save' });
  await save.click();
  await save.click();
  await expect(page.locator('.progress')).toHaveCount(1);
  answer();
  await expect(page.getByTestId('done')).toContainText('Settings saved.');
  await expect(page.locator('.progress')).toHaveCount(0);
  expect(requests).toBe(1);
  expect((await cluster.settings()).stale_timeout_s).toBe(660);
});

test.describe('when the overview does not answer', () => {
  test.use({ allowedOnConsole: /Failed to load resource|ERR_FAILED/ });

  test('the form says so, keeps its values, and the next attempt works', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, `${cluster.url}?configure`);
    await page.route('**/fn/act', (route) => route.abort());
    await page.getByLabel('Stale timeout').fill('11 min');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('effects')).toContainText('The overview does not answer.');
    await expect(page.getByLabel('Stale timeout')).toHaveValue('11 min');
    await page.unroute('**/fn/act');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('done')).toContainText('Settings saved.');
    expect((await cluster.settings()).stale_timeout_s).toBe(660);
  });
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('an invalid value is returned as typed, with the error beside it', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.goto(cluster.url);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Heartbeat interval').fill('0 s');
    await page.getByLabel('Stale timeout').fill('in a while');
    await page.getByLabel('Load balancing').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByLabel('Heartbeat interval')).toHaveValue('0 s');
    await expect(page.getByLabel('Stale timeout')).toHaveValue('in a while');
    await expect(page.getByLabel('Load balancing')).toBeChecked();
    await expect(page.getByLabel('Web window')).toHaveValue('24 h');
    await expect(page.getByLabel('Heartbeat interval')).toHaveAttribute('aria-invalid', 'true');
    await expect(page.locator(fieldMessage('heartbeat_interval_s'))).toContainText('Enter 1 s to');
    await expect(page.locator(fieldMessage('stale_timeout_s'))).toContainText('Enter a duration');
    await expect(page.locator(fieldMessage('web_window_s')).locator('.error-text')).toHaveCount(0);
    await expect(page.locator('meta[http-equiv="refresh"]'), 'the form is not emptied by a refresh').toHaveCount(0);
    expect((await cluster.settings()).heartbeat_interval_s).toBe(30);
  });

  test('a change is previewed before it is saved, and confirmed afterwards', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.goto(cluster.url);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Automatic failover').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('effects')).toContainText('New hint: No standby for failover');
    expect((await cluster.settings()).automatic_failover, 'the preview comes first').toBe(false);

    const redirect = page.waitForResponse((response) => response.url().endsWith('/settings'));
    await page.getByRole('button', { name: 'Save' }).click();
    expect((await redirect).status()).toBe(303);
    await expect(page).toHaveURL(/\/\?done=saved$/);
    await expect(page.getByTestId('done')).toContainText('Settings saved.');
    expect((await cluster.settings()).automatic_failover).toBe(true);
    await page.getByRole('link', { name: 'Dismiss' }).click();
    await expect(page.getByTestId('done')).toHaveCount(0);
  });

  test('the effect can be previewed without saving', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.goto(`${cluster.url}?sort=name&configure`);
    await page.getByLabel('Load balancing').check();
    await page.getByLabel('Stale timeout').fill('40 s');
    await page.getByRole('button', { name: 'Preview changes' }).click();
    await expect(page.getByLabel('Load balancing')).toBeChecked();
    await expect(page.getByLabel('Stale timeout')).toHaveValue('40 s');
    await expect(page.locator(fieldMessage('stale_timeout_s'))).toContainText('(twice the heartbeat interval)');
    await page.getByLabel('Stale timeout').fill('60 s');
    await page.getByRole('button', { name: 'Preview changes' }).click();
    await expect(page.getByTestId('effects')).toContainText('New hint: Only one web server is available');
    await expect(page, 'the order of the list is kept').toHaveURL(/sort=name/);
    expect((await cluster.settings()).load_balancing).toBe(false);
  });
});
